"""The suite of Boltzmann generators: every row resolves, and its table says what the records say."""

from __future__ import annotations

from pathlib import Path

import pytest

from zoo.bench.boltzmann.suite import suite
from zoo.bench.boltzmann.table import HEADER, boltzmann_table
from zoo.bench.suite import Options, Row
from zoo.verbs.plan import resolve

ROWS = suite(Options(Path("out"))).rows


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
def test_row_resolves(row: Row) -> None:
    plan = resolve(row.model, row.dataset, task=row.task, settings=row.settings)
    assert plan.task.name == "density"


def test_quick_is_shorter() -> None:
    quick = suite(Options(Path("out"), quick=True)).rows
    for long, short in zip(ROWS, quick, strict=True):
        assert long.name == short.name
        if "train.epochs" in long.settings:
            assert short.settings["train.epochs"] < long.settings["train.epochs"] / 3
        assert short.settings["task.samples"] <= long.settings["task.samples"]


def test_table() -> None:
    shares = {"reference": [0.003, 0.0003], "raw": [0.01, 0.001], "reweighted": [0.0031, 0.0002]}
    basin = {**shares, "judgement": "present"}
    metrics = {
        "ess": {"value": 0.5, "unit": "1", "error": 0.01},
        "basins": {"value": {"φ>0": basin}, "unit": "share"},
        "mode_drop": {"value": "all basins", "unit": "1"},
    }
    done = {"row": "a-d-x-label", "dataset": "d/x", "seconds": 12.3, "metrics": metrics, "error": None}
    failed = {"row": "b-d-x", "dataset": "d/x", "seconds": None, "metrics": {}, "error": "no energy"}
    (table,) = boltzmann_table([done, failed])
    first, second, reference = table.rows
    shown = dict(zip(HEADER, first, strict=True))
    assert (shown["ROW"], shown["SECONDS"], shown["ESS %"], shown["VERDICT"]) == (
        "a · label", "12", "50.0 ± 1", "all basins",
    )  # fmt: skip
    assert shown["φ>0 % RAW → REWEIGHTED"] == "1 → 0.31 ± 0.02"
    assert second[0] == "b" and second[-1] == "FAILED: no energy"
    assert dict(zip(HEADER, reference, strict=True))["φ>0 % RAW → REWEIGHTED"] == "0.3 ± 0.03"
