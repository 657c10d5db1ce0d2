"""The page of checked data: drawn from kept results, which must be those of the packaged samples."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

DOCS = Path(__file__).resolve().parents[2] / "docs"
sys.path.insert(0, str(DOCS))

from pages import data  # noqa: E402


def test_results_are_of_the_packaged_samples() -> None:
    """Otherwise run `python docs/data_page.py --check`, then `make docs`."""
    assert data.out_of_date() == {}


def test_no_check_fails() -> None:
    for path in sorted(data.RESULTS.glob("*.json")):
        record = json.loads(path.read_text(encoding="utf-8"))
        assert [c["name"] for c in record["checks"] if c["ok"] is False] == [], path.name
        assert any(c["ok"] for c in record["checks"]), path.name


def test_samples_fit_the_package() -> None:
    files = [file for name in data.samples() for file in data.sample_path(name).rglob("*")]
    assert sum(file.stat().st_size for file in files) < 25e6


def test_a_changed_sample_is_noticed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    name, *_ = data.samples()
    for path in data.RESULTS.glob("*.json"):
        (tmp_path / path.name).write_text(path.read_text(encoding="utf-8"), encoding="utf-8")
    monkeypatch.setattr(data, "RESULTS", tmp_path)
    own = data.record_path(name)
    record = json.loads(own.read_text(encoding="utf-8"))
    own.write_text(json.dumps(record | {"manifest_sha256": "0" * 64}), encoding="utf-8")
    assert "another version" in data.out_of_date()[name]
    own.rename(tmp_path / "gone.json")
    assert "not run" in data.out_of_date()[name]
    assert "gone" in data.out_of_date()["gone.json"]


@pytest.mark.parametrize(
    ("value", "error", "text"),
    [
        (None, None, ""),
        (0.5, None, "0.5 K"),
        (299.712, 0.731, "299.71 ± 0.73 K"),
        (1234.5, 25.0, "1234 ± 25 K"),
        (0.00265, 0.00031, "0.00265 ± 0.00031 K"),
        (1.0, 0.0, "1 K"),
    ],
)
def test_a_value_has_the_digits_of_its_error(value: float, error: float, text: str) -> None:
    assert data.measured({"measured": value, "error": error, "unit": "K"}) == text
