"""`cg-autoencoder` beside the published autoencoder in plain PyTorch: the same data, steps and terms of
the loss.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import cycle, islice
from typing import Any

import torch
from torch import Tensor

from zoo import keys
from zoo.bench.coarse_graining.plain import PlainAutoencoder, Recipe, batches
from zoo.bench.speed.timing import interleave
from zoo.bench.suite import Table
from zoo.data.catalog import open_dataset
from zoo.progress import progress
from zoo.verbs.create import create_model


@dataclass(frozen=True)
class Size:
    """What is measured."""

    datasets: tuple[tuple[str, int], ...] = (("otp", 6), ("ring-polymer", 24))  # with beads
    assignments: int = 8  # trained side by side
    steps: int = 200  # in each repeat
    repeats: int = 5


def autoencoder(size: Size, device: str) -> tuple[list[dict[str, Any]], Table]:
    """Measure training steps of Adam a second, with the force term, on the CPU or a GPU.

    A plain step sees a batch of 40 frames, one of ours the whole split through its second moments. Several
    assignments side by side are so many steps: each has weights, noise and a gradient of its own.
    """
    records, rows = [], []
    with progress("autoencoder throughput", 3 * len(size.datasets) * (size.repeats + 1), "repeats") as bar:
        for name, beads in size.datasets:
            data = open_dataset(name)
            train = data.split("train")
            x, forces = (torch.from_numpy(train.array(k)).to(device) for k in (keys.POSITIONS, keys.FORCES))
            several = f"zoo, {size.assignments} assignments side by side"
            ways: dict[str, tuple[Callable[[], None], int, int]] = {
                "plain PyTorch": (_plain(x, forces, beads, size.steps, device), 1, Recipe().batch),
                "zoo": (_ours(data, x, forces, beads, 1, size.steps, device), 1, len(x)),
                several: (
                    _ours(data, x, forces, beads, size.assignments, size.steps, device),
                    size.assignments, len(x),
                ),
            }  # fmt: skip
            timings = interleave({n: work for n, (work, *_) in ways.items()}, size.repeats, bar, device)
            rates = {n: t.record(size.steps * ways[n][1]) for n, t in timings.items()}
            base = rates["plain PyTorch"]["rate_median"]
            for way, rate in rates.items():
                about = {"dataset": name, "beads": beads, "frames_a_step": ways[way][2]}
                what = {"measure": "autoencoder training", "way": way, "unit": "steps/s"}
                records.append({**what, **rate, **about})
                span = f"{rate['rate_low']:.0f} to {rate['rate_high']:.0f}"
                rows.append((
                    f"{name}, {beads} beads", way, f"{rate['rate_median']:.0f}", span,
                    f"{rate['rate_median'] / base:.2f} ×", str(ways[way][2]),
                ))  # fmt: skip
    note = (
        "Adam steps of one assignment of particles to beads, with the mean-force term. Plain: batches of 40 "
        "from a DataLoader; zoo: exact loss of the whole training split from its second moments"
    )
    header = ("SYSTEM", "PIPELINE", "STEPS/S (median)", "RANGE", "RATIO", "FRAMES A STEP")
    return records, Table("Coarse-graining autoencoder", header, rows, note)


def _plain(x: Tensor, forces: Tensor, beads: int, steps: int, device: str) -> Callable[[], None]:
    torch.manual_seed(0)
    recipe = Recipe(force_weight=1e-3)
    model = PlainAutoencoder(x.shape[1], beads).to(device)
    optimizer = torch.optim.Adam(model.parameters(), lr=recipe.lr)
    endless = (batch for loader in cycle([batches(x, forces, recipe.batch)]) for batch in loader)

    def work() -> None:
        for batch in islice(endless, steps):
            optimizer.zero_grad()
            model.loss(batch[0], batch[1], recipe).backward()
            optimizer.step()

    return work


def _ours(
    data: Any, x: Tensor, forces: Tensor, beads: int, assignments: int, steps: int, device: str
) -> Callable[[], None]:
    torch.manual_seed(0)
    model: Any = create_model(
        "cg-autoencoder", dataset=data, task="reconstruction", beads=beads, restarts=assignments,
        force_weight=0.01, force_from=0.0,
    )  # fmt: skip
    model.prepare(x.cpu(), forces.cpu())
    model.to(device)
    optimizer = torch.optim.Adam(model.parameters(), lr=0.1)

    def work() -> None:
        for step in range(steps):
            optimizer.zero_grad()
            model.split_objective(0.5)[0].backward()
            optimizer.step()
            model.after_step(step + 1, 10**9)

    return work
