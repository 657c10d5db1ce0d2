"""Bond lengths, angles and torsions of a molecule, with their log-determinant."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np
import torch
from torch import Tensor

from zoo.physics.coordinates.base import Coordinates
from zoo.physics.coordinates.zmatrix import ZMatrix
from zoo.physics.torsions import torsions

#: Å per nm: positions are in Å, bonds in nm, as in the literature's figures.
ANGSTROM = 10.0
#: rad. An angle between siblings this near to 180° is that of a planar group.
PLANAR = math.radians(150)


class InternalCoordinates(Coordinates):
    """q = (torsions, angles between siblings, angles, bonds): 3N − 6 of them, in nm and rad.

    The circular torsions come first: rotors, in (−period/2, period/2] with period 2π, or 2π/3 of a
    methyl, whose rotor is the mean of its three hydrogens' torsions, each less ±120°: exchanging them in turn
    shifts it by exactly one period; and the ω of peptide bonds where they are free. Everything else is
    local. The Jacobian is that of the measure dx with rigid motions split off,

        |dx/dq| = b₂² · b₃² sin θ₃ · Π_{i>3} b_i² sin θ_i       (nm, rad),

    so that log p(q) = log p(x) + log |dx/dq|. The order of like hydrogens and the chirality of each
    centre are those of `reference`: the angle between siblings stays on its half circle.

    Args:
        zmatrix: of the topology.
        reference: `[atoms, 3]` in Å, which says left from right.
        omega: "free": ω of peptide bonds are circular; "trans" or "reference": they are local, and stay
            within 90° of 180° or of where the reference has them.
    """

    unit, lost = "nm, rad", "centre and rotation"
    rows: Tensor
    center: Tensor
    lower: Tensor
    upper: Tensor

    def __init__(
        self,
        zmatrix: ZMatrix,
        reference: np.ndarray,
        omega: Literal["free", "trans", "reference"] = "free",
    ) -> None:
        circular = [
            i
            for i, kind in enumerate(zmatrix.kinds)
            if kind == "rotor" or (kind == "amide" and omega == "free")
        ]
        periods = [2 * math.pi / zmatrix.folds[i] for i in circular]
        rest = [i for i in range(len(zmatrix.rows)) if i not in circular]
        super().__init__(3 * len(zmatrix.order) - 6, periods)
        self.zmatrix, self.omega = zmatrix, omega
        self.torsion_rows = [*circular, *rest]
        n = len(zmatrix.rows)
        #: Columns of q: torsions of all rows (circular ones first), angles, bonds.
        self.num_atoms, self.num_angles, self.num_bonds = n + 3, n + 1, n + 2
        self.register_buffer("rows", torch.from_numpy(zmatrix.rows), persistent=False)
        column = np.empty(n, int)
        column[self.torsion_rows] = np.arange(n)
        self._column = column.tolist()
        first = zmatrix.first
        self._torsion = torch.from_numpy(column)
        self._has_lead = torch.tensor(first >= 0)
        self._lead_row = torch.from_numpy(np.where(first >= 0, first, 0))
        self._place_plan = self._plan()
        self._turns = self._turning(np.asarray(reference, np.float64))
        raw = self._raw_columns(torch.tensor(np.asarray(reference), dtype=torch.float64)[None])[0]
        center, lower, upper = self._domain(raw.numpy())
        for name, value in (("center", center), ("lower", lower), ("upper", upper)):
            self.register_buffer(name, torch.from_numpy(value), persistent=False)

    # --- names ---------------------------------------------------------------------------------

    @property
    def angle_columns(self) -> slice:
        """Columns of the angles."""
        n = len(self._column)
        return slice(n, n + self.num_angles)

    @property
    def bond_columns(self) -> slice:
        """Columns of the bonds."""
        return slice(self.dimension - self.num_bonds, self.dimension)

    @property
    def quadruples(self) -> np.ndarray:
        """Atoms of the circular torsions `[circular, 4]`, those of `zoo.physics.torsions`."""
        return self.zmatrix.rows[self.torsion_rows[: self.circular]]

    @property
    def symmetry(self) -> float:
        """ln 3 for each methyl; other like hydrogens accordingly."""
        return float(sum(math.log(2 * math.pi / p) for p in self.periods))

    # --- to and from ------------------------------------------------------------------------------

    def from_cartesian(self, positions: Tensor) -> tuple[Tensor, Tensor]:
        """See `Coordinates`; positions in Å. Like hydrogens are relabelled into the sector of q."""
        q = self._wrapped(self._raw_columns(self._relabelled(positions)))
        return q, self.log_volume(q)

    def to_cartesian(self, q: Tensor) -> tuple[Tensor, Tensor]:
        """See `Coordinates`; positions in Å, the second seed at the origin."""
        n = len(self._column)
        own = self._without_means(q[:, :n])[:, self._torsion.to(q.device)]
        lead = own[:, self._lead_row.to(q.device)]
        torsion = torch.where(self._has_lead.to(q.device), own + lead, own)
        angle, bond = q[:, self.angle_columns], q[:, self.bond_columns]
        zero = torch.zeros_like(q[:, 0])
        b0, b1, theta = bond[:, 0], bond[:, 1], angle[:, 0]
        seeds = torch.stack(
            [
                torch.stack([b0, zero, zero], 1),
                torch.stack([zero, zero, zero], 1),
                torch.stack([b1 * theta.cos(), b1 * theta.sin(), zero], 1),
            ],
            1,
        )
        sin, cos = angle[:, 1:].sin(), angle[:, 1:].cos()
        along, radial = -bond[:, 2:] * cos, bond[:, 2:] * sin
        side, up = radial * torsion.cos(), radial * torsion.sin()
        placed = seeds
        for (start, stop), (j, k, l) in self._place_plan:  # noqa: E741
            third, second, first = placed[:, j], placed[:, k], placed[:, l]
            axis = _unit(third - second)
            normal = _unit(torch.linalg.cross(second - first, axis))
            inward = torch.linalg.cross(normal, axis)
            new = (
                third
                + along[:, start:stop, None] * axis
                + side[:, start:stop, None] * inward
                + up[:, start:stop, None] * normal
            )
            placed = torch.cat([placed, new], 1)
        return ANGSTROM * placed[:, self._unsort], self.log_volume(q)

    def log_volume(self, q: Tensor) -> Tensor:
        """Return log |dx/dq| `[batch]`; see the class."""
        bond, angle = q[:, self.bond_columns], q[:, self.angle_columns]
        return 2 * bond.abs().log().sum(1) + angle.sin().abs().log().sum(1)

    def inside(self, q: Tensor) -> Tensor:
        """Return which rows have every local coordinate in its domain `[batch]`."""
        local = q[:, self.circular :]
        lower, upper = self.lower[self.circular :], self.upper[self.circular :]
        return ((local > lower) & (local < upper)).all(1)

    def scatter(self, positions: Tensor, generator: torch.Generator | None = None) -> Tensor:
        """Exchange the hydrogens of each methyl by a random turn."""
        for turn in self._turns:
            shape, device = (len(positions),), positions.device
            number = torch.randint(turn.fold, shape, generator=generator, device=device)
            positions = turn.exchanged(positions, number)
        return positions

    def labelled_like(self, positions: Tensor, like: Tensor) -> Tensor:
        """Exchange the hydrogens of each methyl so that its rotor is as near to that of `like` as can be.

        Args:
            positions, like: `[batch, atoms, 3]`, wherever they are and however they are turned.
        """
        return self._exchanged(positions, like) if self._turns else positions

    # --- inside -------------------------------------------------------------------------------------

    def _plan(self) -> list[tuple[tuple[int, int], tuple[Tensor, Tensor, Tensor]]]:
        order = self.zmatrix.order.tolist()
        slot = {atom: i for i, atom in enumerate(order)}
        self._unsort = torch.tensor([slot[a] for a in range(len(order))])
        plan = []
        for start, stop in self.zmatrix.levels:
            refs = [[slot[a] for a in row[1:]] for row in self.zmatrix.rows[start:stop].tolist()]
            j, k, l = (torch.tensor(column) for column in zip(*refs, strict=True))  # noqa: E741
            plan.append(((start, stop), (j, k, l)))
        return plan

    def _relabelled(self, positions: Tensor) -> Tensor:
        """Exchange like hydrogens so that each methyl's rotor is within half a period of 0."""
        return self._exchanged(positions, None) if self._turns else positions

    def _exchanged(self, positions: Tensor, like: Tensor | None) -> Tensor:
        raw = self._raw_columns(positions.detach())
        wanted = torch.zeros_like(raw) if like is None else self._raw_columns(like.detach())
        for turn in self._turns:
            period = 2 * math.pi / turn.fold
            steps = torch.round((wanted - raw)[:, turn.column] / period)
            positions = turn.exchanged(positions, torch.remainder(steps, turn.fold).long())
        return positions

    def _raw_columns(self, positions: Tensor) -> Tensor:
        """q before wrapping."""
        x = positions / ANGSTROM
        rows = self.zmatrix.rows
        first, second, third = self.zmatrix.seeds
        angle_rows = np.concatenate([[[third, second, first]], rows[:, :3]])
        bond_rows = np.concatenate([[[first, second], [third, second]], rows[:, :2]])
        torsion = torsions(x, rows)
        lead = torsion[:, self._lead_row.to(x.device)]
        relative = torch.remainder(torsion - lead + math.pi, 2 * math.pi) - math.pi
        own = torch.where(self._has_lead.to(x.device), relative, torsion)[:, self.torsion_rows]
        u = x[:, angle_rows[:, 0]] - x[:, angle_rows[:, 1]]
        v = x[:, angle_rows[:, 2]] - x[:, angle_rows[:, 1]]
        sine = torch.linalg.vector_norm(torch.linalg.cross(u, v), dim=-1)
        angle = torch.atan2(sine, (u * v).sum(-1))
        bond = torch.linalg.vector_norm(x[:, bond_rows[:, 0]] - x[:, bond_rows[:, 1]], dim=-1)
        return torch.cat([self._with_means(own), angle, bond], 1)

    def _with_means(self, own: Tensor) -> Tensor:
        return self._sheared(own, 1.0)

    def _without_means(self, own: Tensor) -> Tensor:
        return self._sheared(own, -1.0)

    def _sheared(self, own: Tensor, sign: float) -> Tensor:
        """Turn the torsion of a methyl's first hydrogen into the rotor, or back."""
        columns = list(own.unbind(1))
        for turn in self._turns:
            excess = torch.stack(
                [torch.remainder(columns[c] - a + math.pi, 2 * math.pi) - math.pi for c, a in turn.others]
            ).sum(0)
            columns[turn.column] = columns[turn.column] + sign * excess / turn.fold
        return torch.stack(columns, 1)

    def _wrapped(self, raw: Tensor) -> Tensor:
        n = len(self._column)
        period = torch.full((n,), 2 * math.pi, dtype=raw.dtype, device=raw.device)
        period[: self.circular] = torch.tensor(self.periods, dtype=raw.dtype, device=raw.device)
        center = self.center[:n].to(raw)
        turned = center + torch.remainder(raw[:, :n] - center + period / 2, period) - period / 2
        return torch.cat([turned, raw[:, n:]], 1)

    def _domain(self, raw: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Centre of each column's branch, and the limits of the local ones."""
        pi = math.pi
        center, lower, upper = raw.copy(), np.zeros_like(raw), np.full_like(raw, np.inf)
        upper[self.angle_columns] = pi
        for column, row in enumerate(self.torsion_rows):
            angle = math.remainder(float(raw[column]), 2 * pi)
            if column < self.circular:
                center[column], half = 0.0, self.periods[column] / 2
            elif (
                self.zmatrix.kinds[row] == "amide" and self.omega == "trans" and self.zmatrix.folds[row] == 1
            ):
                center[column], half = pi, pi / 2
            elif self.zmatrix.kinds[row] == "amide":
                center[column], half = (0.0 if abs(angle) < pi / 2 else pi), pi / 2
            elif self.zmatrix.kinds[row] == "stiff" or abs(angle) < pi - PLANAR:
                center[column], half = angle, pi / 2
            elif abs(angle) > PLANAR:
                center[column], half = pi, pi / 2
            else:  # tetrahedral: one half circle is left-handed, the other right-handed
                center[column], half = math.copysign(pi / 2, angle), pi / 2
            lower[column], upper[column] = center[column] - half, center[column] + half
        return center, lower, upper

    def _turning(self, reference: np.ndarray) -> list[_Turn]:
        """The rotors of like hydrogens among the circular torsions."""
        rows, folds = self.zmatrix.rows, self.zmatrix.folds
        angle = self.zmatrix.dihedrals(reference)
        out = []
        for column, row in enumerate(self.torsion_rows[: self.circular]):
            fold = int(folds[row])
            if fold < 2:
                continue
            group = [row, *np.flatnonzero(self.zmatrix.first == row).tolist()]
            step = 2 * math.pi / fold
            offsets = [round(math.remainder(angle[i] - angle[row], 2 * math.pi) / step) * step for i in group]
            # in the order of the circle, so that one turn takes each to the next
            cycle = sorted(range(fold), key=lambda i: offsets[i] % (2 * math.pi))
            others = [(self._column[i], offsets[n]) for n, i in enumerate(group) if i != row]
            out.append(_Turn(column, fold, [int(rows[group[i], 0]) for i in cycle], others))
        return out


@dataclass(frozen=True)
class _Turn:
    """Like hydrogens about one bond.

    Args:
        column: of the rotor.
        fold: their number.
        atoms: in the order of the circle.
        others: column of each but the first, and its angle to the first in the ideal group.
    """

    column: int
    fold: int
    atoms: list[int]
    others: list[tuple[int, float]]

    def exchanged(self, positions: Tensor, number: Tensor) -> Tensor:
        """Give each atom the place of the `number`-th after it; `number` `[batch]`."""
        index = torch.arange(positions.shape[1], device=positions.device).repeat(len(positions), 1)
        atoms = torch.tensor(self.atoms, device=positions.device)
        step = torch.arange(self.fold, device=positions.device)
        index[:, atoms] = atoms[(step[None] + number[:, None]) % self.fold]
        return positions.gather(1, index[..., None].expand(-1, -1, positions.shape[2]))


def _unit(v: Tensor) -> Tensor:
    return v / torch.linalg.vector_norm(v, dim=-1, keepdim=True)
