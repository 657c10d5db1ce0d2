"""Torsion angles, and placing an atom from its bond length, angle and torsion."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, TypeVar

import numpy as np

Array = TypeVar("Array")  # numpy.ndarray or torch.Tensor


def torsions(positions: Array, quadruples: np.ndarray | list[tuple[int, ...]]) -> Array:
    """Return torsion angles in radians, in (−π, π].

    The sign is IUPAC's (Pure Appl. Chem. 40, 291 (1974)): looking along the middle bond from the
    second atom to the third, positive when the fourth is turned clockwise from the first; 0 is cis.
    The formula with atan2 (Blondel, Karplus, J. Comput. Chem. 17, 1132 (1996)) is exact near 0 and π,
    and differentiable there when `positions` is a torch tensor.

    Args:
        positions: `[..., atoms, 3]`, any unit, numpy array or torch tensor.
        quadruples: `[torsions, 4]` indices of atoms.

    Returns:
        `[..., torsions]`, of the same kind as `positions`.
    """
    xp = _namespace(positions)
    index = np.asarray(quadruples).reshape(-1, 4)
    p0, p1, p2, p3 = (positions[..., column, :] for column in index.T)  # type: ignore[index]
    f, g, h = p0 - p1, p1 - p2, p3 - p2
    a, b = xp.cross(f, g), xp.cross(h, g)
    length = xp.sqrt((g * g).sum(-1))
    return xp.arctan2((xp.cross(b, a) * g).sum(-1) / length, (a * b).sum(-1))


def place(
    first: np.ndarray, second: np.ndarray, third: np.ndarray, bond: float, angle: float, torsion: float
) -> np.ndarray:
    """Return the position `[..., 3]` of an atom bonded to `third`, from internal coordinates.

    Args:
        first, second, third: `[..., 3]` positions of the atoms that the torsion runs over.
        bond: distance to `third`, in the unit of the positions.
        angle: at `third`, between `second` and the new atom, in radians.
        torsion: first–second–third–new, in radians, sign as in `torsions`.
    """
    axis = third - second
    axis = axis / np.linalg.norm(axis, axis=-1, keepdims=True)
    normal = np.cross(second - first, axis)
    normal = normal / np.linalg.norm(normal, axis=-1, keepdims=True)
    side = np.cross(normal, axis)
    radial = np.cos(torsion) * side + np.sin(torsion) * normal
    return third + bond * (np.sin(angle) * radial - np.cos(angle) * axis)


def _namespace(array: object) -> Any:
    if isinstance(array, np.ndarray):
        return np
    import torch

    return SimpleNamespace(cross=torch.linalg.cross, sqrt=torch.sqrt, arctan2=torch.atan2)
