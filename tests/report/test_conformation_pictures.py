"""Pictures of conformations: all are drawn from records alone, and show what is in them."""

from __future__ import annotations

import csv
import io
from pathlib import Path

import numpy as np
import pytest

from zoo.report import write_looks
from zoo.report.inside.conformations import PICTURES
from zoo.report.inside.kind import drawn
from zoo.report.plot import Drawing
from zoo.verbs.inside.analyze import analyze
from zoo.verbs.inside.record import Inside


@pytest.fixture(scope="module")
def records(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Inside]:
    """As they come back from disk."""
    out = tmp_path_factory.mktemp("looks")
    found = {}
    for name, settings in (
        ("alanine-dipeptide", {}),
        ("hierarchical-flow-alanine-dipeptide", {"frames": 300, "against": "alanine-dipeptide"}),
        ("insulin", {"frames": 80}),
        ("dw4", {"frames": 300}),
    ):
        analyze(name, "conformations", out=out / name, **settings)
        found[name] = Inside.load(out / name, "conformations")
    return found


def pictures(*records: Inside) -> tuple[dict[str, Drawing], dict[str, str]]:
    drawings, left_out = drawn(PICTURES, records)
    return {d.title: d for d in drawings}, dict(left_out)


def column(drawing: Drawing, panel: str, series: str, name: str) -> np.ndarray:
    rows = [r for r in csv.DictReader(io.StringIO(drawing.table)) if r["panel"].startswith(panel)]
    return np.array([float(r[name]) for r in rows if r["series"] == series and r[name]])


def test_a_time_series_has_all_pictures_but_those_beside_a_reference(records: dict[str, Inside]) -> None:
    found, left_out = pictures(records["alanine-dipeptide"])
    assert set(left_out) == {"divergences", "places never visited", "secondary structure"}
    assert "--against" in left_out["divergences"] and "N, CA, C and O" in left_out["secondary structure"]
    assert {"What the slowest coordinate is", "Implied time scales", "Chapman-Kolmogorov test"} <= set(found)
    for drawing in found.values():
        assert "Look for" in drawing.caption, drawing.title
        assert "<title>" in drawing.svg and drawing.table.count("\n") > 2
    assert "φ 0.9" in found["What the slowest coordinate is"].caption


def test_draws_have_no_clocks_and_say_so(records: dict[str, Inside]) -> None:
    found, left_out = pictures(records["hierarchical-flow-alanine-dipeptide"])
    assert left_out["time scales"] == left_out["slowest coordinate"] == "draws have no time"
    assert {"Divergences from the reference", "Places never visited"} <= set(found)
    assert "chance" in found["Free energies"].caption


def test_pictures_show_the_numbers_of_the_record(records: dict[str, Inside]) -> None:
    record = records["hierarchical-flow-alanine-dipeptide"]
    found, _ = pictures(record)
    names = [row["name"] for row in record.facts["quantities"]]
    k = names.index("φ")
    shown = column(found["Distributions"], "φ", record.label, "density (per unit of x)")
    kept = record.arrays[f"density_{k}"] * np.pi / 180  # per degree
    assert np.isin(np.round(kept[kept > 0], 6), np.round(shown, 6)).all()
    js = record.facts["quantities"][k]["difference"]["js"]
    assert f"φ: JS {js:.2g}" in found["Distributions"].svg
    free = found["Free energies"].table
    deepest = [
        float(r["free energy (kT)"]) for r in csv.DictReader(io.StringIO(free)) if r["free energy (kT)"]
    ]
    plane = np.concatenate(
        [record.arrays[f"plane_{i}_{side}free"].ravel() for i in range(2) for side in ("", "reference_")]
    )
    assert sorted(np.round(deepest, 4)) == pytest.approx(
        sorted(np.round(plane[np.isfinite(plane)], 4)), abs=2e-4
    )


def test_a_protein_has_its_helices_and_beads_have_no_contacts(records: dict[str, Inside]) -> None:
    found, _ = pictures(records["insulin"])
    shown = found["Secondary structure"]
    assert "helix" in shown.caption and "insulin helix" in shown.caption
    toys, left_out = pictures(records["dw4"])
    assert "contact maps" in left_out and "neighbours anyway" in left_out["contact maps"]
    assert "Structures of clusters" in toys


def test_several_records_are_compared(records: dict[str, Inside], tmp_path: Path) -> None:
    both = [records["alanine-dipeptide"], records["hierarchical-flow-alanine-dipeptide"]]
    found, _ = pictures(*both)
    for record in both:
        for title in ("Distributions", "Populations of clusters", "Free energies"):
            assert record.label in found[title].svg, title
    page = write_looks(both[::-1], tmp_path / "page.html").read_text(encoding="utf-8")
    assert page.count("<figure") >= 10 and "Chapman-Kolmogorov" in page
    # of very unlike systems nothing breaks
    pictures(records["insulin"], records["dw4"], records["alanine-dipeptide"])
