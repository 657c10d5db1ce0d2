"""Batches of frames: cut from stacked tensors where all share one graph, collated elsewhere."""

from __future__ import annotations

import math
from collections import OrderedDict
from collections.abc import Callable, Iterator

import numpy as np
import torch
from torch.utils.data import DataLoader, Dataset, Sampler
from torch_geometric.data import Batch

from zoo import keys
from zoo.data.dataset import Frames
from zoo.data.graph import Graph
from zoo.data.joined import JoinedDataset
from zoo.graphs import batched_all_pairs

#: Molecules up to this size take the fast path: all pairs as edges, the models' cutoff function
#: removes the far ones. Larger systems get a neighbour list for each frame.
MAX_ALL_PAIRS = 64
#: A molecule's frames are kept in memory up to this size; of more, each batch is read from the disk.
MAX_STACKED_BYTES = 1 << 30
#: Graphs are kept in memory up to so many edges in all (about 60 bytes an edge).
MAX_CACHED_EDGES = 20_000_000

#: Gives the graph of a frame that is kept: from the frame's number in its split and its graph with edges.
Prepare = Callable[[int, Graph], Graph]


class BatchOrder(Sampler[list[int]]):
    """Lists of frame numbers, shuffled by (seed, epoch) alone, shared out over processes.

    Every process of a distributed run gets the same number of batches: the order is padded by
    repeating its beginning, as `torch.utils.data.DistributedSampler` does.

    Args:
        frames: number of frames, and of those of one pass.
        batch_size: frames in a batch.
        shuffle: by seed and epoch; otherwise in order.
        seed: of the order.
        shares: for each group of frames, what share of a pass comes from it, when shuffled. A
            group is gone through in a random order, as often as it takes. None: each frame once.
    """

    def __init__(
        self,
        frames: int,
        batch_size: int,
        *,
        shuffle: bool,
        seed: int = 0,
        shares: list[tuple[np.ndarray, float]] | None = None,
    ) -> None:
        self.frames, self.batch_size, self.shuffle, self.seed = frames, batch_size, shuffle, seed
        self.shares = shares
        self.epoch = 0

    def set_epoch(self, epoch: int) -> None:
        """Called by the trainer: a resumed run shuffles as an uninterrupted one."""
        self.epoch = epoch

    def __iter__(self) -> Iterator[list[int]]:
        order = torch.arange(self.frames)
        if self.shuffle:
            generator = torch.Generator().manual_seed(self.seed * 1_000_003 + self.epoch)
            order = self._shuffled(generator)
        rank, world = _rank_and_world() if self.shuffle else (0, 1)
        if world > 1:
            share = math.ceil(self.frames / world)
            order = torch.cat([order, order[: share * world - self.frames]])[rank::world]
        for start in range(0, len(order), self.batch_size):
            yield order[start : start + self.batch_size].tolist()

    def _shuffled(self, generator: torch.Generator) -> torch.Tensor:
        if self.shares is None:
            return torch.randperm(self.frames, generator=generator)
        total = sum(share for _, share in self.shares)
        ends = np.round(np.cumsum([share for _, share in self.shares]) / total * self.frames).astype(int)
        parts = []
        for (group, _), number in zip(self.shares, np.diff(ends, prepend=0), strict=True):
            passes = math.ceil(number / len(group))
            drawn = [torch.randperm(len(group), generator=generator) for _ in range(passes)]
            parts.append(
                torch.from_numpy(group)[torch.cat(drawn)[:number]] if passes else torch.empty(0).long()
            )
        order = torch.cat(parts)
        return order[torch.randperm(len(order), generator=generator)]

    def __len__(self) -> int:
        world = _rank_and_world()[1] if self.shuffle else 1
        return math.ceil(math.ceil(self.frames / world) / self.batch_size)


class StackedFrames(Dataset[Graph]):
    """Frames that share one graph. `self[[3, 1, 2]]` is a ready batch, cut in one indexing."""

    def __init__(self, frames: Frames) -> None:
        system = frames.dataset.system
        self.frames = frames
        self.particles = system.num_particles
        self.z = torch.from_numpy(system.types.copy())
        self.names = {keys.POS: keys.POSITIONS}
        for key, name in ((keys.ENERGY, keys.ENERGIES), (keys.FORCES, keys.FORCES),
                          (keys.TARGETS, keys.TARGETS)):  # fmt: skip
            if name in frames.dataset.arrays:
                self.names[key] = name
        frame = sum(frames.dataset.arrays[name][:1].nbytes for name in self.names.values())
        keep = len(frames) * frame <= MAX_STACKED_BYTES
        self.stacks = {name: self._stack(name) for name in self.names.values()} if keep else {}
        self._template = batched_all_pairs(self.particles)
        self._constant: dict[int, dict[str, torch.Tensor]] = {}

    def _stack(self, name: str) -> torch.Tensor:
        return torch.from_numpy(self.frames.array(name).astype(np.float32, copy=False))

    def _cut(self, name: str, picked: torch.Tensor) -> torch.Tensor:
        if name in self.stacks:
            return self.stacks[name][picked]
        rows = self.frames.dataset.array(name, self.frames.index[picked.numpy()])
        return torch.from_numpy(rows.astype(np.float32, copy=False))

    def _constants(self, graphs: int) -> dict[str, torch.Tensor]:
        if graphs not in self._constant:
            n, template = self.particles, self._template
            step = torch.arange(graphs)
            edges, pairs = template.edge_index.shape[1], template.pair_edge.numel()
            self._constant[graphs] = {
                keys.Z: self.z.repeat(graphs),
                keys.BATCH: step.repeat_interleave(n),
                keys.PTR: torch.arange(graphs + 1) * n,
                keys.EDGE_INDEX: (template.edge_index[:, None] + step[:, None] * n).flatten(1),
                keys.EDGE_PAIR: (template.edge_pair + step[:, None] * pairs).flatten(),
                keys.PAIR_EDGE: (template.pair_edge + step[:, None] * edges).flatten(),
            }
        return self._constant[graphs]

    def __len__(self) -> int:
        return len(self.frames)

    def __getitem__(self, index: list[int]) -> Graph:  # type: ignore[override]
        picked = torch.as_tensor(index)
        cut = {}
        for key, name in self.names.items():
            values = self._cut(name, picked)
            cut[key] = values.flatten(0, 1) if values.ndim > 1 else values
        graph = Graph(**cut, **self._constants(len(index)))
        graph.frame = torch.from_numpy(self.frames.index[picked.numpy()])
        graph.num_nodes = len(index) * self.particles
        return graph


class CollatedFrames(Dataset[Batch]):
    """Frames with a neighbour list each. `self[[3, 1, 2]]` is a ready batch; graphs are cached."""

    def __init__(self, frames: Frames, cutoff: float, prepare: Prepare | None = None) -> None:
        self.frames, self.cutoff, self.prepare = frames, cutoff, prepare
        self._cache: OrderedDict[int, Graph] = OrderedDict()
        self._edges = 0

    def _graph(self, i: int) -> Graph:
        if i not in self._cache:
            if self.cutoff == 0:  # a model that looks at no neighbours
                return self.frames[i]
            graph = self.frames.graph(i, self.cutoff)
            if self.prepare is not None:
                graph = self.prepare(i, graph)
            self._cache[i] = graph
            self._edges += graph.edge_index.shape[1]
            while self._edges > MAX_CACHED_EDGES and len(self._cache) > 1:
                _, old = self._cache.popitem(last=False)
                self._edges -= old.edge_index.shape[1]
            return graph
        self._cache.move_to_end(i)
        return self._cache[i]

    def __len__(self) -> int:
        return len(self.frames)

    def __getitem__(self, index: list[int]) -> Batch:  # type: ignore[override]
        return Batch.from_data_list([self._graph(i) for i in index])


def make_loader(
    frames: Frames,
    cutoff: float,
    batch_size: int,
    *,
    shuffle: bool = False,
    seed: int = 0,
    workers: int = 0,
    weights: list[float] | None = None,
    prepare: Prepare | None = None,
) -> DataLoader:
    """Return a loader of batches with edges up to `cutoff` (dataset's unit of length).

    The fast path is taken for molecules of up to `MAX_ALL_PAIRS` atoms in open space; there the
    edges are all pairs, and a model's cutoff function makes the far ones vanish. `weights` are the
    shares of the parts of a joined dataset in each pass, when shuffled. `prepare` is called once for
    each frame, with its number in `frames` and its graph; what it returns is kept.
    """
    system = frames.dataset.system
    fast = not system.periodic and system.num_particles <= MAX_ALL_PAIRS and prepare is None
    source = StackedFrames(frames) if fast else CollatedFrames(frames, cutoff, prepare)
    shares = None if weights is None else shares_of(frames, weights)
    order = BatchOrder(len(frames), batch_size, shuffle=shuffle, seed=seed, shares=shares)
    return DataLoader(
        source,
        sampler=order,
        batch_size=None,
        num_workers=workers,
        persistent_workers=workers > 0,
        # Of its own: each pass draws a seed, which must not shift the generator of dropout.
        generator=torch.Generator().manual_seed(seed),
    )


def shares_of(frames: Frames, weights: list[float]) -> list[tuple[np.ndarray, float]]:
    """Return for each part of a joined dataset where its frames stand in `frames`, and its weight."""
    assert isinstance(frames.dataset, JoinedDataset)
    part = frames.dataset.part_of(frames.index)
    groups = [(np.flatnonzero(part == number), weight) for number, weight in enumerate(weights)]
    return [(group, weight) for group, weight in groups if len(group)]


def _rank_and_world() -> tuple[int, int]:
    if torch.distributed.is_available() and torch.distributed.is_initialized():
        return torch.distributed.get_rank(), torch.distributed.get_world_size()
    return 0, 1
