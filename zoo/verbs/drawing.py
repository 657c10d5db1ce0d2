"""Draws of a density on the way to a file: positions on disk, a few numbers of each in memory."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from zoo import keys
from zoo.analysis.peptides import named_torsions
from zoo.data.dataset import Dataset
from zoo.data.potential import Potential
from zoo.data.store import DatasetWriter, Manifest, dataset_writer
from zoo.models.density import DensityModel
from zoo.progress import progress
from zoo.tasks.density.predictions import scored

#: Rows that are held at once, and pairs of particles in them: energies of pairs are what fills memory.
ROWS, PAIRS = 2048, 500_000


@dataclass(frozen=True)
class Draws:
    """Draws of a density.

    Args:
        dataset: their positions.
        log_prob, energy, log_volume: `[n]`, see `zoo.tasks.density.predictions`; without an energy
            function the latter two are 0.
        torsions: `[n, named]` rad.
    """

    dataset: Dataset
    log_prob: np.ndarray
    energy: np.ndarray
    log_volume: np.ndarray
    torsions: np.ndarray


def draw(
    model: DensityModel, like: Dataset, potential: Potential | None, n: int, generator: torch.Generator,
    folder: Path,
) -> Draws:  # fmt: skip
    """Draw n configurations, chunk by chunk.

    Args:
        model: on the generator's device.
        like: dataset of the same particles.
        potential: of them, or None.
        n: positive.
        generator: decides everything random.
        folder: of the dataset to make.
    """
    quadruples = np.array(list(named_torsions(like.system).values()), int).reshape(-1, 4)
    parts: dict[str, list[np.ndarray]] = {}
    with frame_writer(folder, like) as writer, progress("drawing", n, "draws") as bar:
        for rows in chunks(n, like.system.num_particles):
            x, log_prob = model.sample(len(rows), generator)
            writer.append({keys.POSITIONS: x.cpu().numpy().astype(np.float32)})
            for name, array in scored(model, x, log_prob, potential, quadruples).items():
                parts.setdefault(name, []).append(array)
            bar.advance(len(rows))
    return Draws(Dataset(folder), **{name: np.concatenate(arrays) for name, arrays in parts.items()})


def copied(draws: Dataset, index: np.ndarray, folder: Path) -> Dataset:
    """Write the draws `index` `[frames]` behind each other."""
    with frame_writer(folder, draws) as writer:
        for rows in chunks(len(index), draws.system.num_particles):
            writer.append({keys.POSITIONS: draws.array(keys.POSITIONS, index[rows.start : rows.stop])})
    return Dataset(folder)


@contextmanager
def frame_writer(folder: Path, like: Dataset) -> Iterator[DatasetWriter]:
    """Give a writer of positions of the particles of `like`; the dataset is finished at the end."""
    manifest = Manifest(
        name=like.name, version="draws", units=like.manifest.units, temperature=like.temperature,
        system=like.system.to_json(), splits={},
    )  # fmt: skip
    with dataset_writer(folder, {keys.POSITIONS: like.units.length}) as writer:
        yield writer
        writer.finish(manifest)


def chunks(n: int, particles: int) -> Iterator[range]:
    """Cut n rows so that what is computed of each part fits into memory."""
    size = max(1, min(ROWS, PAIRS // max(1, particles * (particles - 1) // 2)))
    for start in range(0, n, size):
        yield range(start, min(start + size, n))


def resampled(weights: np.ndarray, generator: torch.Generator) -> np.ndarray:
    """Return numbers of draws `[n]`, each as often as its weight `[n]` says, rounded up or down at random.

    Systematic resampling (Kitagawa, J. Comput. Graph. Stat. 5, 1 (1996)): of all unbiased ways one of
    least noise. Copies stand together, in the order of the draws.

    Args:
        weights: not negative, not all 0.
        generator: of the one random number.
    """
    n = len(weights)
    edges = np.cumsum(weights, dtype=np.float64)
    first = torch.rand((), generator=generator, dtype=torch.float64, device=generator.device).item()
    return np.searchsorted(edges / edges[-1], (np.arange(n) + first) / n, side="right")


def write_table(path: Path, columns: Mapping[str, np.ndarray]) -> None:
    """Write columns `[frames]` as CSV with their names, numbered by a first column `frame`."""
    with path.open("w", encoding="utf-8") as file:
        file.write(",".join(["frame", *columns]) + "\n")
        n = len(next(iter(columns.values())))
        for start in range(0, n, 100_000):
            part = [column[start : start + 100_000].tolist() for column in columns.values()]
            for frame, row in enumerate(zip(*part, strict=True), start):
                file.write(",".join([str(frame), *(f"{value:.10g}" for value in row)]) + "\n")
