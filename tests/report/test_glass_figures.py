"""Figures of a glass: drawn from trained networks, true to what the networks compute."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest
import torch
from synthetic import glass

import zoo
from zoo.data.dataset import Dataset
from zoo.data.store import Manifest, write_dataset
from zoo.models.gat.model import GAT
from zoo.report.figures import correlation, mobility_correlation, tensor_paths
from zoo.report.figures.transfer import draw_transfer
from zoo.report.html import write_report
from zoo.report.learned import first_graph, learned
from zoo.report.plot import style
from zoo.report.runs import Group, find_runs, group_runs
from zoo.tasks.propensity.heterogeneity import true_pairs

TINY = {"train.epochs": 1, "model.hidden_channels": 8}


@pytest.fixture(scope="module")
def runs(tmp_path_factory) -> list[Path]:
    folder = tmp_path_factory.mktemp("runs")
    data = glass(folder / "glass", frames=8)
    gat = {**TINY, "model.heads": 2, "model.num_layers": 2, "task.members": 2}
    made = [
        zoo.train("gat", data, settings=gat, task="propensity", out=folder / "gat"),
        zoo.train("schnet", data, settings=TINY, task="propensity", out=folder / "schnet"),
    ]
    return [run.path for run in made]


@pytest.fixture(scope="module")
def group(runs) -> Group:
    return group_runs(find_runs(runs))[0]


def test_the_report_of_a_glass_has_every_figure(runs, tmp_path):
    text = write_report(runs, tmp_path / "page.html").read_text(encoding="utf-8")
    titles = [title.strip() for title in re.findall(r"<h3>(.*?)</h3>", text)]
    for title in (
        "Correlation with the propensity against time",
        "Propensity map of a slice",
        "Predicted against measured propensity",
        "Spatial correlation of mobility",
        "Calibration of the ensemble",
        "Learned radial filters",
        "Attention against distance",
    ):
        assert title in titles
    assert "Weights of tensor-product paths" not in titles  # neither network has any
    assert "Figures left out" not in text


def test_filters_are_those_that_the_networks_use(group):
    """SchNet's: network of the Gaussians times the cutoff function; both vanish at the cutoff."""
    d = torch.tensor([0.5, 1.0, 2.0, 2.5, 3.0])
    for _, _, model in learned(group, "radial_filters", 2):
        found = model.radial_filters(d)
        assert found.shape[0] == 2 and found.shape[2] == len(d)
        assert not found[:, :, 3:].abs().gt(1e-6).any() and found[:, :, :3].abs().gt(1e-3).any()
        envelope = 0.5 * (torch.cos(torch.pi * d / 2.5) + 1) * (d < 2.5)
        layers = model.interactions if hasattr(model, "interactions") else model.layers
        for own, layer in zip(found, layers, strict=True):
            network = layer.filter if hasattr(layer, "filter") else layer.value_filter
            torch.testing.assert_close(own, (network(model.basis(d)) * envelope[:, None]).T.detach())


def test_first_graph_is_the_first_test_configuration(group):
    ((_, run, model),) = learned(group, "return_attention", 1)
    graph, frame = first_graph(group, run, model), group.dataset.split("test").index[0]
    np.testing.assert_array_equal(graph.pos.numpy(), group.dataset.array("positions")[frame])
    assert graph.frame.tolist() == [frame]


def test_susceptibility_is_told_in_words(group):
    with style():
        drawing = mobility_correlation.draw(group)
    assert drawing is not None
    told = re.search(r"measured ([\d.e-]+)", drawing.svg)
    chi = true_pairs(group.dataset.split("test")).susceptibility().mean(0)
    assert told and float(told[1]) in [float(f"{value:.2g}") for value in chi]


def test_tensor_paths_are_sorted_by_weight(group, monkeypatch):
    weights = {"0e x 1o -> 1o": 0.25, "0e x 0e -> 0e": 0.5}
    monkeypatch.setattr(GAT, "path_weights", lambda self: weights, raising=False)
    with style():
        drawing = tensor_paths.draw(group)
    assert drawing is not None
    assert "0e x 0e -&gt; 0e 0.5, 0e x 1o -&gt; 1o 0.25" in drawing.svg


def test_one_time_is_drawn_as_one_point_for_each_model(tmp_path):
    data = Dataset(glass(tmp_path / "two", frames=8))
    arrays = {name: np.array(array) for name, array in data.arrays.items()}
    arrays["targets"] = arrays["targets"][..., :1]
    arrays["clone_displacements"] = arrays["clone_displacements"][:, :1]
    manifest = Manifest(
        name="one", version="1", units="lj", temperature=0.5, system=data.system.to_json(),
        splits=data.manifest.splits, target_names=["t=1"], target_times=[1.0],
    )  # fmt: skip
    units = {name: record.unit for name, record in data.manifest.arrays.items()}
    folder = write_dataset(tmp_path / "one", manifest, arrays, units)
    run = zoo.train("gat", folder, settings=TINY, task="propensity", out=tmp_path / "run")
    (alone,) = group_runs([run])
    with style():
        drawing = correlation.draw(alone)
    assert drawing is not None and "t = 1 τ" in drawing.caption
    for label in ("gat", "type-mean"):
        assert f">{label}</text>" in drawing.svg


def test_transfer_matrix_shows_each_number_and_leaves_out_what_is_unknown():
    matrix = np.array([[0.71, 0.52], [np.nan, 0.83]])
    with style():
        drawing = draw_transfer(matrix, ["T=0.44", "T=0.64"], ["T=0.44", "T=0.64"], "Transfer", "Look.")
    assert all(f">{number}</text>" in drawing.svg for number in ("0.71", "0.52", "0.83"))
    assert "nan" not in drawing.svg
    assert "T=0.44 on T=0.64 0.52" in drawing.svg and "T=0.64 on T=0.44" not in drawing.svg
