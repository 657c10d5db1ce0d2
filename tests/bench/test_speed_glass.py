"""`bapst` beside the same network in plain layers, tiny: the same function, less kept."""

from __future__ import annotations

import pytest
import torch
from synthetic import glass as make_glass

from zoo.bench.speed.glass import Replicated, Size, glass
from zoo.data.catalog import open_dataset
from zoo.graphs import edge_vectors


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    return str(make_glass(tmp_path_factory.mktemp("data") / "glass"))


def test_both_are_one_function_and_ours_keeps_less(data):
    records, table = glass(Size(data, (2, 1, 1), frames=2, width=8, rounds=3, repeats=1), "cpu")
    assert {r["way"] for r in records} == {"zoo", "torch-geometric"} and len(table.rows) == 2
    assert {r["largest_difference_in_std"] for r in records} == {records[0]["largest_difference_in_std"]}
    assert records[0]["largest_difference_in_std"] < 1e-4  # float32 sums in another order
    kept = {r["way"]: r["bytes_per_edge"] for r in records}
    # at least the activations of both layers of each round, 4 bytes each; plain: six widths more
    assert 3 * 2 * 8 * 4 <= kept["zoo"] < kept["torch-geometric"] / 2


def test_replicas_are_the_small_frame_again(data):
    dataset = open_dataset(data)
    graph = Replicated(dataset, 1, (2, 1, 1)).graph(0, 1.2)
    n = dataset.system.num_particles
    assert graph.num_nodes == 2 * n and torch.equal(graph.z[:n], graph.z[n:])
    assert torch.allclose(graph.cell[0], dataset[0].cell[0] * torch.tensor([[2.0], [1.0], [1.0]]))
    vectors = edge_vectors(graph.pos, graph.edge_index, graph.edge_shift)
    assert 0 < len(vectors) and float(vectors.norm(dim=1).max()) < 1.2 + 1e-4
