"""Physical observables that latents are held against."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from zoo import keys
from zoo.analysis.features import features
from zoo.analysis.gyration import asphericity
from zoo.data.dataset import Frames
from zoo.data.system import System
from zoo.errors import DataError, UnknownName

#: Observables that are looked at unless some are named: of torsions, those that move most.
MOST = 10


@dataclass(frozen=True)
class Observable:
    """A number of each sample.

    Args:
        values: `[n]`.
        unit: "1" of plain numbers.
        period: of an angle.
    """

    values: np.ndarray
    unit: str
    period: float | None = None


def of_frames(frames: Frames, names: list[str]) -> dict[str, Observable]:
    """Return torsions, sizes, shape and energy of frames, as far as there are any.

    Args:
        frames: of a system in open space, or of energies alone.
        names: which; all if empty.

    Raises:
        UnknownName: a name that is none of the system's.
        DataError: there is nothing to hold a latent against.
    """
    system, length = frames.dataset.system, frames.dataset.units.length
    found: dict[str, Observable] = {}
    if not system.periodic:
        x = np.asarray(frames.array(keys.POSITIONS), np.float64)
        for feature in features(system):
            values = feature.values(x)
            if values.ndim == 1:
                found[feature.name] = Observable(values, feature.unit or length, feature.period)
        found["asphericity"] = Observable(asphericity(x), f"{length}²")
    if keys.ENERGIES in frames.dataset.arrays:
        energies = np.asarray(frames.array(keys.ENERGIES), np.float64)
        found["energy"] = Observable(energies, frames.dataset.units.energy)
    return _chosen(found, names, system)


def of_structures(x: np.ndarray, system: System, names: Iterable[str]) -> dict[str, np.ndarray]:
    """Return those observables `[n]` of positions `[n, particles, 3]` that positions alone tell."""
    known = {feature.name: feature.values for feature in features(system)}
    known["asphericity"] = asphericity
    return {name: known[name](x) for name in names if name in known}


def of_particles(frames: Frames, rows: np.ndarray, names: list[str]) -> dict[str, Observable]:
    """Return the targets of particles, and how far each jumps, `rows [n, 2]` of (frame, particle)."""
    dataset, found = frames.dataset, {}
    at, particle = rows.T
    if keys.TARGETS in dataset.arrays:
        targets = frames.array(keys.TARGETS)
        unit = dataset.manifest.arrays[keys.TARGETS].unit
        for k, name in enumerate(dataset.target_names):
            found[name] = Observable(np.asarray(targets[at, particle, k], np.float64), unit)
    if keys.P_HOP in dataset.arrays:
        unit = dataset.manifest.arrays[keys.P_HOP].unit
        found["p_hop"] = Observable(np.asarray(frames.array(keys.P_HOP)[at, particle], np.float64), unit)
    return _chosen(found, names, dataset.system)


def _chosen(found: dict[str, Observable], names: list[str], system: System) -> dict[str, Observable]:
    for name in names:
        if name not in found:
            raise UnknownName("observable", name, found)
    moving = {name: o for name, o in found.items() if np.ptp(o.values) > 0}
    if not moving:
        raise DataError(f"{system.num_particles} particles without torsions, size or energy: no observables")
    if names:
        return {name: found[name] for name in names}
    angles = [name for name, o in moving.items() if o.period is not None]
    room = max(2, MOST - (len(moving) - len(angles)))
    kept = sorted(angles, key=lambda name: abs(np.exp(1j * moving[name].values).mean()))[:room]
    plain = [name for name in moving if name not in angles]
    plain = sorted(plain, key=lambda name: "–" in name)[:MOST]  # single bonds tell least
    return {name: o for name, o in moving.items() if name in kept or name in plain}
