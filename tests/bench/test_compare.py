"""Records to leaderboards, on records written by hand."""

from __future__ import annotations

import math

from zoo.verbs.compare import labels, leaderboard, leaderboards


def record(model="schnet", value=1.0, seed=0, task="forces", key="force_mae", **more):
    metrics = {key: {"value": value, "unit": "eV/Å", "error": 0.5}}
    base = {"model": model, "dataset": "d", "data_digest": "x", "task": task, "seed": seed}
    base |= {"metrics": metrics, "baselines": {}, "parameters": 1, "seconds": 1.0, "error": None}
    return {**base, "settings_hash": "s", "run": f"runs/{model}-seed{seed}", **more}


def test_mean_and_standard_deviation_over_seeds():
    board = leaderboard([record(value=1.0), record(value=2.0, seed=1), record(value=3.0, seed=2)])
    cell = board.places[0].cells["force_mae"]
    assert cell.value == 2.0 and math.isclose(cell.spread, 1.0) and board.places[0].seeds == 3


def test_one_seed_keeps_the_error_of_its_metric():
    cell = leaderboard([record(value=1.0)]).places[0].cells["force_mae"]
    assert (cell.value, cell.spread) == (1.0, 0.5)


def test_a_correlation_ranks_the_larger_first_and_an_error_the_smaller():
    small, large = {"model": "a", "value": 0.1}, {"model": "b", "value": 0.9}
    errors = leaderboard([record(**large), record(**small)])
    assert [p.label for p in errors.places] == ["a", "b"] and errors.places[0].best
    how = {"task": "propensity", "key": "pearson_mean_A"}
    correlations = leaderboard([record(**small, **how), record(**large, **how)])
    assert [p.label for p in correlations.places] == ["b", "a"]


def test_lists_are_ranked_by_their_mean_and_a_missing_value_is_no_zero():
    how = {"task": "propensity", "key": "pearson_mean_A"}
    board = leaderboard([record("a", [0.2, 0.4], **how), record("b", [0.5, None], **how)])
    assert [p.label for p in board.places] == ["b", "a"]
    assert board.places[0].cells["pearson_mean_A"].scalar == 0.5


def test_a_seed_without_a_number_makes_no_better_mean():
    how = {"task": "propensity", "key": "pearson_mean_A"}
    board = leaderboard([record("a", [0.2], **how), record("a", [None], seed=1, **how)])
    assert board.places[0].cells["pearson_mean_A"].value == [None]


def test_ceiling_stands_beside_the_metric_that_it_bounds():
    one = record("a", [0.2], task="propensity", key="pearson_mean_A")
    one["metrics"]["ceiling_mean_A"] = {"value": [0.9], "unit": "1"}
    board = leaderboard([one])
    assert board.columns == ["pearson_mean_A"] and board.ceiling["pearson_mean_A"].value == [0.9]


def test_other_names_of_particles_find_a_headline():
    board = leaderboard([record("a", [0.2], task="propensity", key="pearson_mean_Si")])
    assert board.headline == "pearson_mean_Si" and board.larger_is_better


def test_two_settings_of_one_model_are_not_taken_for_seeds():
    two = [record(settings_hash="s", run="runs/small"), record(settings_hash="t", run="runs/wide-seed0")]
    assert labels(two) == ["schnet (small)", "schnet (wide)"]
    assert len(leaderboard(two).places) == 2


def test_other_content_under_one_name_is_another_leaderboard():
    assert len(leaderboards([record(), record(data_digest="y")])) == 2


def test_a_failed_record_stands_last_with_its_reason():
    failed = record("b", seed=0, metrics={}, settings_hash=None, error="no luck")
    board = leaderboard([failed, record("a")])
    assert [p.label for p in board.places] == ["a", "b"] and board.places[1].error == "no luck"


def test_a_task_of_an_absent_plugin_is_ranked_by_its_first_metric():
    board = leaderboard([record("a", task="of-a-plugin", key="oddity")])
    assert board.headline == "oddity"
