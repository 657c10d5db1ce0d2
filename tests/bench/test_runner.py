"""A suite end to end on tiny data: records, leaderboards, failures, and going on after a kill."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from synthetic import chain, glass

import zoo
from zoo.bench import runner
from zoo.bench.runner import RECORDS, bench, run_suite
from zoo.bench.suite import Options, Row, Suite
from zoo.cli.app import main
from zoo.errors import RunError, UnknownName
from zoo.registry.registry import REGISTRY
from zoo.registry.spec import BenchmarkSpec
from zoo.run import Run

TINY = {"train.epochs": 1, "train.batch_size": 16, "model.hidden_channels": 8, "model.num_filters": 8}


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    folder = tmp_path_factory.mktemp("data")
    return {"chain": str(chain(folder / "chain", frames=30)), "glass": str(glass(folder / "glass", frames=6))}


class Killed(BaseException):
    """Nothing catches it, as nothing catches a SIGKILL."""


def rows(data: dict[str, str]) -> tuple[Row, ...]:
    return (
        Row("mean-force", data["chain"], "forces"),
        Row("harmonic", data["chain"], "forces"),
        Row("schnet", data["chain"], "forces", TINY),
    )


@pytest.fixture(scope="module")
def outcome(data, tmp_path_factory):
    options = Options(tmp_path_factory.mktemp("out"), seeds=2)
    return options, run_suite(Suite("Tiny", rows(data)), options)


def test_each_run_has_a_record_with_all_that_a_table_needs(outcome):
    options, found = outcome
    records = json.loads((options.out / RECORDS).read_text())
    # baselines are deterministic: one seed; the trained model has both
    assert [(r["model"], r["seed"]) for r in records] == [
        ("mean-force", 0), ("harmonic", 0), ("schnet", 0), ("schnet", 1),
    ]  # fmt: skip
    for record in records:
        assert record["dataset"] == "chain" and record["task"] == "forces" and record["error"] is None
        assert record["metrics"]["force_mae"]["unit"] == "eV/Å"
        assert record["versions"]["torch"] and record["command"] and record["config_hash"]
        assert record["seconds"] >= 0 and record["device"] == "cpu"
        assert Run(options.out / "runs" / Path(record["run"]).name).done
    assert found.failures == [] and len(found.runs) == 4


def test_the_leaderboard_ranks_by_the_headline_and_averages_seeds(outcome):
    _, found = outcome
    table = found.tables[0]
    assert table.header[:2] == ("MODEL", "force_mae (eV/Å)")
    by_model = {row[0]: row for row in table.rows}
    assert table.rows[0][0] == "harmonic" and table.rows[0][-1] == "best"  # the data is harmonic
    assert by_model["schnet"][-2] == "2" and "±" in by_model["schnet"][1]
    values = [r["metrics"]["force_mae"]["value"] for r in found.records if r["model"] == "schnet"]
    assert by_model["schnet"][1].startswith(f"{sum(values) / 2:.4g}")


def test_runs_that_are_done_are_not_made_again(outcome, data, monkeypatch):
    options, before = outcome

    def refuse(*args, **kwargs):
        raise AssertionError("trained again")

    monkeypatch.setattr("zoo.verbs.train.fit", refuse)
    monkeypatch.setattr("zoo.verbs.train.fitted", refuse)
    again = run_suite(Suite("Tiny", rows(data)), options)
    assert again.failures == []
    assert again.records == before.records


def test_a_killed_bench_goes_on_where_it_was(data, tmp_path, monkeypatch):
    suite = Suite("Tiny", (Row("schnet", data["chain"], "forces", {**TINY, "train.epochs": 3}),))
    whole = run_suite(suite, Options(tmp_path / "whole"))
    options = Options(tmp_path / "killed")
    epochs = []

    def killed(self, rows):
        write_curve(self, rows)
        epochs.append(len(rows))
        if len(epochs) == 2:  # the second epoch's checkpoint is not written any more
            raise Killed

    write_curve = Run.write_curve
    with monkeypatch.context() as patch:
        patch.setattr(Run, "write_curve", killed)
        with pytest.raises(Killed):
            run_suite(suite, options)
    assert not Run(options.out / "runs" / "schnet-chain-seed0").done
    resumed = run_suite(suite, options)
    assert resumed.failures == []
    assert resumed.records[0]["metrics"] == whole.records[0]["metrics"]


def test_a_folder_left_by_a_kill_before_the_run_began_is_no_obstacle(data, tmp_path):
    (tmp_path / "runs" / "mean-force-chain-seed0" / "checkpoints").mkdir(parents=True)
    (tmp_path / "runs" / "mean-force-chain-seed0" / "environment.json").write_text("{}")
    suite = Suite("Tiny", (Row("mean-force", data["chain"], "forces"),))
    assert run_suite(suite, Options(tmp_path)).failures == []


def test_a_folder_with_anything_else_in_it_is_left_alone(data, tmp_path):
    folder = tmp_path / "runs" / "mean-force-chain-seed0"
    folder.mkdir(parents=True)
    (folder / "thesis.tex").write_text("years of work")
    suite = Suite("Tiny", (Row("mean-force", data["chain"], "forces"),))
    assert "exists already" in run_suite(suite, Options(tmp_path)).failures[0]
    assert (folder / "thesis.tex").read_text() == "years of work"


def test_other_settings_in_the_same_folder_are_refused_before_anything_runs(outcome, data):
    options, _ = outcome
    with pytest.raises(RunError, match="other settings"):
        run_suite(Suite("Tiny", rows(data)), Options(options.out, epochs=2))


def test_a_row_that_fails_is_reported_and_the_rest_goes_on(data, tmp_path, monkeypatch):
    def broken(*args, **kwargs):
        raise ZeroDivisionError("not my day")

    monkeypatch.setattr(runner, "train", _train_unless("mean-force", runner.train, broken))
    found = run_suite(Suite("Tiny", rows(data)[:2]), Options(tmp_path))
    assert found.failures == ["mean-force-chain-seed0: ZeroDivisionError: not my day"]
    assert [r["error"] is None for r in found.records] == [False, True]
    last = found.tables[0].rows[-1]
    assert len(found.tables) == 1 and last[0] == "mean-force" and "FAILED" in last[-1]


def _train_unless(name, train, broken):
    return lambda model, *args, **kwargs: (broken if model == name else train)(model, *args, **kwargs)


def test_models_picks_rows_and_keeps_the_baselines(data):
    suite = Suite("Tiny", (*rows(data), Row("gat", data["chain"], "forces")))
    assert [row.model for row in runner.chosen(suite, ("gat",))] == ["mean-force", "harmonic", "gat"]
    with pytest.raises(UnknownName, match="Did you mean 'schnet'"):
        runner.chosen(suite, ("schnett",))


def test_baselines_come_with_the_run_where_no_row_is_them(data, tmp_path):
    found = run_suite(Suite("Tiny", (Row("schnet", data["chain"], "forces", TINY),)), Options(tmp_path))
    assert set(found.records[0]["baselines"]) == {"mean-force", "harmonic"}
    assert {row[0] for row in found.tables[0].rows} == {"schnet", "mean-force", "harmonic"}


@pytest.fixture
def registered(data, monkeypatch):
    """A suite of two rows in the registry, as a plugin or a notebook adds one."""
    monkeypatch.setattr(REGISTRY, "_registered", dict(REGISTRY._registered))
    global SUITE
    SUITE = Suite("Two rows", (Row("mean-force", data["chain"]), Row("type-mean", data["glass"])))
    spec = BenchmarkSpec(name="two-rows", summary="For a test.", target=f"{__name__}:two_rows")
    zoo.register(spec)
    return "two-rows"


SUITE: Suite


def two_rows(options: Options) -> Suite:
    return SUITE


def test_command_line_from_suite_to_report(registered, tmp_path, capsys):
    assert main(["bench", registered, "--out", str(tmp_path), "--json"]) == 0
    found = json.loads(capsys.readouterr().out)  # JSON alone on standard output
    assert found["suite"] == registered and len(found["records"]) == 2
    assert found["records"] == json.loads((tmp_path / RECORDS).read_text())
    assert "<h1>Two rows</h1>" in Path(found["report"]).read_text()
    assert main(["bench", registered, "--out", str(tmp_path)]) == 0
    out = capsys.readouterr().out
    assert "type-mean" in out and "mean-force" in out and "force_mae (eV/Å)" in out and "ceiling" in out


def test_a_failed_row_makes_exit_status_1(registered, tmp_path, capsys, monkeypatch):
    def broken(*args, **kwargs):
        raise ZeroDivisionError("not my day")

    monkeypatch.setattr(runner, "train", _train_unless("type-mean", runner.train, broken))
    assert main(["bench", registered, "--out", str(tmp_path)]) == 1
    assert "failed: type-mean-glass-seed0: ZeroDivisionError: not my day" in capsys.readouterr().err


def test_wrong_requests_are_one_line_and_exit_status_2(registered, tmp_path, capsys):
    assert main(["bench", "quickstat"]) == 2
    assert "Did you mean 'quickstart'" in capsys.readouterr().err
    assert main(["bench", registered, "--models", "nope", "--out", str(tmp_path)]) == 2
    assert "no model in this benchmark named 'nope'" in capsys.readouterr().err
    assert main(["bench", registered, "--seeds", "0"]) == 2


def test_quickstart_pairs_every_model_with_its_baselines(tmp_path):
    from zoo.bench.quickstart.suite import SETTINGS, suite

    found = suite(Options(tmp_path))
    pairs = {(row.model, row.task) for row in found.rows}
    assert set(SETTINGS) <= pairs  # no setting that names a row which is not there
    for task in ("forces", "propensity"):
        baselines = REGISTRY.get("tasks", task).baselines
        assert {(name, task) for name in (*baselines, "schnet", "gat")} <= pairs


def test_bench_reads_the_registry(registered, tmp_path):
    assert bench(registered, Options(tmp_path)).title == "Two rows"
