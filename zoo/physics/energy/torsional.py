"""Functions of torsion angles: periodic, Ryckaert-Bellemans, harmonic impropers."""

from __future__ import annotations

import math
from xml.etree.ElementTree import Element

import numpy as np
import torch
from torch import nn

from zoo.physics.energy.xml import atoms, expression, refuse, require_empty, require_open, table
from zoo.units import EV_PER_KJ_MOL

_QUADRUPLE = ("p1", "p2", "p3", "p4")


def torsion_angles(x: torch.Tensor, quadruples: torch.Tensor) -> torch.Tensor:
    """Return the IUPAC torsions `[torsions, batch]` of positions `[3, atoms, batch]`, in rad.

    `quadruples` is `[4, torsions]`. The formula is that of `zoo.physics.torsions.torsions`, for the
    layout of this package.
    """
    p0, p1, p2, p3 = (x.index_select(1, index) for index in quadruples)
    f, g, h = p0 - p1, p1 - p2, p3 - p2
    a, b = torch.linalg.cross(f, g, dim=0), torch.linalg.cross(h, g, dim=0)
    length = (g * g).sum(0).sqrt()
    return torch.atan2(-(f * b).sum(0) * length, (a * b).sum(0))


class PeriodicTorsions(nn.Module):
    """Σ k (1 + cos(n φ − φ₀)).

    Args:
        quadruples: `[torsions, 4]`.
        periodicity: `[torsions]` n.
        phase: `[torsions]` φ₀ in rad.
        stiffness: `[torsions]` k in eV.
    """

    quadruples: torch.Tensor
    which: torch.Tensor
    periodicity: torch.Tensor
    phase: torch.Tensor
    stiffness: torch.Tensor

    def __init__(
        self, quadruples: np.ndarray, periodicity: np.ndarray, phase: np.ndarray, stiffness: np.ndarray
    ) -> None:
        super().__init__()
        # Several terms of one quadruple share its angle.
        unique, which = np.unique(quadruples, axis=0, return_inverse=True)
        self.register_buffer("quadruples", torch.as_tensor(unique.T.copy()))
        self.register_buffer("which", torch.as_tensor(which.reshape(-1)))
        self.register_buffer("periodicity", torch.as_tensor(periodicity)[:, None])
        self.register_buffer("phase", torch.as_tensor(phase)[:, None])
        self.register_buffer("stiffness", torch.as_tensor(stiffness)[:, None])

    @classmethod
    def from_xml(cls, force: Element) -> PeriodicTorsions:
        """Read a PeriodicTorsionForce."""
        require_open(force)
        n, phase, k = table(force, "Torsions/Torsion", "periodicity", "phase", "k").T
        used = k != 0
        quadruples = atoms(force, "Torsions/Torsion", *_QUADRUPLE)
        return cls(quadruples[used], n[used], phase[used], k[used] * EV_PER_KJ_MOL)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Positions `[3, atoms, batch]` → energies `[batch]`."""
        phi = torsion_angles(x, self.quadruples).index_select(0, self.which)
        return (self.stiffness * (1 + torch.cos(self.periodicity * phi - self.phase))).sum(0)


class RyckaertBellemans(nn.Module):
    """Σ Σₙ cₙ cosⁿ(φ − π), n = 0…5.

    Args:
        quadruples: `[torsions, 4]`.
        coefficients: `[torsions, 6]` in eV.
    """

    quadruples: torch.Tensor
    coefficients: torch.Tensor

    def __init__(self, quadruples: np.ndarray, coefficients: np.ndarray) -> None:
        super().__init__()
        self.register_buffer("quadruples", torch.as_tensor(quadruples.T.copy()))
        self.register_buffer("coefficients", torch.as_tensor(coefficients.T.copy())[:, :, None])

    @classmethod
    def from_xml(cls, force: Element) -> RyckaertBellemans:
        """Read an RBTorsionForce."""
        require_open(force)
        c = table(force, "Torsions/Torsion", *(f"c{n}" for n in range(6)))
        return cls(atoms(force, "Torsions/Torsion", *_QUADRUPLE), c * EV_PER_KJ_MOL)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Positions `[3, atoms, batch]` → energies `[batch]`."""
        cosine = -torch.cos(torsion_angles(x, self.quadruples))
        value = self.coefficients[5]
        for coefficient in self.coefficients[:5].flip(0):
            value = value * cosine + coefficient
        return value.expand_as(cosine).sum(0)


class HarmonicTorsions(nn.Module):
    """Σ k (φ − φ₀)², CHARMM's improper torsions.

    Args:
        quadruples: `[torsions, 4]`.
        angle: `[torsions]` φ₀ in rad.
        stiffness: `[torsions]` k in eV/rad².
        periodic: the difference is the shorter way round; else as it is, with a step at φ = ±π.
    """

    quadruples: torch.Tensor
    angle: torch.Tensor
    stiffness: torch.Tensor

    def __init__(
        self, quadruples: np.ndarray, angle: np.ndarray, stiffness: np.ndarray, *, periodic: bool
    ) -> None:
        super().__init__()
        self.periodic = periodic
        self.register_buffer("quadruples", torch.as_tensor(quadruples.T.copy()))
        self.register_buffer("angle", torch.as_tensor(angle)[:, None])
        self.register_buffer("stiffness", torch.as_tensor(stiffness)[:, None])

    @classmethod
    def from_xml(cls, force: Element) -> HarmonicTorsions:
        """Read a CustomTorsionForce. Raises `DataError` unless it is one of OpenMM's impropers."""
        require_open(force)
        require_empty(force, "GlobalParameters/Parameter")
        given = expression(force.attrib["energy"])
        periodic = given.startswith("k*min(dtheta,2*pi-dtheta)^2;dtheta=abs(theta-theta0);pi=3.14159265")
        if not periodic and given != "k*(theta-theta0)^2":
            raise refuse(force, f"its expression {force.attrib['energy']!r} is not a harmonic improper's")
        if [p.attrib["name"] for p in force.findall("PerTorsionParameters/Parameter")] != ["k", "theta0"]:
            raise refuse(force, "its parameters are not k and theta0")
        k, theta0 = table(force, "Torsions/Torsion", "param1", "param2").T
        quadruples = atoms(force, "Torsions/Torsion", *_QUADRUPLE)
        return cls(quadruples, theta0, k * EV_PER_KJ_MOL, periodic=periodic)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Positions `[3, atoms, batch]` → energies `[batch]`."""
        turn = torsion_angles(x, self.quadruples) - self.angle
        if self.periodic:
            turn = turn.abs()
            turn = torch.minimum(turn, 2 * math.pi - turn)
        return (self.stiffness * turn * turn).sum(0)
