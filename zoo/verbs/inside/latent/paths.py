"""Ways through a latent space, decoded: along its axes, and from one conformation to another."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch

from zoo import keys
from zoo.analysis.features import features
from zoo.analysis.latent.maps import principal
from zoo.analysis.structures import clashes, rmsd
from zoo.data.dataset import Dataset, Frames
from zoo.data.potential import has_potential, potential_of
from zoo.models.latents import Beads, Latent
from zoo.physics.superpose import superposed

#: Latents that are gone along one by one; of a wider one, so many of its principal components.
WIDEST, COMPONENTS = 6, 4
#: Quantiles of the data between which is gone.
ENDS = (0.02, 0.98)
#: Frames that inversion is tried on, and that a potential is averaged over.
TRIED = 200


@dataclass(frozen=True)
class Traversals:
    """Structures along axes of a latent space.

    Args:
        names: `[axes]`.
        values: `[axes, steps]` of the axis, quantiles of the data.
        shares: `[steps]` which quantiles.
        x: `[axes, steps, particles, 3]`, each axis superposed on its first structure.
    """

    names: list[str]
    values: np.ndarray
    shares: np.ndarray
    x: np.ndarray


@dataclass(frozen=True)
class Interpolation:
    """Structures between two conformations, through the latent and in a straight line.

    Args:
        frames: the two frames of the dataset.
        x: by way (`latent`, `Cartesian`), `[steps, particles, 3]`, superposed on the first frame.
        energy: by way, `[steps]` in kT above the mean of the data; empty without an energy function.
        rmsd: by way, `[steps, 2]` to both ends, in the unit of length.
        clashes: by way, `[steps]` pairs of particles that are too near.
    """

    frames: tuple[int, int]
    x: dict[str, np.ndarray]
    energy: dict[str, np.ndarray]
    rmsd: dict[str, np.ndarray]
    clashes: dict[str, np.ndarray]


@torch.no_grad()
def traversals(space: Latent, points: np.ndarray, steps: int) -> Traversals:
    """Go along each latent, or along leading principal components, from the data's typical point.

    The typical point is the datum nearest to the mean; all other latents stay as they are there.

    Args:
        space: where.
        points: `[n, d]` of the data.
        steps: structures along each axis.
    """
    shares = np.linspace(*ENDS, steps)
    width = points.shape[1]
    spread = np.maximum(points.std(0), 1e-12)
    middle = points[int((((points - points.mean(0)) / spread) ** 2).sum(1).argmin())]
    if any(space.periods) or width <= WIDEST:
        axes = np.eye(width)[:WIDEST]
        names = space.names[: len(axes)] if not isinstance(space, Beads) else []
    else:
        axes, names = principal(points, COMPONENTS).vectors.T, []
    along = points @ axes.T
    levels = np.quantile(along, shares, axis=0).T
    start = middle - (middle @ axes.T) @ axes  # without what the axes say
    x = []
    for axis, level in zip(axes, levels, strict=True):
        rest = start + (middle @ axes.T) @ axes - (middle @ axis) * axis
        way = rest + level[:, None] * axis
        x.append(_upright(_decoded(space, way)))
    names = names or [f"PC{k + 1}" for k in range(len(axes))]
    return Traversals(names, levels, shares, np.stack(x))


@torch.no_grad()
def interpolation(
    space: Latent, frames: Frames, points: np.ndarray, ends: tuple[int, int], steps: int
) -> Interpolation:
    """Go from one conformation to another in a straight line of the latent, and of the positions.

    Args:
        space: where; columns that have a period are gone along the shorter arc.
        frames: of the data; `ends` are numbers of rows of them.
        points: `[n, d]` of the frames.
        ends: from and to.
        steps: structures, both ends among them.
    """
    i, j = ends
    share = np.linspace(0, 1, steps)[:, None]
    way = points[i] + share * _difference(points[j] - points[i], space.periods)
    x = np.asarray(frames.array(keys.POSITIONS), np.float64)
    first = x[i] - x[i].mean(0)
    last = _onto(x[j][None], first)[0]
    straight = first + share[:, :, None] * (last - first)
    paths = {"latent": _onto(_decoded(space, way), first), "Cartesian": straight}
    rows = np.unique(np.linspace(0, len(x) - 1, min(TRIED, len(x))).astype(int))
    energy = _energies(frames.dataset, paths, x[rows])
    return Interpolation(
        frames=(int(frames.index[i]), int(frames.index[j])),
        x=paths,
        energy=energy,
        rmsd={
            name: np.stack([rmsd(p, np.repeat(end[None], len(p), 0)) for end in (first, last)], 1)
            for name, p in paths.items()
        },
        clashes={name: clashes(p, x[rows], frames.dataset.system) for name, p in paths.items()},
    )


def far_apart(frames: Frames) -> tuple[int, int]:
    """Return two rows of frames far apart: in torsions other than ω, else in the first number there is."""
    x = np.asarray(frames.array(keys.POSITIONS), np.float64)
    found = features(frames.dataset.system)
    turns = [f for f in found if f.period is not None and not f.name.startswith("ω")]
    if turns:
        angle = np.stack([f.values(x) for f in turns], 1)
        around = np.concatenate([np.cos(angle), np.sin(angle)], 1)
        alike = around @ around.T
        i, j = np.unravel_index(int(alike.argmin()), alike.shape)
        return int(i), int(j)
    size = found[0].values(x)
    return int(size.argmin()), int(size.argmax())


@torch.no_grad()
def inversion_residual(space: Latent, x: np.ndarray) -> float:
    """Return the root mean square of E(D(z)) − z over the standard deviation of z, of the data.

    Of a flow, of forth and back again from the base; of beads, after superposition on the reference.
    """
    rows = np.unique(np.linspace(0, len(x) - 1, min(TRIED, len(x))).astype(int))
    z = space.point(space.cast(x[rows].astype(np.float64)))
    again = space.point(space.structure(z))
    off = _difference((again - z).double().cpu().numpy(), space.periods)
    spread = float((z.double() - z.double().mean(0)).square().mean())
    return float(np.sqrt((off**2).mean() / max(spread, 1e-300)))


def points_of(space: Latent, frames: Frames) -> np.ndarray:
    """Return what can be decoded of each frame, `[frames, d]` float64."""
    x = np.asarray(frames.array(keys.POSITIONS), np.float64)
    with torch.no_grad():
        return space.point(space.cast(x)).double().cpu().numpy()


def _decoded(space: Latent, points: np.ndarray) -> np.ndarray:
    return space.structure(space.cast(points)).double().cpu().numpy()


def _difference(off: np.ndarray, periods: list[float | None]) -> np.ndarray:
    """Differences along the shorter arc of columns that have a period."""
    turn = np.array([p if p is not None else np.inf for p in periods])
    with np.errstate(invalid="ignore"):
        return off - np.where(np.isfinite(turn), turn * np.round(off / turn), 0.0)


def _onto(x: np.ndarray, reference: np.ndarray) -> np.ndarray:
    return superposed(torch.from_numpy(x), torch.from_numpy(reference)).numpy()


def _upright(x: np.ndarray) -> np.ndarray:
    """Superposed on the first structure, which lies with its long axis level."""
    x = x - x.mean(1, keepdims=True)
    axes = np.linalg.svd(x[0], full_matrices=True)[2]
    axes[2] *= np.linalg.det(axes)
    return _onto(x, x[0] @ axes.T)


def _energies(data: Dataset, paths: dict[str, np.ndarray], x: np.ndarray) -> dict[str, np.ndarray]:
    if not has_potential(data) or not data.temperature:
        return {}
    potential, kT = potential_of(data), data.units.boltzmann * data.temperature
    mean = float(potential(torch.from_numpy(x)).mean())
    return {
        name: np.asarray((potential(torch.from_numpy(path)) - mean).detach() / kT)
        for name, path in paths.items()
    }
