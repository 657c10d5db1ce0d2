"""Harmonic bonds and angles."""

from __future__ import annotations

from xml.etree.ElementTree import Element

import numpy as np
import torch
from torch import nn

from zoo.physics.energy.xml import atoms, require_open, table
from zoo.units import ANGSTROM_PER_NM, EV_PER_KJ_MOL


class HarmonicBonds(nn.Module):
    """Σ ½ k (r − r₀)².

    Args:
        pairs: `[bonds, 2]`.
        length: `[bonds]` r₀ in Å.
        stiffness: `[bonds]` k in eV/Å².
    """

    pairs: torch.Tensor
    length: torch.Tensor
    stiffness: torch.Tensor

    def __init__(self, pairs: np.ndarray, length: np.ndarray, stiffness: np.ndarray) -> None:
        super().__init__()
        self.register_buffer("pairs", torch.as_tensor(pairs.T.copy()))
        self.register_buffer("length", torch.as_tensor(length)[:, None])
        self.register_buffer("stiffness", torch.as_tensor(stiffness)[:, None])

    @classmethod
    def from_xml(cls, force: Element) -> HarmonicBonds:
        """Read a HarmonicBondForce."""
        require_open(force)
        d, k = table(force, "Bonds/Bond", "d", "k").T
        pairs = atoms(force, "Bonds/Bond", "p1", "p2")
        return cls(pairs, d * ANGSTROM_PER_NM, k * EV_PER_KJ_MOL / ANGSTROM_PER_NM**2)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Positions `[3, atoms, batch]` → energies `[batch]`."""
        first, second = self.pairs
        bond = x.index_select(1, first) - x.index_select(1, second)
        stretch = (bond * bond).sum(0).sqrt() - self.length
        return (0.5 * self.stiffness * stretch * stretch).sum(0)


class HarmonicAngles(nn.Module):
    """Σ ½ k (θ − θ₀)², θ at the middle atom, from atan2: finite forces up to θ = 180°.

    Args:
        triples: `[angles, 3]`.
        angle: `[angles]` θ₀ in rad.
        stiffness: `[angles]` k in eV/rad².
    """

    triples: torch.Tensor
    angle: torch.Tensor
    stiffness: torch.Tensor

    def __init__(self, triples: np.ndarray, angle: np.ndarray, stiffness: np.ndarray) -> None:
        super().__init__()
        self.register_buffer("triples", torch.as_tensor(triples.T.copy()))
        self.register_buffer("angle", torch.as_tensor(angle)[:, None])
        self.register_buffer("stiffness", torch.as_tensor(stiffness)[:, None])

    @classmethod
    def from_xml(cls, force: Element) -> HarmonicAngles:
        """Read a HarmonicAngleForce."""
        require_open(force)
        a, k = table(force, "Angles/Angle", "a", "k").T
        return cls(atoms(force, "Angles/Angle", "p1", "p2", "p3"), a, k * EV_PER_KJ_MOL)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Positions `[3, atoms, batch]` → energies `[batch]`."""
        first, middle, last = (x.index_select(1, index) for index in self.triples)
        a, b = first - middle, last - middle
        normal = torch.linalg.cross(a, b, dim=0)
        # A straight angle has the sine 0, where the square root has no derivative.
        sine = (normal * normal).sum(0).clamp(min=torch.finfo(x.dtype).tiny).sqrt()
        bend = torch.atan2(sine, (a * b).sum(0)) - self.angle
        return (0.5 * self.stiffness * bend * bend).sum(0)
