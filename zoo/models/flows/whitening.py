"""From coordinates to what flows work on: angles in (−π, π], and local columns in units of their widths."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from zoo.data.info import DataInfo
from zoo.errors import ConfigError
from zoo.physics.coordinates import CenteredCartesian, Coordinates, InternalCoordinates, MixedCoordinates
from zoo.physics.relax import laplace
from zoo.physics.target import BoltzmannTarget

#: Widths before `prepare`, as the literature scales them (FAB, TA-BG): nm of bonds, rad of all angles; and
#: nm of atoms of a Cartesian core.
BOND, ANGLE, CORE = 0.007, 0.18, 0.03
#: Share of its mean variance that is added to each of few frames' variances.
RIDGE = 1e-6


class Whitening(nn.Module):
    """u = (2π/period · circular columns, L⁻¹(local columns − mean)/√f).

    The mean and the triangular factor L of the local columns are those of the Laplace approximation, or of
    the data; f is the ratio of temperatures.

    Args:
        coordinates: of q.
        info: facts of the training data; its reference is the mean until `prepare`.
    """

    mean: Tensor
    factor: Tensor
    widening: Tensor
    speed: Tensor

    def __init__(self, coordinates: Coordinates, info: DataInfo) -> None:
        super().__init__()
        self.info = info
        self.circular, self.local = coordinates.circular, coordinates.dimension - coordinates.circular
        periods = torch.tensor(coordinates.periods, dtype=torch.float64)
        self.register_buffer("speed", 2 * math.pi / periods, persistent=False)
        mean, factor = self._guess(coordinates)
        self.register_buffer("mean", mean)
        self.register_buffer("factor", factor)
        self.register_buffer("widening", torch.ones((), dtype=torch.float64))

    # --- there and back ---------------------------------------------------------------------------

    def forward(self, u: Tensor) -> tuple[Tensor, Tensor]:
        """White u `[batch, d]` → q `[batch, d]` and log |dq/du| `[batch]`."""
        scale = self._scale(u)
        local = self.mean.to(u) + u[:, self.circular :] @ scale.T
        return torch.cat([u[:, : self.circular] / self.speed.to(u), local], 1), self._volume(u, scale)

    def inverse(self, q: Tensor) -> tuple[Tensor, Tensor]:
        """Coordinates q `[batch, d]` → u `[batch, d]` and log |du/dq| `[batch]`."""
        scale = self._scale(q)
        away = q[:, self.circular :] - self.mean.to(q)
        local = torch.linalg.solve_triangular(scale, away.T, upper=False).T
        return torch.cat([q[:, : self.circular] * self.speed.to(q), local], 1), -self._volume(q, scale)

    def _scale(self, like: Tensor) -> Tensor:
        return (self.widening.sqrt() * self.factor).to(like)

    def _volume(self, like: Tensor, scale: Tensor) -> Tensor:
        return (scale.diagonal().log().sum() - self.speed.to(like).log().sum()).expand(len(like))

    # --- where mean and widths are from -----------------------------------------------------------

    def prepare(
        self, coordinates: Coordinates, target: BoltzmannTarget | None, positions: Tensor | None
    ) -> None:
        """Set mean and widths.

        Of internal coordinates: the Laplace approximation about the relaxed reference, torsions fixed;
        without energies, the data. Of mixed coordinates: the data, whose soft directions no single minimum
        knows; without data, the Laplace approximation. Particles about their centre, which tumble: mean
        zero and the covariance averaged over rotations, and over exchanges where no bonds tell them apart;
        without data, the size of the reference.

        Raises:
            ConfigError: there are neither energies nor data, and the coordinates are not Cartesian.
        """
        if isinstance(coordinates, CenteredCartesian):
            x = self._reference() if positions is None else positions.double()
            self._tumbling(coordinates, x, alike=positions is None or not self.info.bonds)
        elif target is not None and (positions is None or isinstance(coordinates, InternalCoordinates)):
            found = laplace(target, coordinates.from_cartesian(self._reference())[0][0])
            self._set(found.mean, found.factor)
        elif positions is not None:
            local = coordinates.from_cartesian(positions.double())[0][:, self.circular :]
            self._set(local.mean(0), _factor(local.T.cov()))
        else:
            raise ConfigError("this model needs an energy function or data to find its widths")

    def rescale(self, factor: float) -> None:
        """Local variances are proportional to the temperature, which is `factor` times that of `prepare`."""
        self.widening.fill_(factor)

    def _set(self, mean: Tensor, factor: Tensor) -> None:
        self.mean.copy_(mean)
        self.factor.copy_(factor)

    def _reference(self) -> Tensor:
        return torch.tensor(self.info.reference, dtype=torch.float64)[None]

    def _guess(self, coordinates: Coordinates) -> tuple[Tensor, Tensor]:
        """The reference, with the literature's widths; or particles about their centre."""
        q = coordinates.from_cartesian(self._reference())[0][0]
        if isinstance(coordinates, CenteredCartesian):
            return torch.zeros_like(q), q.square().mean().sqrt() * torch.eye(len(q), dtype=q.dtype)
        width = torch.full_like(q, CORE)
        if isinstance(coordinates, MixedCoordinates):
            width[: len(coordinates.outer)] = _widths(coordinates.internal)[coordinates.outer]
        elif isinstance(coordinates, InternalCoordinates):
            width = _widths(coordinates)
        return q[self.circular :], torch.diag(width[self.circular :])

    def _tumbling(self, coordinates: CenteredCartesian, positions: Tensor, *, alike: bool) -> None:
        q = coordinates.from_cartesian(positions)[0].view(len(positions), -1, coordinates.space)
        covariance = torch.einsum("bid,bjd->ij", q, q) / (len(q) * coordinates.space)
        if alike:
            covariance = covariance.diagonal().mean() * torch.eye(len(covariance), dtype=q.dtype)
        space = torch.eye(coordinates.space, dtype=q.dtype)
        self._set(torch.zeros_like(self.mean), torch.kron(_factor(covariance).contiguous(), space))


def _widths(coordinates: InternalCoordinates) -> Tensor:
    width = torch.full((coordinates.dimension,), ANGLE, dtype=torch.float64)
    width[coordinates.bond_columns] = BOND
    return width


def _factor(covariance: Tensor) -> Tensor:
    """Lower triangular L of L Lᵀ, with a little added for directions that few frames do not have."""
    ridge = RIDGE * covariance.diagonal()
    return torch.linalg.cholesky(covariance + torch.diag(ridge))
