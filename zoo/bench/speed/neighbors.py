"""The neighbour list beside vesin's and ASE's, on glasses of growing size."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from zoo import keys
from zoo.bench.speed.timing import interleave
from zoo.bench.suite import Table
from zoo.data.catalog import open_dataset
from zoo.errors import RunFailed
from zoo.graphs import neighbor_list
from zoo.progress import Bar, progress


@dataclass(frozen=True)
class Size:
    """What is measured: one configuration, repeated `copies` times along each axis."""

    dataset: str = "kob-andersen"
    copies: tuple[int, ...] = (1, 2, 3, 4)
    cutoff: float = 2.5  # σ
    repeats: int = 3
    slow_above: int = 5_000  # particles above which ASE, some hundred times slower, is left out


def neighbors(size: Size, device: str) -> tuple[list[dict[str, Any]], Table]:
    """Time lists of all directed pairs; vesin and ASE stay on the CPU, as they are.

    Raises:
        RunFailed: two of them find different numbers of pairs.
    """
    data = open_dataset(size.dataset)
    x = np.asarray(data.array(keys.POSITIONS)[0], np.float64)
    cell = np.asarray(data.array(keys.CELLS)[0], np.float64)
    records, rows = [], []
    quiet = Bar("", 0, "")  # one size takes a moment
    with progress("neighbour lists", len(size.copies), "sizes") as bar:
        for number in size.copies:
            big, box = _repeated(x, cell, number)
            ways = _ways(big, box, size, device)
            pairs = {name: way() for name, way in ways.items()}
            if len(set(pairs.values())) != 1:
                raise RunFailed(f"the numbers of pairs differ: {pairs}")
            timings = interleave(ways, size.repeats, quiet, device)
            for name, timing in timings.items():
                rate = timing.record(len(big))
                about = {"particles": len(big), "pairs": pairs[name], "cutoff": size.cutoff}
                records.append(
                    {"measure": "neighbour list", "way": name, **about, "unit": "particles/s", **rate}
                )
                low, high = timing.spread
                span = f"{low * 1e3:.1f} to {high * 1e3:.1f}"
                rows.append(
                    (f"{len(big):,}", name, f"{timing.median * 1e3:.1f}", span, f"{rate['rate_median']:,.0f}")
                )
            bar.advance(1)
    header = ("PARTICLES", "LIST", "ms (median)", "RANGE", "PARTICLES/S")
    per = pairs[name] / len(big)
    note = (
        f"{per:.0f} neighbours each. zoo's lists are also sorted by receiver, with images as shift vectors "
        "and both directions of a pair linked; vesin's and ASE's are full lists as they come. All found "
        "the same number of pairs."
    )
    title = f"Neighbour lists of {data.name}, cutoff {size.cutoff:g} {data.units.length}"
    return records, Table(title, header, rows, note)


def _repeated(x: np.ndarray, cell: np.ndarray, copies: int) -> tuple[np.ndarray, np.ndarray]:
    steps = np.stack(np.meshgrid(*[np.arange(copies)] * 3, indexing="ij"), -1).reshape(-1, 3)
    return (x[None] + (steps @ cell)[:, None]).reshape(-1, 3), cell * copies


def _ways(x: np.ndarray, cell: np.ndarray, size: Size, device: str) -> dict[str, Callable[[], int]]:
    import ase.neighborlist
    import vesin

    pos, box = torch.from_numpy(x), torch.from_numpy(cell)
    there = pos.to(device)
    threads = torch.get_num_threads()
    full = vesin.NeighborList(cutoff=size.cutoff, full_list=True, n_threads=threads)
    ways: dict[str, Callable[[], int]] = {
        "zoo": lambda: neighbor_list(there, size.cutoff, cell=box).edge_index.shape[1],
        "zoo (cell-list)": lambda: neighbor_list(
            there, size.cutoff, cell=box, method="cell-list"
        ).edge_index.shape[1],
        "vesin": lambda: len(full.compute(points=x, box=cell, periodic=True, quantities="ijS")[0]),
    }
    if len(x) <= size.slow_above:
        ways["ASE"] = lambda: len(
            ase.neighborlist.primitive_neighbor_list("ijS", (True,) * 3, cell, x, size.cutoff)[0]
        )
    return ways
