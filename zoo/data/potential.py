"""The energy function that a dataset was sampled with, built again from its manifest."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from torch import Tensor

from zoo import keys
from zoo.data.dataset import Dataset
from zoo.errors import DataError
from zoo.physics.toys import DoubleWells, LennardJonesCluster, PairPotential

#: Positions `[batch, particles, 3]` in the dataset's unit → energies `[batch]` in its unit.
Potential = Callable[[Tensor], Tensor]


def potential_of(dataset: Dataset) -> Potential:
    """Return the potential energy of a dataset's particles as a function in torch.

    Where all frames share one periodic cell, it is that one; else each call gives the cells of its
    frames, `potential(positions, cell)`.

    Raises:
        DataError: the manifest does not hold the parameters of an energy function.
    """
    parameters = dataset.system.parameters
    xml = parameters.get("openmm_system_xml")
    if xml is not None:
        from zoo.physics.energy import from_openmm

        return from_openmm(xml)
    for kind in (DoubleWells, LennardJonesCluster):
        if parameters.get("potential") == kind.formula:
            return _Flat(_toy(kind, parameters))
    for needed, build in (({"epsilon", "sigma", "cutoff"}, _mixture), ({"fene_k", "fene_r0"}, _polymer)):
        if needed <= parameters.keys():
            return build(dataset)
    raise DataError(
        f"{dataset.name} holds no energy function (an OpenMM System or the parameters of a potential known "
        "here); train from data: --set task.objective=data"
    )


def has_potential(dataset: Dataset) -> bool:
    """Whether `potential_of` would work."""
    try:
        potential_of(dataset)
    except DataError:
        return False
    return True


class _Flat:
    """A toy of D dimensions on positions of three."""

    def __init__(self, toy: PairPotential) -> None:
        self.toy = toy

    def __call__(self, positions: Tensor) -> Tensor:
        return self.toy(positions[..., : self.toy.dimensions])


def _toy(kind: type[PairPotential], parameters: dict[str, Any]) -> PairPotential:
    names = kind.__dataclass_fields__  # type: ignore[attr-defined]
    return kind(**{name: parameters[name] for name in names if name in parameters})


def _mixture(dataset: Dataset) -> Potential:
    from zoo.physics.energy import LennardJonesMixture

    system, p = dataset.system, dataset.system.parameters
    return LennardJonesMixture(
        system.types.tolist(), p["epsilon"], p["sigma"], p["cutoff"], p.get("tail"),
        system.pbc, _cell(dataset),
    )  # fmt: skip


def _polymer(dataset: Dataset) -> Potential:
    from zoo.physics.energy import KremerGrest

    system, p = dataset.system, dataset.system.parameters
    return KremerGrest(
        system.num_particles, system.bonds.tolist(), p["fene_k"], p["fene_r0"],
        p.get("stiffness", 0.0), p.get("excluded_volume", True), system.pbc, _cell(dataset),
    )  # fmt: skip


def _cell(dataset: Dataset) -> Tensor | None:
    """The cell `[3, 3]` where it is that of all frames."""
    if keys.CELLS not in dataset.arrays:
        return None
    cells = np.asarray(dataset.array(keys.CELLS), np.float64)
    return torch.from_numpy(cells[0].copy()) if len(cells) and (cells == cells[0]).all() else None
