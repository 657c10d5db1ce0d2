"""Sums over the edges of each node: the ways that `zoo.graphs` chooses from, and torch-geometric's."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torch_geometric.utils import scatter

from zoo.bench.speed.timing import interleave
from zoo.bench.suite import Table
from zoo.graphs import Segments, segment_backend, segment_sum
from zoo.graphs.segment import torch_scatter
from zoo.progress import progress


@dataclass(frozen=True)
class Size:
    """What is measured."""

    nodes: int = 3000
    edges: int = 60_000
    widths: tuple[int, ...] = (8, 64)
    steps: int = 20
    repeats: int = 5


def segments(size: Size, device: str) -> tuple[list[dict[str, Any]], Table]:
    """Time a sum and its derivative, rows sorted by segment."""
    generator = torch.Generator().manual_seed(0)
    index = torch.randint(size.nodes, (size.edges,), generator=generator).sort().values.to(device)
    some = Segments.sorted(index, size.nodes)
    records, rows = [], []
    names = ["auto", "torch"] + (["torch-scatter"] if torch_scatter() else [])
    with progress("segment sums", len(size.widths) * (len(names) + 1) * (size.repeats + 1), "repeats") as bar:
        for width in size.widths:
            src = torch.randn(size.edges, width, generator=generator).to(device).requires_grad_()
            ways = {f"zoo, {name}": _times(size.steps, src, _ours(some, name)) for name in names}
            ways["torch-geometric scatter"] = _times(
                size.steps, src, lambda x: scatter(x, index, 0, size.nodes, reduce="sum")
            )
            for name, timing in interleave(ways, size.repeats, bar, device).items():
                each = [t / size.steps * 1e3 for t in (timing.median, *timing.spread)]
                rate = timing.record(size.steps * size.edges)
                about = {"edges": size.edges, "nodes": size.nodes, "width": width, "unit": "edges/s"}
                records.append({"measure": "segment sum", "way": name, **about, **rate})
                rows.append((str(width), name, f"{each[0]:.2f}", f"{each[1]:.2f} to {each[2]:.2f}"))
    note = "Forward and backward." + ("" if torch_scatter() else " torch-scatter is not installed.")
    title = f"Sums of {size.edges:,} edges into {size.nodes:,} nodes"
    return records, Table(title, ("COLUMNS", "WAY", "ms (median)", "RANGE"), rows, note)


def _ours(some: Segments, backend: str) -> Callable[[Tensor], Tensor]:
    def work(src: Tensor) -> Tensor:
        with segment_backend(backend):
            return segment_sum(src, some)

    return work


def _times(number: int, src: Tensor, work: Callable[[Tensor], Tensor]) -> Callable[[], None]:
    def repeat() -> None:
        for _ in range(number):
            torch.autograd.grad(work(src).sum(), src)

    return repeat
