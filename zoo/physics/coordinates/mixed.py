"""Cartesian coordinates of a molecule's core, internal coordinates of what is attached to it."""

from __future__ import annotations

from typing import Literal

import numpy as np
import torch
from torch import Tensor

from zoo.errors import DataError
from zoo.physics.coordinates.base import Coordinates
from zoo.physics.coordinates.core import core_atoms
from zoo.physics.coordinates.eckart import EckartFrame
from zoo.physics.coordinates.internal import ANGSTROM, InternalCoordinates
from zoo.physics.coordinates.zmatrix import ZMatrix


class MixedCoordinates(Coordinates):
    """q = (circular, then local internal coordinates of outer atoms; 3n − 6 Cartesian ones of the core).

    A small turn early in a long chain moves its other end far: internal coordinates of a folded chain
    are stiffly coupled. The core is therefore Cartesian (Noé et al., Science 365, eaaw1147 (2019)), in
    its Eckart frame, in nm (`EckartFrame`); side chains and hydrogens are placed from it by bonds, angles and
    torsions (`InternalCoordinates`). With the outer atoms' bonds b and angles θ,

        |dx/dq| = |dx/dq|_core · Π_outer b_i² sin θ_i       (nm, rad).

    Args:
        zmatrix: in which an outer atom never leads a core atom; see `from_topology`.
        core: atoms, among them the parents of all of them.
        reference: `[atoms, 3]` in Å: frame of the core, left and right of what is attached.
        omega: see `InternalCoordinates`; of peptide bonds outside of the core.
    """

    unit, lost = "nm, rad", "centre and rotation"
    frozen: Tensor

    def __init__(
        self,
        zmatrix: ZMatrix,
        core: list[int],
        reference: np.ndarray,
        omega: Literal["free", "trans", "reference"] = "free",
    ) -> None:
        internal = InternalCoordinates(zmatrix, reference, omega)
        outside = ~np.isin(zmatrix.rows[:, 0], core)
        outer, self._angles, self._bonds = _columns(internal, np.flatnonzero(outside))
        periods = [internal.periods[c] for c in outer if c < internal.circular]
        super().__init__(len(outer) + 3 * len(core) - 6, periods)
        self.internal, self.core, self.outer = internal, core, outer
        self.inner = [c for c in range(internal.dimension) if c not in set(outer)]
        self._order = np.argsort([*outer, *self.inner]).tolist()
        x = torch.from_numpy(np.asarray(reference, np.float64)) / ANGSTROM
        self.frame = EckartFrame(x[core])
        self.register_buffer("frozen", x - x[core].mean(0), persistent=False)

    @classmethod
    def from_topology(
        cls,
        elements: np.ndarray,
        bonds: np.ndarray,
        reference: np.ndarray,
        omega: Literal["free", "trans", "reference"] = "free",
    ) -> MixedCoordinates:
        """Choose the core by `core_atoms`, with the atoms in between that place it.

        Raises:
            DataError: bonds that do not connect all atoms, or a core on one line.
        """
        core: set[int] = set(core_atoms(elements, bonds))
        while True:
            zmatrix = ZMatrix.from_topology(elements, bonds, leaders=core)
            parents = {int(row[1]) for row in zmatrix.rows if row[0] in core}
            larger = core | parents | set(zmatrix.seeds)
            if larger == core:
                break
            core = larger
        chosen = sorted(core)
        spread = np.linalg.svd(reference[chosen] - reference[chosen].mean(0), compute_uv=False)
        if spread[1] < 1e-2 * spread[0]:
            raise DataError("the core of the molecule is on one line: use --set model.coordinates=internal")
        return cls(zmatrix, chosen, reference, omega)

    # --- to and from ------------------------------------------------------------------------------

    def from_cartesian(self, positions: Tensor) -> tuple[Tensor, Tensor]:
        """See `Coordinates`; positions in Å."""
        whole, _ = self.internal.from_cartesian(positions)
        q = torch.cat([whole[:, self.outer], self.frame.into(positions[:, self.core] / ANGSTROM)], 1)
        return q, self.log_volume(q)

    def to_cartesian(self, q: Tensor) -> tuple[Tensor, Tensor]:
        """See `Coordinates`; positions in Å."""
        y = self._core(q)
        scene = self.frozen.to(q).expand(len(q), -1, -1).index_copy(1, self._index(q), y)
        inner = self.internal._raw_columns(ANGSTROM * scene)[:, self.inner]
        whole = torch.cat([q[:, : len(self.outer)], inner], 1)[:, self._order]
        return self.internal.to_cartesian(whole)[0], self._volume(q, y)

    def log_volume(self, q: Tensor) -> Tensor:
        """Return log |dx/dq| `[batch]`; see the class."""
        return self._volume(q, self._core(q))

    def inside(self, q: Tensor) -> Tensor:
        """Return which rows have local coordinates in their domain, and the core turned as it should be."""
        outer = self.outer[self.circular :]
        local = q[:, self.circular : len(self.outer)]
        lower, upper = self.internal.lower[outer].to(q), self.internal.upper[outer].to(q)
        return ((local > lower) & (local < upper)).all(1) & self.frame.nearest(self._core(q))

    @property
    def symmetry(self) -> float:
        """See `InternalCoordinates`; like hydrogens are outside of the core."""
        return self.internal.symmetry

    def scatter(self, positions: Tensor, generator: torch.Generator | None = None) -> Tensor:
        """Exchange the hydrogens of each methyl by a random turn."""
        return self.internal.scatter(positions, generator)

    # --- inside -----------------------------------------------------------------------------------

    def _core(self, q: Tensor) -> Tensor:
        return self.frame.out(q[:, len(self.outer) :])

    def _index(self, like: Tensor) -> Tensor:
        return torch.tensor(self.core, device=like.device)

    def _volume(self, q: Tensor, y: Tensor) -> Tensor:
        bond, angle = q[:, self._bonds], q[:, self._angles]
        outer = 2 * bond.abs().log().sum(1) + angle.sin().abs().log().sum(1)
        return self.frame.log_volume(y) + outer


def _columns(internal: InternalCoordinates, rows: np.ndarray) -> tuple[list[int], list[int], list[int]]:
    """Columns of the internal coordinates that place some rows' atoms; where in them angles and bonds are."""
    torsions = sorted(internal.torsion_rows.index(int(row)) for row in rows)
    # the seeds have one angle and two bonds of their own
    angles = [internal.angle_columns.start + 1 + int(row) for row in rows]
    bonds = [internal.bond_columns.start + 2 + int(row) for row in rows]
    n = len(rows)
    return [*torsions, *angles, *bonds], list(range(n, 2 * n)), list(range(2 * n, 3 * n))
