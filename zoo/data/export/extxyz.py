"""Extended xyz, as ASE writes it: positions, cell, energy and forces, velocities."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from zoo import keys
from zoo.data.dataset import Dataset, Frames
from zoo.data.export.chunks import chunks

#: Arrays of one number a frame, written into the comment line.
_PER_FRAME = (keys.TIME, keys.RUN)


def write(frames: Frames, path: Path) -> list[str]:
    """Write one file; see `zoo.data.export.export`.

    In reduced units the numbers stay as they are, elements are "X" and a column `type` tells the
    species: the comment line says `units=lj`.
    """
    from ase.io.extxyz import write_extxyz

    with path.open("w", encoding="utf-8") as file:
        for index in chunks(frames, path.name):
            write_extxyz(file, [_atoms(frames.dataset, int(i)) for i in index], write_results=True)
    return [path.name]


def _atoms(dataset: Dataset, frame: int) -> Any:
    from ase import Atoms
    from ase.calculators.singlepoint import SinglePointCalculator
    from ase.units import fs

    system, molecule = dataset.system, dataset.units.name == "ase"
    atoms = Atoms(
        numbers=system.elements if molecule else np.zeros(system.num_particles, int),
        positions=dataset.array(keys.POSITIONS)[frame],
        masses=system.masses,
        pbc=system.pbc,
        cell=dataset.array(keys.CELLS)[frame] if system.periodic else None,
    )
    if (atoms.numbers == 0).any():
        atoms.new_array("type", system.types)
    if not molecule:
        atoms.info["units"] = "lj"
    for name in _PER_FRAME:
        if name in dataset.arrays:
            atoms.info[name] = dataset.array(name)[frame].item()
    if molecule and keys.TIME in dataset.arrays:
        atoms.info["time_unit"] = dataset.units.time  # extended xyz has none of its own
    if keys.VELOCITIES in dataset.arrays:
        scale = 1 / (1000 * fs) if molecule else 1.0  # ASE's unit of time is 10.18 fs
        atoms.set_velocities(dataset.array(keys.VELOCITIES)[frame] * scale)
    results: dict[str, Any] = {}
    if keys.ENERGIES in dataset.arrays:
        results["energy"] = float(dataset.array(keys.ENERGIES)[frame])
    if keys.FORCES in dataset.arrays:
        results["forces"] = np.asarray(dataset.array(keys.FORCES)[frame], np.float64)
    if results:
        atoms.calc = SinglePointCalculator(atoms, **results)
    return atoms
