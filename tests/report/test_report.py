"""The report: drawn from run directories alone, whole in one file, clear where something is missing."""

from __future__ import annotations

import re
import shutil
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest
from synthetic import chain, glass

import zoo
from zoo.analysis.flags import Flag
from zoo.cli.app import main
from zoo.errors import RunError
from zoo.report import html, write_report
from zoo.report.runs import find_runs
from zoo.run import Run
from zoo.verbs.inside.record import FOLDER, Inside

TINY = {"train.epochs": 2, "model.hidden_channels": 8}


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("runs")
    one, two = chain(folder / "chain", frames=30), glass(folder / "glass", frames=8)
    made = {
        "forces": zoo.train("schnet", one, settings=TINY, out=folder / "forces"),
        "second": zoo.train(
            "schnet", one, settings=TINY, seed=1, out=folder / "second", with_baselines=False
        ),
        "harmonic": zoo.train("harmonic", one, out=folder / "harmonic", with_baselines=False),
        "glass": zoo.train("gat", two, settings=TINY, task="propensity", out=folder / "glass-run"),
    }
    return {name: run.path for name, run in made.items()}


@pytest.fixture(scope="module")
def page(runs, tmp_path_factory) -> Path:
    return write_report(list(runs.values()), tmp_path_factory.mktemp("page") / "report.html", title="A & B")


class Outline(HTMLParser):
    """Titles of figures, attributes that name other files, ids, and the text of the page."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.titles: list[str] = []
        self.links: list[str] = []
        self.ids: list[str] = []
        self.scripts = 0
        self.inside: list[str] = []
        self.unclosed: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        names = dict(attributes)
        self.links += [names[k] for k in ("src", "href", "xlink:href", "data", "action") if names.get(k)]
        self.ids += [names["id"]] if "id" in names else []
        self.scripts += tag == "script"
        self.inside.append(tag)
        if tag not in ("meta", "link", "br", "img", "input", "hr"):
            self.unclosed.append(tag)

    def handle_endtag(self, tag):
        if self.unclosed and self.unclosed[-1] == tag:
            self.unclosed.pop()

    def handle_data(self, data):
        if self.inside and self.inside[-1] == "h3" and data.strip():
            self.titles.append(data.strip())


@pytest.fixture(scope="module")
def outline(page) -> Outline:
    return Outline(page.read_text(encoding="utf-8"))


def test_every_figure_that_the_data_allows_is_there(outline):
    for title in (
        "Learning curves",
        "Predicted against true forces",
        "Force error by element",
        "Correlation with the propensity against time",
        "Propensity map of a slice",
    ):
        assert title in outline.titles
    assert "Ramachandran plot of the data" not in outline.titles  # no peptide, so no backbone


def test_nothing_outside_the_file_is_named(page, outline):
    assert outline.scripts == 1  # the page's own, inside
    assert all(link.startswith(("#", "data:")) for link in outline.links)
    text = page.read_text(encoding="utf-8")
    assert not re.search(r"https?://|@import|url\((?!#)", text.partition('id="provenance"')[0])


def test_markup_is_whole_ids_are_unique_and_targets_exist(outline):
    assert outline.unclosed == []
    assert len(outline.ids) == len(set(outline.ids))
    within = {link[1:] for link in outline.links if link.startswith("#")}
    assert within <= set(outline.ids)


def test_figures_are_told_in_words_and_take_the_colour_of_the_page(page):
    text = page.read_text(encoding="utf-8")
    assert text.count("<figure ") == text.count("<figcaption>") == len(re.findall(r'<svg role="img"', text))
    assert all(re.findall(r'<svg role="img" aria-label="([^"]*)"', text))
    assert "currentColor" in text and "prefers-color-scheme: dark" in text


def test_numbers_are_those_of_the_run(page, runs):
    text = page.read_text(encoding="utf-8")
    values = [Run(runs[name]).results["metrics"]["force_mae"]["value"] for name in ("forces", "second")]
    assert f"{np.mean(values):.4g} ± {np.std(values, ddof=1):.1g}" in text


def test_provenance_names_data_settings_and_how_to_repeat(page, runs):
    text = page.read_text(encoding="utf-8")
    run = Run(runs["forces"])
    for fact in (run.config.digest(), run.environment["packages"]["torch"], "zoo train schnet", "sha256"):
        assert fact in text


def test_what_was_trained_on_what_is_told(runs, page):
    text = page.read_text(encoding="utf-8")
    results = Run(runs["glass"]).results
    assert "One run of gat on glass (60 particles, 8 frames), for the task propensity" in text
    assert f"gat: {results['parameters']:,} parameters, 2 epochs on {results['frames']['train']}" in text
    assert "2 seeds." in text and "on cpu" in text
    assert f"zoo train gat {Run(runs['glass']).config.dataset['name']}" in text  # to repeat it


def test_flags_are_told_at_the_top_and_lead_to_where_they_belong(runs, tmp_path):
    copy = shutil.copytree(runs["forces"], tmp_path / "run")
    Run(copy).write_flags([Flag("collapse", "all <draws> are one")])
    record = Inside("layers", "run", numbers={"rank": {"value": 2.0, "unit": "1"}})
    record.flags, record.facts = [Flag("dead units", "head.act")], {"command": "zoo analyze run layers"}
    record.facts |= {"subject": "schnet on chain", "frames": [0, 3], "split": "train", "seed": 1}
    record.save(copy / FOLDER)
    text = write_report([copy], tmp_path / "r.html").read_text(encoding="utf-8")
    outline = Outline(text)
    assert {"flags", "part-0", "inside-layers"} <= set(outline.ids)
    assert outline.links.count("#inside-layers") == 2  # of the contents and of the flag
    assert "all &lt;draws&gt; are one" in text and text.index("collapse") < text.index("<table")
    assert "run: schnet on chain, 2 frames of split train, seed 1." in text
    assert "<code>zoo analyze run layers</code>" in text


def test_pictures_of_a_folder_are_named_by_their_titles(runs, tmp_path, capsys):
    out = tmp_path / "pictures"
    page = ["report", str(runs["forces"]), "--out", str(tmp_path / "r.html")]
    assert main([*page, "--pictures", str(out)]) == 0
    text = (tmp_path / "r.html").read_text(encoding="utf-8")
    stems = {path.relative_to(out).with_suffix("").as_posix() for path in out.rglob("*.*")}
    assert "chain-forces/learning-curves" in stems and len(stems) == text.count("<figure ")
    for stem in stems:
        assert all((out / f"{stem}.{kind}").stat().st_size > 100 for kind in ("svg", "pdf", "csv"))
    assert main([*page, "--pictures", str(tmp_path / "r.html")]) == 2
    assert "--pictures takes a folder" in capsys.readouterr().err


def test_colours_of_text_can_be_told_from_those_behind():
    """WCAG 2, level AA: at least 4.5, in the light, the dark and the printed page."""
    css = (Path(html.__file__).parent / "style.css").read_text(encoding="utf-8")
    schemes = [
        dict(re.findall(r"--(\w+): (#[0-9a-f]+)", block)) for block in re.findall(r":root {(.*?)}", css, re.S)
    ]

    def light(color: str) -> float:
        digits = color[1:] if len(color) == 7 else "".join(2 * d for d in color[1:])
        linear = [
            v / 12.92 if v <= 0.03928 else ((v + 0.055) / 1.055) ** 2.4
            for v in (int(digits[k : k + 2], 16) / 255 for k in (0, 2, 4))
        ]
        return float(np.dot(linear, [0.2126, 0.7152, 0.0722]))

    assert len(schemes) == 3 and all({"ink", "faint", "accent", "page", "panel"} <= set(s) for s in schemes)
    for scheme in schemes:
        for text in ("ink", "faint", "accent"):
            for behind in ("page", "panel"):
                low, high = sorted((light(scheme[text]), light(scheme[behind])))
                assert (high + 0.05) / (low + 0.05) >= 4.5


def test_a_title_is_text_and_no_markup(page):
    assert "<h1>A &amp; B</h1>" in page.read_text(encoding="utf-8")


def test_missing_predictions_leave_figures_out(runs, tmp_path):
    copy = shutil.copytree(runs["forces"], tmp_path / "run")
    (copy / "predictions.npz").unlink()
    titles = Outline(write_report([copy], tmp_path / "r.html").read_text()).titles
    assert "Learning curves" in titles and "Predicted against true forces" not in titles


def test_a_dataset_that_is_gone_leaves_its_figures_out_and_says_so(runs, tmp_path):
    copy = shutil.copytree(runs["glass"], tmp_path / "run")
    config = copy / "config.yaml"
    name = Run(copy).config.dataset["name"]
    config.write_text(config.read_text().replace(name, str(tmp_path / "gone")))
    text = write_report([copy], tmp_path / "r.html").read_text()
    assert "the dataset cannot be opened" in text
    assert "Learning curves" in Outline(text).titles
    assert "Propensity map of a slice" not in Outline(text).titles


def test_a_dataset_that_changed_is_not_drawn_beside_old_predictions(runs, tmp_path):
    copy = shutil.copytree(runs["forces"], tmp_path / "run")
    name = Run(copy).config.dataset["name"]
    other = chain(tmp_path / "chain", frames=30, seed=5)
    config = copy / "config.yaml"
    config.write_text(config.read_text().replace(name, str(other)))
    text = write_report([copy], tmp_path / "r.html").read_text()
    assert "has changed since the runs were made" in text
    assert "Predicted against true forces" not in Outline(text).titles


@pytest.mark.parametrize(
    ("file", "content", "message"),
    [
        ("results.json", None, "not finished"),
        ("results.json", "{", "not valid JSON"),
        ("config.yaml", None, "no run at"),
        ("config.yaml", "model: [", "not valid YAML"),
        ("environment.json", "]", "not valid JSON"),
    ],
)
def test_a_broken_run_is_one_clear_error(runs, tmp_path, capsys, file, content, message):
    copy = shutil.copytree(runs["forces"], tmp_path / "run")
    (copy / file).unlink()
    if content is not None:
        (copy / file).write_text(content)
    assert main(["report", str(copy), "--out", str(tmp_path / "r.html")]) == 2
    said = capsys.readouterr().err
    assert message in said and "Traceback" not in said
    assert not (tmp_path / "r.html").exists()


def test_truncated_predictions_leave_figures_out(runs, tmp_path):
    copy = shutil.copytree(runs["forces"], tmp_path / "run")
    whole = (copy / "predictions.npz").read_bytes()
    (copy / "predictions.npz").write_bytes(whole[: len(whole) // 2])
    text = write_report([copy], tmp_path / "r.html").read_text()
    titles = Outline(text).titles
    assert "Learning curves" in titles and "Force error by element" not in titles
    assert "may be truncated" in text


def test_a_folder_of_runs_stands_for_the_finished_ones_in_it(runs, tmp_path):
    for name in ("forces", "glass"):
        shutil.copytree(runs[name], tmp_path / "runs" / name)
    (tmp_path / "runs" / "forces" / "results.json").unlink()
    assert [run.path.name for run in find_runs([tmp_path])] == ["glass"]
    with pytest.raises(RunError, match="no run at"):
        find_runs([tmp_path / "nothing"])


def test_out_that_is_a_folder_is_one_clear_error(runs, tmp_path, capsys):
    assert main(["report", str(runs["forces"]), "--out", str(tmp_path)]) == 2
    assert "takes the name of an HTML file" in capsys.readouterr().err


def test_a_model_has_one_colour_on_the_whole_page(runs):
    from zoo.report.runs import group_runs

    groups = group_runs([Run(path) for path in runs.values()])
    assert len(groups) == 2 and groups[0].palette == groups[1].palette
    assert set(groups[0].palette) == {label for group in groups for label in group.order}
