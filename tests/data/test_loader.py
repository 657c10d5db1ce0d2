"""Batches: the fast path gives the same batch as collating, in the same order everywhere."""

from __future__ import annotations

import numpy as np
import torch
from synthetic import chain, glass
from torch_geometric.data import Batch

from zoo.data.dataset import Dataset
from zoo.data.loader import BatchOrder, CollatedFrames, StackedFrames, make_loader


def test_fast_path_equals_collation(tmp_path):
    frames = Dataset(chain(tmp_path / "chain")).split("val")
    fast = StackedFrames(frames)[[3, 0, 7]]
    slow = Batch.from_data_list([frames.graph(i, 100.0) for i in (3, 0, 7)])
    for key in ("pos", "z", "batch", "ptr", "energy", "forces", "frame", "edge_index"):
        torch.testing.assert_close(fast[key], slow[key], rtol=0, atol=0, msg=key)
    # Pairs may be numbered otherwise, but mean the same: both directions, one representative.
    for batch in (fast, slow):
        ends = batch.edge_index.sort(0).values
        assert torch.equal(ends[:, batch.pair_edge][:, batch.edge_pair], ends)


def test_periodic_batches_keep_shifts_and_cells(tmp_path):
    dataset = Dataset(glass(tmp_path / "glass"))
    batch = CollatedFrames(dataset.split("all"), 1.5)[[2, 5]]
    vectors = batch.pos[batch.edge_index[1]] - batch.pos[batch.edge_index[0]] + batch.edge_shift
    assert (vectors.norm(dim=1) <= 1.5 + 1e-5).all()
    assert batch.cell.shape == (2, 3, 3)
    assert batch.targets.shape == (120, 2)
    ends = batch.edge_index.sort(0).values
    assert torch.equal(ends[:, batch.pair_edge][:, batch.edge_pair], ends)


def test_order_depends_on_seed_and_epoch_alone():
    order = BatchOrder(10, 3, shuffle=True, seed=4)
    first = list(order)
    assert list(order) == first
    assert sorted(i for batch in first for i in batch) == list(range(10))
    order.set_epoch(1)
    assert list(order) != first
    assert [len(b) for b in order] == [3, 3, 3, 1] and len(order) == 4


def test_every_frame_is_seen_once(tmp_path):
    frames = Dataset(chain(tmp_path / "chain")).split("train")
    seen = torch.cat([b.frame for b in make_loader(frames, 5.0, 7, shuffle=True)])
    np.testing.assert_array_equal(np.sort(seen.numpy()), frames.index)


def test_cache_is_bounded(tmp_path, monkeypatch):
    monkeypatch.setattr("zoo.data.loader.MAX_CACHED_EDGES", 2500)
    collated = CollatedFrames(Dataset(glass(tmp_path / "glass")).split("all"), 1.5)
    for i in range(8):
        collated[[i]]
    assert collated._edges <= 2500 and 1 <= len(collated._cache) < 8


def test_batches_read_from_the_disk_are_those_from_memory(tmp_path, monkeypatch):
    frames = Dataset(chain(tmp_path / "chain")).split("train")
    in_memory = list(make_loader(frames, 3.0, 7, shuffle=True, seed=3))
    monkeypatch.setattr("zoo.data.loader.MAX_STACKED_BYTES", 0)
    from_disk = list(make_loader(frames, 3.0, 7, shuffle=True, seed=3))
    assert len(in_memory) == len(from_disk) > 1
    for a, b in zip(in_memory, from_disk, strict=True):
        for key in ("pos", "energy", "forces", "frame", "edge_index"):
            assert torch.equal(a[key], b[key]), key
