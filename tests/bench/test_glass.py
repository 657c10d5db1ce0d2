"""The suite of glasses: rows resolve, curves are judged, public folders are found and scored."""

from __future__ import annotations

from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest

import zoo
from zoo import keys
from zoo.bench.glass import public, suite, table, transfer
from zoo.bench.glass.flatness import mark, undertrained
from zoo.bench.glass.rows import rows
from zoo.bench.glass.suite import glass
from zoo.bench.runner import bench
from zoo.bench.suite import Options, Row
from zoo.data.catalog import open_dataset
from zoo.errors import ConfigError, DataError, UnknownName
from zoo.report.figures.transfer import write_transfer
from zoo.verbs.compare import run_record
from zoo.verbs.importing import import_dataset
from zoo.verbs.plan import resolve

ROWS = rows("kob-andersen", quick=False)
N, TIMES = 216, 10


@pytest.mark.parametrize("row", ROWS, ids=[row.name for row in ROWS])
def test_row_resolves(row: Row) -> None:
    plan = resolve(row.model, row.dataset, task=row.task, settings=row.settings)
    assert plan.task.name == "propensity"


def test_rows_are_all_methods_of_the_issue() -> None:
    methods = {row.model.rpartition(":")[2] for row in ROWS}
    assert methods >= {
        "ridge", "softness-svm", "glass-mlp", "bapst", "botan", "se3-glass", "gat", "schnet",
        "descriptor-gnn",
    }  # fmt: skip
    assert len({row.name for row in ROWS}) == len(ROWS)


def test_a_curve_is_flat_when_its_last_quarter_brings_nothing() -> None:
    falling, flat = np.linspace(1.0, 0.5, 20), [1.0, 0.6, 0.5, 0.5, *[0.499] * 16]
    assert undertrained(falling.tolist()) is True and undertrained(flat) is False
    assert undertrained([1.0, 0.9, 0.8]) is None
    rising = [1.0, 0.5, *np.linspace(0.5, 0.9, 18)]  # overfitting: the best epoch is long past
    assert mark(rising) == "flat" and mark([]) == "closed form" and mark([1.0]) == "too short to tell"


def test_transfer_knows_the_diagonal(tmp_path: Path) -> None:
    """On its own data a run's score is that of its own results; on the other liquid it is another."""
    names = ["kob-andersen", "kob-andersen/wca"]
    settings = {"model.descriptors.diffused": [], "model.descriptors.averages": 1}
    records = []
    for number, name in enumerate(names):
        run = zoo.train("ridge", name, settings=settings, out=tmp_path / str(number), with_baselines=False)
        records.append({"row": "ridge", **run_record(run)})
    found = transfer.transfer(records, names, ["LJ", "WCA"])
    cells = {(r["trained_on"], r["scored_on"]): r["pearson_mean_A"] for r in found}
    for record, label in zip(records, ("LJ", "WCA"), strict=True):
        own = record["metrics"]["pearson_mean_A"]["value"][-1]
        assert cells[label, label] == pytest.approx(own, abs=1e-6)
    assert len(set(cells.values())) == len(cells) == 4
    (drawn,) = transfer.tables(found, "Transfer")
    assert [line[0] for line in drawn.rows] == ["LJ", "WCA"] and len(drawn.header) == 3
    (board,) = table.tables([records[0]])
    assert board.rows[0][0] == "ridge" and "closed form" in board.rows[0] and "(ceiling)" in board.rows[1]


def _glassbench(folder: Path, rng: np.random.Generator, number: int, published: bool) -> np.ndarray:
    """A file as GlassBench's; returns the propensities."""
    edge = (N / 1.2) ** (1 / 3)
    start = rng.uniform(-edge / 2, edge / 2, (N, 3))
    types = np.where(np.arange(N) < 173, 1, 2)
    truth = rng.uniform(0.1, 1.0, (TIMES, N))
    arrays = {"types": types, "initial_positions": start, "md_prop": truth}
    if published:
        arrays |= {"BOTAN": truth, "CAGE": -truth[:, :173], "EPOT": truth[6]}
    folder.mkdir(parents=True, exist_ok=True)
    np.savez(folder / f"N{N}T0.56_{number}.npz", **arrays)
    return truth


def test_public_folder_is_imported_and_published_predictions_scored(tmp_path: Path) -> None:
    """A prediction that is the truth scores 1, its negative −1 (A alone), one time's field at all times."""
    rng = np.random.default_rng(0)
    home = tmp_path / "GlassBench" / "T0.56"
    for number in range(4):
        _glassbench(home / "train", rng, number, published=False)
    truth = np.stack([_glassbench(home / "test", rng, number, published=True) for number in range(4, 7)])
    (tmp_path / "GlassBench" / "README.md").write_text("no data")
    found = public.find(tmp_path / "GlassBench")
    assert list(found) == ["glassbench-T0.56"] and len(found["glassbench-T0.56"]) == 7
    (folder,), failures = public.imported(tmp_path / "GlassBench", tmp_path / "data")
    assert not failures and public.trainable(open_dataset(folder))
    records = {r["row"]: r["metrics"] for r in public.published(folder)}
    assert records["BOTAN (published)"]["pearson_mean_A"]["value"] == pytest.approx([1.0] * TIMES)
    assert records["CAGE (published)"]["pearson_pooled_A"]["value"] == pytest.approx([-1.0] * TIMES)
    other = np.mean([np.corrcoef(t[0, :173], t[6, :173])[0, 1] for t in truth])
    assert records["EPOT (published)"]["pearson_mean_A"]["value"][0] == pytest.approx(other, abs=1e-5)
    drawn = public.paper_table(folder, public.published(folder))
    assert drawn.header[1] == "0.104 τ" and drawn.rows[0][0] == "BOTAN (published)"
    assert drawn.rows[0][1] == "1.000/1.000"
    again = public.imported(tmp_path / "GlassBench", tmp_path / "data")
    assert again == ([folder], [])


def test_training_data_holds_no_published_prediction(tmp_path: Path) -> None:
    """Files of the training folder have none: NaN there, and finite in the test files."""
    rng = np.random.default_rng(1)
    for number, split in enumerate(("train", "train", "test")):
        _glassbench(tmp_path / "T0.56" / split, rng, number, published=split == "test")
    (folder,), _ = public.imported(tmp_path, tmp_path / "data")
    array = open_dataset(folder).array("published_BOTAN")
    assert np.isnan(array[:2]).all() and np.isfinite(array[2]).all()


def test_transfer_takes_only_its_own_of_the_models_asked_for(tmp_path: Path) -> None:
    """`--models ridge,schnet`: the transfer has no row of schnet, and goes on without."""
    found = suite._transfer(
        Options(tmp_path, models=("ridge", "schnet")), [("ridge", "inherent-diffused")],
        ["kob-andersen/wca"], ["WCA"], "WCA",
    )  # fmt: skip
    assert [record["model"] for record in found.records] == ["ridge: inherent-diffused"]
    (matrix,) = found.matrices
    assert matrix.values == [[found.records[0]["pearson_mean_A"]]]
    write_transfer(tmp_path / "map.svg", matrix.title, matrix.rows, matrix.columns, matrix.values)
    drawn = (tmp_path / "map.svg").read_text(encoding="utf-8")
    assert f"{matrix.values[0][0]:.2f}" in drawn
    assert ElementTree.fromstring(drawn).tag == "{http://www.w3.org/2000/svg}svg"


def test_what_is_wrong_is_told_before_anything_is_trained(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="is no folder"):
        glass(Options(tmp_path / "out", data=tmp_path / "nowhere"))
    (tmp_path / "empty").mkdir()
    with pytest.raises(DataError, match="holds no files of GlassBench"):
        glass(Options(tmp_path / "out", data=tmp_path / "empty"))
    with pytest.raises(UnknownName, match="softness-svm"):
        glass(Options(tmp_path / "out", models=("softnes-svm",)))
    with pytest.raises(ConfigError, match="takes no --data"):
        bench("quickstart", Options(tmp_path / "out", data=tmp_path))
    assert not (tmp_path / "out").exists()


def test_real_files_where_they_are_shared(shared_data: Path, tmp_path: Path) -> None:
    """BOTAN's, DeepMind's and GlassBench's 2D files are told apart; two times make one configuration."""
    found = public.find(shared_data / "glass")
    assert len(found["botan-T0.44"]) == 8 and "deepmind" in found
    (two,) = [paths for name, paths in found.items() if name == "glassbench-T0.23"]
    folder = tmp_path / "two"
    import_dataset("kob-andersen/2d-ternary", two, folder)
    data = open_dataset(folder)
    assert data.array(keys.TARGETS).shape == (1, 1290, 2) and not public.trainable(data)
