"""Internal coordinates as networks take and give them: unit vectors, deviations, and weights in Å²."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor, nn

from zoo.data.info import DataInfo
from zoo.errors import ConfigError
from zoo.physics.coordinates import InternalCoordinates, ZMatrix
from zoo.physics.superpose import superposed

#: Bonds, angles and angles between siblings stay within this many standard deviations of their mean, so that
#: no centre is inverted that never is in the data.
REACH = 4.0
#: Least standard deviation, nm or rad: of what does not vary.
NARROWEST = 1e-4
#: Numbers of each atom: bond, angle, and two of its torsion.
PER_ATOM = 4
#: Frames by which coordinates are weighed, and the step by which each of them is moved there: nm or rad.
WEIGHED, STEP = 16, 1e-3


class Coordinates(NamedTuple):
    """Internal coordinates of conformations."""

    unit: Tensor  # [batch, torsions, 2]: (cos kτ, sin kτ)
    local: Tensor  # [batch, local]: standardised


class InternalFeatures(nn.Module):
    """Torsions as (cos kτ, sin kτ), all other internal coordinates standardised.

    A torsion of its own (`ZMatrix.kinds` other than "local") is a unit vector, with k = 3 for a methyl, whose
    hydrogens are alike, and k = 1 elsewhere; bonds, angles and angles between siblings are (q − mean) / std
    over the training split. A mirror image has other siblings' angles and other sines.

    Args:
        info: of interface "autoencoder".

    Raises:
        ConfigError: no bonds, or no positions in space.
        DataError: bonds that do not connect all particles, or fewer than four of them.
    """

    circular: Tensor  # [torsions], columns of q
    local: Tensor  # [local], columns of q
    folds: Tensor  # [torsions]
    mean: Tensor  # [local], nm or rad
    width: Tensor  # [local]
    weights: Tensor  # [torsions + local], squares of length for 1 of each
    slots: Tensor  # [particles, PER_ATOM]

    def __init__(self, info: DataInfo) -> None:
        super().__init__()
        if not info.bonds or len(info.reference[0]) != 3:
            raise ConfigError(
                "gat-autoencoder works on bonds, angles and torsions: it needs a molecule with bonds in space"
            )
        zmatrix = ZMatrix.from_topology(np.array(info.particle_types), np.array(info.bonds))
        self.coordinates = InternalCoordinates(zmatrix, np.array(info.reference))
        rows = self.coordinates.torsion_rows
        own = [c for c, row in enumerate(rows) if zmatrix.kinds[row] != "local"]
        local = [c for c in range(self.coordinates.dimension) if c not in set(own)]
        folds = [float(max(1, zmatrix.folds[rows[c]])) for c in own]
        self.register_buffer("circular", torch.tensor(own), persistent=False)
        self.register_buffer("local", torch.tensor(local), persistent=False)
        self.register_buffer("folds", torch.tensor(folds), persistent=False)
        self.register_buffer("mean", torch.zeros(len(local), dtype=torch.float64))
        self.register_buffer("width", torch.ones(len(local), dtype=torch.float64))
        self.register_buffer("weights", torch.ones(len(own) + len(local), dtype=torch.float64))
        self.register_buffer("slots", self._slots(), persistent=False)

    @property
    def num_torsions(self) -> int:
        """Unit vectors."""
        return len(self.circular)

    @property
    def num_local(self) -> int:
        """Standardised coordinates."""
        return len(self.local)

    def prepare(self, x: Tensor) -> None:
        """Take means, standard deviations and weights from x `[frames, particles, 3]` float64."""
        local = self.coordinates.from_cartesian(x)[0][:, self.local]
        self.mean.copy_(local.mean(0))
        self.width.copy_(local.std(0, correction=0).clamp_min(NARROWEST))
        rows = torch.linspace(0, len(x) - 1, min(WEIGHED, len(x))).round().long()
        square = torch.stack([self._displaced(frame) for frame in x[rows]]).mean(0)
        torsions = square[self.circular] / self.folds.square()
        self.weights.copy_(torch.cat([torsions, square[self.local] * self.width.square()]))

    def _displaced(self, x: Tensor) -> Tensor:
        """Mean square displacement over the square of the step that makes it, `[d]` for the columns of q.

        x `[particles, 3]`; what is moved is laid onto it: the diagonal of the metric of shapes.
        """
        q = self.coordinates.from_cartesian(x[None])[0]
        still = self.coordinates.to_cartesian(q)[0]
        moved = self.coordinates.to_cartesian(q + STEP * torch.eye(q.shape[1], dtype=q.dtype))[0]
        return (superposed(moved, still) - still).square().sum(2).mean(1) / STEP**2

    def forward(self, x: Tensor) -> Coordinates:
        """Return the coordinates of positions `[batch, particles, 3]`."""
        q = self.coordinates.from_cartesian(x)[0]
        angle = q[:, self.circular] * self.folds.to(q)
        unit = torch.stack([angle.cos(), angle.sin()], -1)
        return Coordinates(unit, (q[:, self.local] - self.mean.to(q)) / self.width.to(q))

    def square_distance(self, a: Coordinates, b: Coordinates) -> Tensor:
        """Return about the square of the RMSD between conformations `[batch]`, unit of length squared.

        Each coordinate has the weight that moving it alone has; of torsions, 2 (1 − cos kΔτ)/k² takes the
        place of Δτ². Coordinates that make up for each other, as in a crankshaft, count both.
        """
        turns, rest = self.weights.to(a.local).split([self.num_torsions, self.num_local])
        chord = (a.unit - b.unit).square().sum(-1)
        return (turns * chord).sum(1) + (rest * (a.local - b.local).square()).sum(1)

    def positions(self, coordinates: Coordinates) -> Tensor:
        """Inverse of `forward`: `[batch, particles, 3]` about the centre, the seeds in the xy plane."""
        unit, local = coordinates
        angle = torch.atan2(unit[..., 1], unit[..., 0]) / self.folds.to(unit)
        q = local.new_empty(len(local), self.coordinates.dimension)
        q = q.index_copy(1, self.circular, angle)
        q = q.index_copy(1, self.local, self.mean.to(local) + self.width.to(local) * local)
        x = self.coordinates.to_cartesian(q)[0]
        return x - x.mean(1, keepdim=True)

    def bounded(self, raw: Tensor) -> Tensor:
        """Bring raw `[batch, local]` within `REACH` of the mean; bonds above 0, angles between 0 and π."""
        reach = self.reach().to(raw)
        return reach * torch.tanh(raw / reach)

    def reach(self) -> Tensor:
        """Largest absolute value of each standardised coordinate that is decoded, `[local]`."""
        columns = self.coordinates.angle_columns
        siblings, angles = self.local < columns.start, self.local < columns.stop
        room = torch.where(angles, torch.minimum(self.mean, math.pi - self.mean), self.mean)
        room = torch.where(siblings, torch.inf, 0.99 * room)
        return (room / self.width).clamp(max=REACH)

    # --- the molecule as a graph ------------------------------------------------------------------

    def by_atom(self, coordinates: Coordinates) -> Tensor:
        """Lay coordinates out by the atoms that they place, `[batch, particles, PER_ATOM]`; 0 where none."""
        unit, local = coordinates
        flat = torch.cat([unit.flatten(1), local, local.new_zeros(len(local), 1)], 1)
        return flat[:, self.slots]

    def _slots(self) -> Tensor:
        """Column of each atom's features in unit vectors, z and a zero, side by side."""
        c, order = self.coordinates, self.coordinates.zmatrix.order
        zero = 2 * self.num_torsions + self.num_local
        place = {q: 2 * self.num_torsions + i for i, q in enumerate(self.local.tolist())}
        unit = {q: 2 * i for i, q in enumerate(self.circular.tolist())}
        slots = torch.full((len(order), PER_ATOM), zero)
        slots[order[1], 0], slots[order[2], 0] = place[c.bond_columns.start], place[c.bond_columns.start + 1]
        slots[order[2], 1] = place[c.angle_columns.start]
        for row, atom in enumerate(order[3:]):
            slots[atom, 0] = place[c.bond_columns.start + 2 + row]
            slots[atom, 1] = place[c.angle_columns.start + 1 + row]
            torsion = c.torsion_rows.index(row)
            slots[atom, 2] = unit.get(torsion, place.get(torsion, zero))
            slots[atom, 3] = unit[torsion] + 1 if torsion in unit else zero
        return slots

    def edges(self, bonds: list[tuple[int, int]]) -> tuple[Tensor, Tensor]:
        """Edges of the molecular graph, sorted by receiver: `[2, edges]`, and their kind `[edges]`.

        Kinds: 0 a bond, 1 the grandparent that an atom's angle is to, 2 the third atom of its torsion.
        """
        pairs = {(i, j): 0 for i, j in bonds}
        for a, _, k, m in self.coordinates.zmatrix.rows.tolist():
            for kind, other in ((1, k), (2, m)):
                if (a, other) not in pairs and (other, a) not in pairs:
                    pairs[a, other] = kind
        both = sorted((r, s, kind) for (i, j), kind in pairs.items() for r, s in ((i, j), (j, i)))
        table = torch.tensor(both)
        return table[:, [1, 0]].T.contiguous(), table[:, 2]
