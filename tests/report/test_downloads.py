"""Pictures as files: the table has what is drawn, by names of axes and series; SVG and PDF stand alone."""

from __future__ import annotations

import csv
import gzip
import io
from base64 import b64decode
from collections.abc import Iterator
from itertools import pairwise
from typing import Any
from xml.etree import ElementTree

import numpy as np
import pytest

from zoo.report import plot
from zoo.report.plot import COLORS, INK, Drawing, finish, legend, panels, style
from zoo.report.runs import LeftOut
from zoo.report.saving import figure_table, file_name
from zoo.report.saving import links as saving
from zoo.report.saving.links import links, write_pictures
from zoo.report.viewer import MOST, scene

Row = dict[str, str]
WATER = np.array([[[0.0, 0.0, 0.0], [0.96, 0.0, 0.0], [-0.24, 0.93, 0.1]]])


@pytest.fixture(autouse=True)
def page_style() -> Iterator[None]:
    with style():
        yield


def read(text: str) -> list[Row]:
    return list(csv.DictReader(io.StringIO(text)))


def column(rows: list[Row], name: str) -> list[Any]:
    return [float(row[name]) for row in rows if row.get(name)]


def table(figure: Any) -> list[Row]:
    return read(figure_table(figure))


def one() -> tuple[Any, Any]:
    figure, axes = panels(1)
    axes[0, 0].set(xlabel="time (ps)", ylabel="energy (eV)", title="Left")
    return figure, axes[0, 0]


def test_curves_have_the_names_of_axes_panels_and_the_legend():
    figure, axes = panels(2)
    axes[0, 0].plot([1, 2], [3, 4], label="schnet")
    axes[0, 0].plot([1, 2], [5, np.nan], label="_schnet, training", color=COLORS[1])
    axes[0, 1].plot([7], [8], color="C0")  # nobody named it, but it looks like schnet
    axes[0, 0].set(xlabel="epoch", ylabel="loss (no unit)", title="Loss\nof all")
    axes[0, 1].set(xlabel="time (s)", ylabel="error (eV/Å)")
    rows = table(figure)
    assert list(rows[0]) == ["panel", "series", "epoch", "loss (no unit)", "time (s)", "error (eV/Å)"]
    assert [list(row.values()) for row in rows] == [
        ["Loss of all", "schnet", "1", "3", "", ""],
        ["Loss of all", "schnet", "2", "4", "", ""],
        ["Loss of all", "schnet, training", "1", "5", "", ""],
        ["Loss of all", "schnet, training", "2", "", "", ""],
        ["panel 2", "schnet", "", "", "7", "8"],
    ]


def test_six_digits_are_kept():
    figure, axis = one()
    axis.plot([0.00123456, 123456], [np.pi, 1e-12])
    rows = table(figure)
    assert column(rows, "energy (eV)") == [3.14159, 1e-12] and column(rows, "time (ps)") == [
        0.00123456,
        123456,
    ]


def test_lines_across_a_panel_have_one_value():
    figure, axis = one()
    axis.axhline(0.25, label="_harmonic")
    axis.axvline(3)
    axis.axvspan(1, 2, label="_shaded")
    rows = table(figure)
    assert [(r["series"], r["time (ps)"], r["energy (eV)"]) for r in rows] == [
        ("harmonic", "", "0.25"), ("line across", "3", ""), ("shaded", "", ""),
    ]  # fmt: skip
    assert column(rows, "lower end of time (ps)") == [1] and column(rows, "upper end of time (ps)") == [2]


def test_error_bars_are_ends():
    figure, axis = one()
    axis.errorbar([1, 2], [3, 4], yerr=[0.5, 1], xerr=[[0.1, 0.2], [0.3, 0.4]], label="a", capsize=2)
    axis.errorbar([5], [6], label="b")
    rows = table(figure)
    assert [r["series"] for r in rows] == ["a", "a", "b"]
    assert column(rows, "energy (eV)") == [3, 4, 6]
    assert column(rows, "lower end of energy (eV)") == [2.5, 3]
    assert column(rows, "upper end of time (ps)") == [1.3, 2.4]


def test_bars_bins_and_bands():
    figure, axis = one()
    axis.bar([1, 2], [3, 4], width=0.5, label="bar")
    axis.stairs([5, 6], [0, 1, 3], label="bin")
    axis.fill_between([1, 2, 3], [0, 1, 2], [4, 5, 6], label="band")
    axis.fill_betweenx([1, 2], [0, 1], [4, 5], label="across")
    rows = table(figure)
    by = {name: [r for r in rows if r["series"] == name] for name in ("bar", "bin", "band", "across")}
    low, high = "lower end of ", "upper end of "
    assert column(by["bar"], "energy (eV)") == [3, 4] and column(by["bar"], f"{low}time (ps)") == [0.75, 1.75]
    assert column(by["bin"], "energy (eV)") == [5, 6] and column(by["bin"], f"{high}time (ps)") == [1, 3]
    assert column(by["band"], f"{low}energy (eV)") == [0, 1, 2]
    assert column(by["band"], f"{high}energy (eV)") == [4, 5, 6]
    assert column(by["band"], "time (ps)") == [1, 2, 3]
    assert column(by["across"], f"{high}time (ps)") == [4, 5]


def test_maps_have_the_middle_of_each_field_and_the_name_of_the_colour_bar():
    figure, axes = panels(2, sharex=True, sharey=True)
    values = np.ma.masked_equal(np.arange(6.0).reshape(2, 3), 4)
    for axis in axes[0]:  # one bar for two panels, of which it belongs to the second
        drawn = axis.pcolormesh([0, 2, 4, 6], [0, 10, 20], values, vmin=0, vmax=5)
        axis.set_xlabel("φ (°)")
    axes[0, 0].set_ylabel("ψ (°)")  # of both
    figure.colorbar(drawn, ax=axes[0].tolist(), label="free energy (kT)")
    rows = table(figure)
    assert len(rows) == 10 and {r["panel"] for r in rows} == {"panel 1", "panel 2"}
    for panel in ("panel 1", "panel 2"):
        own = [r for r in rows if r["panel"] == panel]
        assert column(own, "free energy (kT)") == [0, 1, 2, 3, 5]
        assert column(own, "φ (°)") == [1, 3, 5, 1, 5] and column(own, "ψ (°)") == [5, 5, 5, 15, 15]


def test_images_have_words_where_the_ticks_have():
    figure, axis = one()
    axis.imshow([[1, 2], [3, 4]])
    axis.set_xticks([0, 1], ["hot", "cold"])
    rows = table(figure)
    assert [(r["time (ps)"], r["energy (eV)"], r["value"]) for r in rows] == [
        ("hot", "0", "1"), ("cold", "0", "2"), ("hot", "1", "3"), ("cold", "1", "4"),
    ]  # fmt: skip


def test_points_contours_and_categories():
    figure, axis = one()
    axis.scatter([1, 2], [3, 4], c=[0.5, 0.6])
    axis.scatter([5], [6], label="mark")
    axis.contour([[0, 1], [0, 1]], levels=[0.5])
    axis.vlines([7], 0, 1, label="stick")
    rows = table(figure)
    assert [(r["time (ps)"], r["value"]) for r in rows[:2]] == [("1", "0.5"), ("2", "0.6")]
    assert ("mark", "5", "6") in [(r["series"], r["time (ps)"], r["energy (eV)"]) for r in rows]
    level = [r for r in rows if r["piece"] == "1" and r["value"]]
    assert {r["value"] for r in level} == {"0.5"} and set(column(level, "time (ps)")) == {0.5}
    assert [r["energy (eV)"] for r in rows if r["series"] == "stick"] == ["0", "1"]
    figure, axis = one()
    axis.barh(["O", "H"], [1, 2])
    assert [(r["energy (eV)"], r["time (ps)"]) for r in table(figure)] == [("O", "1"), ("H", "2")]


def test_nothing_drawn_is_no_table():
    figure, axis = one()
    axis.plot([], [], label="only a name")
    assert figure_table(figure) == ""


def drawing(title: str = "Loss of φ") -> Drawing:
    figure, axis = one()
    axis.plot([1, 2], [3, 4], color=INK, label="a < b")
    legend(figure, axis)
    return finish(figure, title, 'a "picture"', "Look.")


def test_links_carry_the_files(monkeypatch):
    made = drawing()
    pdf, data = links(made, "ala")
    assert (pdf.kind, pdf.file, data.file) == ("PDF", "ala-loss-of-φ.pdf", "ala-loss-of-φ.csv.gz")
    assert b64decode(pdf.href.partition(",")[2]) == made.pdf and made.pdf.startswith(b"%PDF")
    assert gzip.decompress(b64decode(data.href.partition(",")[2])).decode() == made.table
    monkeypatch.setattr(saving, "LARGEST", len(made.pdf) - 1)
    assert [bool(link.href) for link in links(made, "ala")] == [False, True]


def test_files_of_a_folder_never_overwrite_each_other(tmp_path):
    written = write_pictures([drawing(), drawing(), drawing("T")], tmp_path / "p")
    assert sorted(p.name for p in (tmp_path / "p").iterdir()) == sorted(p.name for p in written)
    assert {p.name for p in written if p.suffix == ".svg"} == {"loss-of-φ.svg", "loss-of-φ-2.svg", "t.svg"}
    root = ElementTree.parse(tmp_path / "p" / "t.svg").getroot()
    text = (tmp_path / "p" / "t.svg").read_text(encoding="utf-8")
    assert root.get("width", "").endswith("pt") and "currentColor" not in text and "a &lt; b" in text
    assert read((tmp_path / "p" / "t.csv").read_text(encoding="utf-8"))[1]["energy (eV)"] == "4"


def test_two_drawings_of_the_same_are_the_same_files():
    first, second = drawing(), drawing()
    assert first.pdf == second.pdf and first.table == second.table
    assert links(first, "x") == links(second, "x")


def test_names_of_files_are_short_and_plain():
    assert file_name("Ramachandran: φ/ψ, 2 of 3") == "ramachandran-φ-ψ-2-of-3"
    assert file_name("…") == "picture" and len(file_name("word " * 50)) <= 60


def test_a_scene_has_its_coordinates_and_a_still():
    bonds, notes = np.array([[0, 1], [0, 2]]), ["first"]
    made = scene("Water", WATER, np.array([8, 1, 1]), bonds, notes, "alt", "Look.", unit="Å")
    rows = read(made.table)
    assert [r["atomic number"] for r in rows] == ["8", "1", "1"] and rows[0]["note"] == "first"
    assert np.allclose([[float(r[f"{a} (Å)"]) for a in "xyz"] for r in rows], WATER[0])
    assert made.pdf.startswith(b"%PDF")
    root = ElementTree.fromstring(made.svg_file)
    assert len(list(root.iter("{http://www.w3.org/2000/svg}circle"))) == 3


def test_a_large_scene_goes_without_hydrogens_a_larger_one_is_left_out():
    n = MOST + 2
    x = np.random.default_rng(0).normal(size=(1, n, 3)) * 20
    elements = np.array([6] * (n // 2) + [1] * (n - n // 2))
    bonds = np.array([[0, 1], [1, n - 1]])
    made = scene("Large", x, elements, bonds, ["1"], "alt", "Look.", unit="Å")
    assert made.svg.count("<circle") == n // 2 and made.svg.count("<line") == 1
    assert made.caption == "Look. Hydrogens are not shown." and len(read(made.table)) == n // 2
    with pytest.raises(LeftOut, match="more than the viewer turns"):
        scene("Large", x, np.full(n, 6), bonds, ["1"], "alt", "Look.", unit="Å")


def test_legends_of_many_runs_stay_within_the_figure():
    for number, length in ((3, 6), (14, 30), (6, 60)):
        figure, axes = panels(2)
        for i in range(number):
            axes[0, 0].plot([0, 1], [i, i], label=f"{i:02d}" + "m" * length)
        before = figure.get_figheight()
        legend(figure, axes[0, 0])
        renderer = plot.FigureCanvasAgg(figure).get_renderer()
        extent = figure.legends[0].get_window_extent(renderer)
        assert extent.width <= figure.bbox.width or figure.legends[0]._ncols == 1
        rows = -(-number // figure.legends[0]._ncols)
        assert (figure.get_figheight() > before) == (rows > 1)


def test_titles_of_panels_do_not_run_into_each_other():
    figure, axes = panels(3)
    for axis in axes[0]:
        axis.plot([1], [2])
        axis.set_title("a rather long name of a model, particles of type A: r = 0.97")
    finish(figure, "t", "alt", "Look.")
    renderer = plot.FigureCanvasAgg(figure).get_renderer()
    boxes = [axis.title.get_window_extent(renderer) for axis in axes[0]]
    assert all(a.x1 < b.x0 for a, b in pairwise(boxes))
