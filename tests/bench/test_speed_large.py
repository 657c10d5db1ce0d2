"""The part of `zoo bench speed` on large systems, on small ones."""

from __future__ import annotations

import math

import pytest

from zoo.bench.speed.large import Size, exponent, large
from zoo.errors import RunFailed


def test_sizes_are_measured_each_in_its_process() -> None:
    records, table = large(Size(copies=((1, 1, 1), (2, 1, 1)), models=("gat",)), "cpu")
    assert [record["particles"] for record in records] == [1000, 2000]
    assert all(record["seconds"] > 0 for record in records)
    # torch alone takes more than 100 MB; two thousand particles no 4 GB
    assert all(100 << 20 < record["peak_bytes"] < 4 << 30 for record in records)
    assert len(table.rows) == 2


def test_exponent_is_the_power_of_a_power_law() -> None:
    law = [{"particles": n, "seconds": 3e-6 * n**1.25} for n in (10, 70, 4000)]
    assert exponent(law) == pytest.approx(1.25, abs=1e-12)
    assert math.isnan(exponent(law[:1]))


def test_a_failed_measurement_is_told() -> None:
    with pytest.raises(RunFailed, match="failed"):
        large(Size(dataset="no-such-dataset", copies=((1, 1, 1),)), "cpu")
