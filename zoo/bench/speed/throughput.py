"""SchNet: our pipeline beside torch-geometric's, with the same weights, data and steps."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from itertools import cycle, islice
from typing import Any

import torch
from torch import Tensor, nn

from zoo import keys
from zoo.bench.speed.stock import stock_loader, stock_model
from zoo.bench.speed.timing import interleave
from zoo.bench.suite import Table
from zoo.data.catalog import open_dataset
from zoo.data.dataset import Frames
from zoo.data.loader import make_loader
from zoo.physics.forces import energy_and_forces
from zoo.progress import progress
from zoo.verbs.create import create_model

OURS, STOCK = "zoo", "torch-geometric"


@dataclass(frozen=True)
class Size:
    """What is measured."""

    dataset: str = "alanine-dipeptide"
    width: int = 64
    depth: int = 3
    gaussians: int = 50
    cutoff: float = 10.0  # Å
    batch: int = 128
    steps: int = 4  # in each repeat
    repeats: int = 5


Step = Callable[[Any], Tensor]  # of a batch: a training step, or energies and forces


def throughput(size: Size, device: str) -> tuple[list[dict[str, Any]], Table]:
    """Measure training steps and inference (energies and forces) of both pipelines.

    Each does its own loading, moves its batch to the device, and makes the same Adam step on the
    same loss ⟨(U − Û)²⟩ + ⟨|F − F̂|²⟩, forces by autograd.
    """
    data = open_dataset(size.dataset)
    frames = data.split("train")
    torch.manual_seed(0)
    stock, edges = stock_model(size.width, size.depth, size.gaussians, size.cutoff, data.system.num_particles)
    ours: Any = create_model(
        "schnet", dataset=data, task="forces", hidden_channels=size.width, num_filters=size.width,
        num_interactions=size.depth, num_gaussians=size.gaussians, cutoff=size.cutoff,
    )  # fmt: skip
    ours.load_pyg(stock.state_dict())
    stock, ours = stock.to(device), ours.to(device)
    agreement = _difference(ours, stock, frames, size, device)
    loaders: dict[str, tuple[Iterable[Any], Iterable[Any]]] = {
        OURS: (
            make_loader(frames, ours.cutoff, size.batch, shuffle=True),
            make_loader(frames, ours.cutoff, size.batch),
        ),
        STOCK: (
            stock_loader(frames, size.batch, shuffle=True),
            stock_loader(frames, size.batch, shuffle=False),
        ),
    }
    steps: dict[str, tuple[Step, Step]] = {
        OURS: (
            _training(ours, _ours_forces, device, list(ours.parameters())),
            lambda b: _ours_forces(ours, b.to(device), False)[1],
        ),
        STOCK: (
            _training(stock, _stock_forces, device),
            lambda b: _stock_forces(stock, b.to(device), False)[1],
        ),
    }
    records, rows = [], []
    with progress("SchNet throughput", 4 * (size.repeats + 1), "repeats") as bar:
        for kind, what in enumerate(("training", "inference")):
            ways = {n: _repeat(loaders[n][kind], steps[n][kind], size.steps) for n in (OURS, STOCK)}
            timings = interleave(ways, size.repeats, bar, device)
            frames_done = size.steps * size.batch
            rates = {name: t.record(frames_done) for name, t in timings.items()}
            ratio = rates[OURS]["rate_median"] / rates[STOCK]["rate_median"]
            for name, rate in rates.items():
                records.append({"measure": f"schnet {what}", "way": name, "unit": "frames/s", **rate})
                span = f"{rate['rate_low']:.0f} to {rate['rate_high']:.0f}"
                beside = f"{ratio:.2f} ×" if name == OURS else "1 ×"
                rows.append((what, name, f"{rate['rate_median']:.0f}", span, beside))
    shared = {"size": size.__dict__, "edges_of_stock": edges, "max_relative_energy_difference": agreement}
    title = f"SchNet on {data.name}: {size.width} channels, {size.depth} blocks, {size.gaussians} Gaussians, "
    title += f"{size.cutoff:g} Å, batch {size.batch}"
    note = (
        f"Same weights: energies differ by at most {agreement:.1e} (relative). "
        f"Each with its own loader and backward pass; edges of torch-geometric: {edges}."
    )
    header = ("", "PIPELINE", "FRAMES/S (median)", "RANGE", "RATIO")
    return [{**r, **shared} for r in records], Table(title, header, rows, note)


def _ours_forces(model: nn.Module, batch: Any, train: bool) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    energy, forces = energy_and_forces(model, batch, create_graph=train)
    return energy, forces, batch[keys.ENERGY], batch[keys.FORCES]


def _stock_forces(model: nn.Module, batch: Any, train: bool) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    pos = batch.pos.detach().requires_grad_()
    energy = model(batch.z, pos, batch.batch).squeeze(-1)
    (gradient,) = torch.autograd.grad(energy.sum(), pos, create_graph=train)
    return energy, -gradient, batch.y, batch.force


def _training(
    model: nn.Module, forces: Callable[..., Any], device: str, inputs: list[nn.Parameter] | None = None
) -> Step:
    """A training step; `inputs` as in `Tensor.backward`: `zoo.tasks` asks for those of weights alone."""
    # The learning rate is small: weights, and so the cost of a step, stay the same all along.
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-6)

    def step(batch: Any) -> Tensor:
        energy, force, true_energy, true_force = forces(model, batch.to(device), True)
        loss = (energy - true_energy).square().mean() + (force - true_force).square().mean()
        optimizer.zero_grad(set_to_none=True)
        loss.backward(inputs=inputs)
        optimizer.step()
        return loss

    return step


def _repeat(loader: Iterable[Any], step: Step, number: int) -> Callable[[], None]:
    """Return a function that takes the next `number` full batches and does a step on each."""
    batches = _endless(loader)

    def work() -> None:
        for batch in islice(batches, number):
            step(batch)

    return work


def _endless(loader: Iterable[Any]) -> Any:
    """Batches for ever, without the last of each pass, which may be smaller."""
    for _ in cycle([None]):
        last = None
        for batch in loader:
            if last is not None:
                yield last
            last = batch


def _difference(ours: nn.Module, stock: nn.Module, frames: Frames, size: Size, device: str) -> float:
    """Largest |U − U'| / |U'| over some batches, with the same weights."""
    worst = 0.0
    pairs = zip(
        make_loader(frames, size.cutoff, size.batch),
        stock_loader(frames, size.batch, shuffle=False),
        strict=True,
    )
    with torch.no_grad():
        for a, b in islice(pairs, size.steps):
            mine = ours(a.to(device)).double()
            b = b.to(device)
            theirs = stock(b.z, b.pos, b.batch).squeeze(-1).double()
            worst = max(worst, float(((mine - theirs) / theirs).abs().max()))
    return worst
