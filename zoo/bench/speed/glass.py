"""An epoch of `bapst` on large configurations beside the same network in plain torch-geometric layers."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, cast

import numpy as np
import torch
from torch import Tensor, nn

from zoo import keys
from zoo.bench.speed.plain_bapst import PlainBapst, plain_loader
from zoo.bench.speed.timing import interleave
from zoo.bench.suite import Table
from zoo.data.catalog import open_dataset
from zoo.data.dataset import Dataset, Frames
from zoo.data.graph import Graph
from zoo.data.loader import make_loader
from zoo.graphs import neighbor_list
from zoo.models.bapst.model import Bapst
from zoo.progress import progress
from zoo.verbs.create import create_model

OURS, PLAIN = "zoo", "torch-geometric"
#: Particles move by this much (σ, each axis) so that replicas differ.
JITTER = 0.03


@dataclass(frozen=True)
class Size:
    """What is measured."""

    dataset: str = "kob-andersen"
    replicas: tuple[int, int, int] = (2, 2, 1)  # of the packaged 1,000 particles
    frames: int = 8
    width: int = 64
    rounds: int = 7
    repeats: int = 3


class Replicated(Frames):
    """First frames of a dataset, each repeated along its cell's vectors and moved a little.

    Args:
        dataset: of a periodic system.
        frames: how many.
        replicas: along each vector.
    """

    def __init__(self, dataset: Dataset, frames: int, replicas: tuple[int, int, int]) -> None:
        super().__init__(dataset, np.arange(frames), "all")
        self.replicas = replicas

    def graph(self, i: int, cutoff: float) -> Graph:
        """Return the frame with its edges."""
        small = self[i]
        steps = torch.cartesian_prod(*(torch.arange(n) for n in self.replicas)).double()
        cell = small[keys.CELL][0].double()
        pos = (small[keys.POS].double()[None] + (steps @ cell)[:, None]).flatten(0, 1)
        pos += JITTER * torch.randn(pos.shape, generator=torch.Generator().manual_seed(i)).double()
        cell = cell * torch.tensor(self.replicas)[:, None]
        edges = neighbor_list(pos, cutoff, cell=cell, pbc=self.dataset.system.pbc)
        assert edges.edge_shift is not None
        return Graph(
            pos=pos.float(), z=small[keys.Z].repeat(len(steps)), cell=cell[None].float(),
            targets=small[keys.TARGETS].repeat(len(steps), 1), frame=torch.tensor([i]),
            edge_index=edges.edge_index, edge_pair=edges.edge_pair, pair_edge=edges.pair_edge,
            edge_shift=edges.edge_shift.float(),
        )  # fmt: skip


def glass(size: Size, device: str) -> tuple[list[dict[str, Any]], Table]:
    """Measure an epoch, one configuration a step, with the same weights, loss and optimiser."""
    data = open_dataset(size.dataset)
    frames = Replicated(data, size.frames, size.replicas)
    torch.manual_seed(0)
    ours = cast(
        Bapst,
        create_model(
            "bapst", dataset=data, task="propensity", hidden_channels=size.width, rounds=size.rounds, fade=0.0
        ),
    )  # the published network: messages do not fade
    plain = PlainBapst(ours)
    graph, other = (
        next(iter(make_loader(frames, ours.cutoff, 1))),
        next(iter(plain_loader(ours, Replicated(data, 1, size.replicas), shuffle=False))),
    )
    nodes, edges = graph[keys.POS].shape[0], graph[keys.EDGE_INDEX].shape[1]
    with torch.no_grad():
        apart = float(((ours(graph) - plain(other)) / ours.std.min()).abs().max())
    models: dict[str, nn.Module] = {OURS: ours.to(device), PLAIN: plain.to(device)}
    loaders = {
        OURS: make_loader(frames, ours.cutoff, 1, shuffle=True),
        PLAIN: plain_loader(ours, frames, shuffle=True),
    }
    truths: dict[str, Callable[[Any], Tensor]] = {OURS: lambda b: b[keys.TARGETS], PLAIN: lambda b: b.y}
    ways = {n: _epoch(models[n], loaders[n], truths[n], device) for n in models}
    batches = {OURS: graph.to(device), PLAIN: other.to(device)}
    memory = {n: kept_bytes(models[n], batches[n]) / edges for n in models}
    with progress("bapst, epochs", 2 * (size.repeats + 1), "epochs") as bar:
        timings = interleave(ways, size.repeats, bar, device)
    records, rows = [], []
    for name, timing in timings.items():
        rate = timing.record(size.frames)
        about = {"particles": nodes, "edges": edges, "bytes_per_edge": memory[name]}
        records.append({
            "measure": "bapst epoch", "way": name, "unit": "configurations/s", **rate, **about,
            "size": size.__dict__, "largest_difference_in_std": apart,
        })  # fmt: skip
        low, high = timing.spread
        ratio = timings[PLAIN].median / timing.median
        span = f"{low:.2f} to {high:.2f}"
        rows.append((name, f"{timing.median:.2f}", span, f"{ratio:.2f} ×", f"{memory[name]:,.0f}"))
    title = (
        f"Glass: an epoch of bapst on {size.frames} configurations of {nodes:,} particles, {edges:,} edges"
    )
    note = (
        f"Same weights: targets differ by at most {apart:.1e} standard deviations. One configuration "
        "a step, each with its own loader; graphs are made before. "
        "Bytes: what the forward pass keeps for the backward one"
    )
    header = ("PIPELINE", "S/EPOCH (median)", "RANGE", "RATIO", "BYTES/EDGE")
    return records, Table(title, header, rows, note)


def _epoch(model: nn.Module, loader: Any, truth: Callable[[Any], Tensor], device: str) -> Callable[[], None]:
    # The learning rate is small: weights, and so the cost of a step, stay the same all along.
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-6)
    weights = list(model.parameters())

    def work() -> None:
        for batch in loader:
            batch = batch.to(device)
            loss = (model(batch) - truth(batch)).square().mean()
            optimizer.zero_grad(set_to_none=True)
            loss.backward(inputs=weights)
            optimizer.step()

    return work


def kept_bytes(model: nn.Module, batch: Any) -> int:
    """Return the bytes that a forward pass keeps for the backward pass, weights and input left out.

    Tensors that share memory are counted once.
    """
    known = {p.untyped_storage().data_ptr() for p in [*model.parameters(), *model.buffers()]}
    known |= {v.untyped_storage().data_ptr() for _, v in batch if isinstance(v, Tensor)}
    with _saved() as sizes:
        held = model(batch)  # while it lives, so do the tensors: no address is used twice
        total = sum(size for address, size in sizes.items() if address not in known)
        del held
    return total


@contextmanager
def _saved() -> Iterator[dict[int, int]]:
    sizes: dict[int, int] = {}

    def pack(tensor: Tensor) -> Tensor:
        storage = tensor.untyped_storage()
        sizes[storage.data_ptr()] = storage.nbytes()
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(pack, lambda tensor: tensor):
        yield sizes
