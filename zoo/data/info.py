"""What a model needs to know of its training data, small enough to be kept beside its weights."""

from __future__ import annotations

from typing import Literal

import numpy as np
from pydantic import BaseModel, ConfigDict

from zoo import keys
from zoo.data.dataset import Dataset, Frames
from zoo.errors import DataError


class DataInfo(BaseModel):
    """Facts of a training split that a model is built from; written into its card.

    Units are those of `units` ("ase" or "lj").

    Args:
        interface: "potential" (`forward(graph) -> energy [graphs]`) or "node"
            (`forward(graph) -> [nodes, targets]`).
        types: values of `z` that occur, ascending.
        bonds: `[bonds][2]` of the one molecule, empty for particle systems.
        num_particles: of one frame of the training data.
        energy_per_particle: mean potential energy of a frame over its number of particles.
        force_rms: root mean square of the force components.
        target_names: of the per-particle targets.
        target_mean, target_std: `[types][targets]`, per type, in the order of `types`.
    """

    model_config = ConfigDict(extra="forbid")
    interface: Literal["potential", "node"]
    units: Literal["ase", "lj"]
    types: list[int]
    bonds: list[tuple[int, int]] = []
    num_particles: int
    energy_per_particle: float = 0.0
    force_rms: float = 1.0
    target_names: list[str] = []
    target_mean: list[list[float]] = []
    target_std: list[list[float]] = []


def require_array(dataset: Dataset, interface: Literal["potential", "node"]) -> None:
    """Raise `DataError` unless the dataset has what the interface learns from."""
    name = keys.FORCES if interface == "potential" else keys.TARGETS
    if name not in dataset.arrays:
        has = ", ".join(sorted(dataset.arrays))
        raise DataError(f"{dataset.name} has no {name}, which this task learns from; it has {has}")


def data_info(frames: Frames, interface: Literal["potential", "node"]) -> DataInfo:
    """Gather `DataInfo` from a training split.

    Raises:
        DataError: the dataset lacks what the interface needs: energies and forces, or targets.
    """
    dataset = frames.dataset
    system = dataset.system
    types = sorted(set(system.types.tolist()))
    info = DataInfo(
        interface=interface,
        units=dataset.manifest.units,
        types=types,
        bonds=[(int(i), int(j)) for i, j in system.bonds],
        num_particles=system.num_particles,
    )
    require_array(dataset, interface)
    if interface == "potential":
        forces = frames.array(keys.FORCES).astype(np.float64)
        info.force_rms = float(np.sqrt(np.mean(forces**2))) or 1.0
        if keys.ENERGIES in dataset.arrays:
            info.energy_per_particle = float(np.mean(frames.array(keys.ENERGIES)) / system.num_particles)
        return info
    targets = frames.array(keys.TARGETS).astype(np.float64)
    info.target_names = dataset.target_names
    for kind in types:
        values = targets[:, system.types == kind].reshape(-1, targets.shape[-1])
        info.target_mean.append(values.mean(0).tolist())
        info.target_std.append(np.maximum(values.std(0), 1e-12).tolist())
    return info
