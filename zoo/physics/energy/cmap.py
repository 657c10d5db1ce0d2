"""Correction maps of two torsions (CMAP): periodic bicubic splines."""

from __future__ import annotations

import math
from xml.etree.ElementTree import Element

import numpy as np
import torch
from scipy.interpolate import CubicSpline
from torch import nn

from zoo.physics.energy.torsional import torsion_angles
from zoo.physics.energy.xml import atoms, require_open, table
from zoo.units import EV_PER_KJ_MOL

#: Values and slopes at both ends of [0, 1] → coefficients of 1, t, t², t³.
_HERMITE = np.array([[1, 0, 0, 0], [0, 0, 1, 0], [-3, 3, -2, -1], [2, -2, 1, 1]], float)


class CorrectionMaps(nn.Module):
    """Σ E(φ, ψ), E interpolated from a table (Mackerell, Feig, Brooks, J. Comput. Chem. 25, 1400 (2004)).

    Args:
        tables: for each map `[n, n]` energies in eV at φ, ψ = 0, 2π/n, …; first axis φ.
        first, second: `[torsions, 4]` atoms of φ and of ψ.
        which: `[torsions]` number of the map.
    """

    quadruples: torch.Tensor
    size: torch.Tensor
    offset: torch.Tensor
    patches: torch.Tensor

    def __init__(
        self, tables: list[np.ndarray], first: np.ndarray, second: np.ndarray, which: np.ndarray
    ) -> None:
        super().__init__()
        sizes = np.array([len(t) for t in tables])
        offsets = np.concatenate([[0], np.cumsum(sizes**2)[:-1]])
        patches = np.concatenate([patch_coefficients(t).reshape(-1, 16) for t in tables])
        self.register_buffer("quadruples", torch.as_tensor(np.concatenate([first, second]).T.copy()))
        self.register_buffer("size", torch.as_tensor(sizes[which])[:, None])
        self.register_buffer("offset", torch.as_tensor(offsets[which])[:, None])
        self.register_buffer("patches", torch.as_tensor(patches))

    @classmethod
    def from_xml(cls, force: Element) -> CorrectionMaps:
        """Read a CMAPTorsionForce."""
        require_open(force)
        tables = []
        for entry in force.findall("Maps/Map"):
            size = int(entry.attrib["size"])
            # OpenMM's first index, that of φ, runs fastest.
            tables.append(table(entry, "Energy", "e").reshape(size, size).T * EV_PER_KJ_MOL)
        first = atoms(force, "Torsions/Torsion", "a1", "a2", "a3", "a4")
        second = atoms(force, "Torsions/Torsion", "b1", "b2", "b3", "b4")
        return cls(tables, first, second, atoms(force, "Torsions/Torsion", "map")[:, 0])

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Positions `[3, atoms, batch]` → energies `[batch]`."""
        angles = torsion_angles(x, self.quadruples).reshape(2, len(self.size), -1)
        place = torch.remainder(angles / (2 * math.pi), 1.0) * self.size
        cell = place.detach().floor().long()
        t, u = place - cell
        row, column = cell % self.size  # rounding may give the end of the map, which is its beginning
        c = self.patches[self.offset + self.size * row + column]
        powers = torch.stack([torch.ones_like(u), u, u * u, u * u * u], -1)
        a = (c.reshape(*c.shape[:-1], 4, 4) * powers[..., None, :]).sum(-1)
        return (a[..., 0] + t * (a[..., 1] + t * (a[..., 2] + t * a[..., 3]))).sum(0)


def patch_coefficients(values: np.ndarray) -> np.ndarray:
    """Return `[n, n, 4, 4]` coefficients of tⁱ uʲ in each cell of a periodic table `[n, n]`.

    Slopes and the mixed derivative at the knots are those of periodic cubic splines, as in OpenMM.
    """
    along = _slopes(values, 0)
    across = _slopes(values, 1)
    both = _slopes(along, 1)

    def ends(a: np.ndarray, axis: int) -> np.ndarray:
        return np.stack([a, np.roll(a, -1, axis)], -1)

    def corners(a: np.ndarray) -> np.ndarray:  # [n, n, 2 along, 2 across]
        return np.stack([ends(a, 1), ends(np.roll(a, -1, 0), 1)], -2)

    blocks = np.concatenate(
        [
            np.concatenate([corners(values), corners(across)], -1),
            np.concatenate([corners(along), corners(both)], -1),
        ],
        -2,
    )
    return _HERMITE @ blocks @ _HERMITE.T


def _slopes(values: np.ndarray, axis: int) -> np.ndarray:
    """Derivative by the cell's coordinate at the knots of periodic cubic splines along an axis."""
    n = values.shape[axis]
    closed = np.concatenate([values, np.take(values, [0], axis)], axis)
    return CubicSpline(np.arange(n + 1), closed, axis=axis, bc_type="periodic")(np.arange(n), 1)
