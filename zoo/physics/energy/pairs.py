"""Pair energies: Coulomb and Lennard-Jones, with exceptions."""

from __future__ import annotations

from xml.etree.ElementTree import Element

import numpy as np
import torch
from torch import nn

from zoo.physics.energy.xml import atoms, expression, refuse, require_empty, require_open, table
from zoo.units import ANGSTROM_PER_NM, EV_PER_KJ_MOL

#: 1/4πε₀ of OpenMM's NonbondedForce in kJ/mol nm/e² (openmmapi/include/openmm/internal, ONE_4PI_EPS0).
COULOMB = 138.93545764438198


class PairTable:
    """Coefficients of q/r + c12/r¹² − c6/r⁶ for every pair of atoms, gathered force by force.

    Matrices `[atoms, atoms]` of which the upper triangle counts, in kJ/mol and nm.
    """

    def __init__(self, particles: int) -> None:
        self.coulomb, self.c12, self.c6 = np.zeros((3, particles, particles))

    def add(self, force: Element) -> None:
        """Add a NonbondedForce, or one of the two custom forces that CHARMM's force field is made of.

        Raises:
            DataError: it has a cutoff, other expressions, or parameters that can change.
        """
        require_open(force)
        {
            "NonbondedForce": self._nonbonded,
            "CustomNonbondedForce": self._tabulated,
            "CustomBondForce": self._bonded,
        }[force.attrib["type"]](force)

    def _nonbonded(self, force: Element) -> None:
        require_empty(
            force, "GlobalParameters/Parameter", "ParticleOffsets/Offset", "ExceptionOffsets/Offset"
        )
        charge, sigma, epsilon = table(force, "Particles/Particle", "q", "sig", "eps").T
        pairs = _ordered(atoms(force, "Exceptions/Exception", "p1", "p2"))
        own = table(force, "Exceptions/Exception", "q", "sig", "eps")
        product = charge[:, None] * charge
        power = (0.5 * (sigma[:, None] + sigma)) ** 6
        depth = 4 * np.sqrt(epsilon[:, None] * epsilon)
        product[pairs] = own[:, 0]
        power[pairs] = own[:, 1] ** 6
        depth[pairs] = 4 * own[:, 2]
        self.coulomb += COULOMB * product
        self.c12 += depth * power**2
        self.c6 += depth * power

    def _tabulated(self, force: Element) -> None:
        require_empty(
            force, "GlobalParameters/Parameter", "ComputedValues/Value", "InteractionGroups/InteractionGroup"
        )
        known = "acoef(type1,type2)/r^12-bcoef(type1,type2)/r^6"
        functions = {f.attrib["name"]: f for f in force.findall("Functions/Function")}
        if expression(force.attrib["energy"]) != known or functions.keys() != {"acoef", "bcoef"}:
            raise refuse(force, f"its expression {force.attrib['energy']!r} is not a table of Lennard-Jones")
        kind = atoms(force, "Particles/Particle", "param1")[:, 0]
        pairs = _ordered(atoms(force, "Exclusions/Exclusion", "p1", "p2"))
        for name, total in (("acoef", self.c12), ("bcoef", self.c6)):
            size = int(functions[name].attrib["xsize"])
            values = table(functions[name], "Values/Value", "v")[:, 0]
            added = values.reshape(size, size).T[kind[:, None], kind]  # the first index runs fastest
            added[pairs] = 0
            total += added

    def _bonded(self, force: Element) -> None:
        require_empty(force, "GlobalParameters/Parameter")
        names = [p.attrib["name"] for p in force.findall("PerBondParameters/Parameter")]
        known = "4*epsilon*((sigma/r)^12-(sigma/r)^6)"
        if expression(force.attrib["energy"]) != known or names != ["sigma", "epsilon"]:
            raise refuse(force, f"its expression {force.attrib['energy']!r} is not Lennard-Jones")
        sigma, epsilon = table(force, "Bonds/Bond", "param1", "param2").T
        pairs = _ordered(atoms(force, "Bonds/Bond", "p1", "p2"))
        np.add.at(self.c12, pairs, 4 * epsilon * sigma**12)
        np.add.at(self.c6, pairs, 4 * epsilon * sigma**6)


class PairEnergies(nn.Module):
    """Σ q/r + c12/r¹² − c6/r⁶ over all pairs i < j.

    Args:
        coulomb, c12, c6: `[pairs]` in eV Å, eV Å¹², eV Å⁶, in the order of `torch.triu_indices`.
    """

    coulomb: torch.Tensor
    c12: torch.Tensor
    c6: torch.Tensor

    def __init__(self, coulomb: np.ndarray, c12: np.ndarray, c6: np.ndarray) -> None:
        super().__init__()
        self.register_buffer("coulomb", torch.as_tensor(coulomb)[:, None])
        self.register_buffer("c12", torch.as_tensor(c12)[:, None])
        self.register_buffer("c6", torch.as_tensor(c6)[:, None])

    @classmethod
    def from_table(cls, table: PairTable) -> PairEnergies:
        """Return the sum of all forces that were added to a table."""
        upper = np.triu_indices(len(table.coulomb), 1)
        return cls(
            table.coulomb[upper] * EV_PER_KJ_MOL * ANGSTROM_PER_NM,
            table.c12[upper] * EV_PER_KJ_MOL * ANGSTROM_PER_NM**12,
            table.c6[upper] * EV_PER_KJ_MOL * ANGSTROM_PER_NM**6,
        )

    def forward(self, r: torch.Tensor) -> torch.Tensor:
        """Distances `[pairs, batch]` → energies `[batch]`."""
        inverse = 1 / r
        square = inverse * inverse
        sixth = square * square * square
        return (self.coulomb * inverse + (self.c12 * sixth - self.c6) * sixth).sum(0)


def _ordered(pairs: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return pairs `[n, 2]` as an index into the upper triangle."""
    return pairs.min(1, initial=np.iinfo(int).max), pairs.max(1, initial=-1)
