"""Pictures of latents are drawn from records alone, of one run or of several."""

from __future__ import annotations

import csv
import io
import re
from pathlib import Path

import numpy as np
import pytest
from planted import zigzags

from zoo.data.catalog import open_dataset
from zoo.report.inside import looks
from zoo.report.inside.kind import drawn
from zoo.report.inside.latent import PICTURES
from zoo.report.plot import Drawing
from zoo.verbs.evaluate import fitted, make_task
from zoo.verbs.inside.latent import Options, look
from zoo.verbs.inside.record import Inside
from zoo.verbs.inside.subject import Subject

SETTINGS = {"name": "reconstruction"}


@pytest.fixture(scope="module")
def records(tmp_path_factory: pytest.TempPathFactory) -> list[Inside]:
    """Of a joined dataset, kept on disk and read again."""
    folder = tmp_path_factory.mktemp("pictures")
    zigzags(folder / "a", frames=120, seed=1)
    zigzags(folder / "b", frames=120, seed=2, shift=2)
    data = open_dataset(f"{folder / 'a'}+{folder / 'b'}")
    out = []
    for name, options in (("wide", {"latent": 3}), ("plane", {"latent": 2}), ("beads", {"beads": 4})):
        model = fitted("pca", options, data.split("train"), SETTINGS)
        subject = Subject(name, data, make_task(model, SETTINGS), split="all")
        other = Subject("other", data, make_task(model, SETTINGS)) if name == "plane" else None
        look(subject, Options(nulls=5, steps=4), against=other, frames=None, seed=0).save(folder / name)
        out.append(Inside.load(folder / name, "latent"))
    return out


def by_name(records: list[Inside], *names: str) -> dict[str, Drawing]:
    """Those of these names, or all; None is left out, a reason is an error."""
    out = {}
    for name in names or PICTURES:
        found, reasons = drawn({name: PICTURES[name]}, records)
        assert not reasons
        if found:
            out[name] = found[0]
    return out


def rows(drawing: Drawing) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(drawing.table)))


def test_every_picture_of_one_run(records: list[Inside]) -> None:
    found = by_name(records[1:2])
    assert set(found) == set(PICTURES)
    for drawing in found.values():
        assert drawing.svg.startswith(("<svg", "<div"))
        assert not re.search(r'(=|>|[ ,])"?nan\b', drawing.svg)
        if drawing.title != "Similarity of layers":  # whose axes say whose they are
            assert "plane" in drawing.caption or "zigzag" in drawing.caption


def test_without_a_second_layer_nothing_is_compared(records: list[Inside]) -> None:
    assert not by_name(records[:1], "similarity")


def test_several_runs_in_one_picture(records: list[Inside]) -> None:
    names = ("maps of the latent", "mutual information", "spectrum", "intrinsic dimension", "interpolation")
    for name, drawing in by_name(records, *names).items():
        told = drawing.svg
        assert all(record.label in told for record in records), name


def test_bars_are_the_numbers_of_the_record(records: list[Inside]) -> None:
    table = [
        value
        for row in rows(by_name(records[:1], "mutual information")["mutual information"])
        for value in row.values()
    ]
    shown = {round(float(v), 4) for v in table if v and v.replace(".", "").replace("-", "").isdigit()}
    for name in ("Rg", "end-to-end"):
        assert round(records[0].numbers[f"information_{name}"]["value"], 4) in shown


def test_the_slider_goes_along_every_axis_and_both_ways(records: list[Inside]) -> None:
    found = by_name(records[:1], "traversals in space", "interpolation in space")
    notes = {row["note"] for row in rows(found["traversals in space"])}
    assert len(notes) == 3 * 4 and any(note.startswith("z3 = ") for note in notes)
    ways = {row["note"] for row in rows(found["interpolation in space"])}
    assert sum(note.startswith("through the latent") for note in ways) == 4
    assert sum(note.startswith("straight line") for note in ways) == 4


def test_a_page_of_looks_has_them_all(records: list[Inside], tmp_path: Path) -> None:
    (part,) = looks(records)
    assert part.kind == "latent" and len(part.drawings) == len(PICTURES) and not part.left_out
    assert [name for name, *_ in part.rows][:2] == ["participation ratio", "intrinsic dimension"]


def test_too_few_samples_leave_the_dimension_out(records: list[Inside]) -> None:
    few = Inside(**{**vars(records[0]), "arrays": dict(records[0].arrays)})
    del few.arrays["log_ratio"]
    found, left_out = drawn(PICTURES, [few])
    assert [name for name, _ in left_out] == ["intrinsic dimension"] and len(found) == len(PICTURES) - 2
    assert np.isfinite(records[0].arrays["information"]).all()
