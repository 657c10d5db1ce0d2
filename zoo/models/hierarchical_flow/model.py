"""Torsions first, then local coordinates given them, around a Laplace approximation."""

from __future__ import annotations

import math

import torch
from pydantic import Field
from torch import Tensor, nn

from zoo.data.info import DataInfo
from zoo.errors import ConfigError
from zoo.models.density import DensityConfig, DensityModel
from zoo.models.flows.torsions import Harmonics, TorusAutoregression
from zoo.models.flows.triangular import AffineCoupling, perceptron
from zoo.physics.coordinates import InternalCoordinates
from zoo.physics.relax import laplace
from zoo.physics.target import BoltzmannTarget


class HierarchicalConfig(DensityConfig):
    """Sizes of the two levels."""

    bins: int = Field(32, ge=4, le=256, description="of each torsion's spline")
    torsion_hidden: int = Field(64, ge=1, description="width of the torsions' networks")
    couplings: int = Field(8, ge=0, description="affine couplings of the local coordinates")
    hidden: int = Field(160, ge=1, description="width of the local networks")
    layers: int = Field(2, ge=1, description="hidden layers of all networks")
    harmonics: int = Field(3, ge=1, description="highest harmonic of a torsion that local networks see")


class HierarchicalFlow(DensityModel):
    """q(torsions) · q(angles | torsions) · q(bonds | angles, torsions).

    The torsions, where the modes are, have an autoregressive density of circular splines. The local
    coordinates y are a normal density, bent: y = ȳ + √f · L U (e^{s(t)} ∘ c(z | t) + m(t)), with z
    standard normal, c affine couplings, L the Laplace factor at the relaxed minimum, U a learned unit
    triangular matrix and f the ratio of temperatures. L and U are lower triangular, angles before bonds.

    After the trial in this project's notes on Boltzmann generators (recipe C).
    """

    config: HierarchicalConfig
    mean: Tensor
    factor: Tensor
    widening: Tensor

    def __init__(self, config: HierarchicalConfig, info: DataInfo) -> None:
        super().__init__(config, info)
        coordinates = self.coordinates
        if not isinstance(coordinates, InternalCoordinates):
            raise ConfigError("hierarchical-flow needs internal coordinates, so a molecule with bonds")
        circular, local = coordinates.circular, coordinates.dimension - coordinates.circular
        self.order = _order(coordinates)
        self.torsions = TorusAutoregression(
            [coordinates.periods[i] for i in self.order], config.bins, config.torsion_hidden, config.layers
        )
        self.features = Harmonics(coordinates.periods, config.harmonics)
        size = self.features.size
        self.shape = perceptron(size, config.hidden, config.layers, 2 * local)
        generator = torch.Generator().manual_seed(0)  # the masks are part of the architecture
        self.couplings = nn.ModuleList()
        for i in range(config.couplings):
            if i % 2 == 0:
                mask = torch.rand(local, generator=generator).argsort() < local // 2
            self.couplings.append(
                AffineCoupling(mask if i % 2 == 0 else ~mask, size, config.hidden, config.layers)
            )
        self.triangle = nn.Parameter(torch.zeros(local, local))
        self.register_buffer("mean", coordinates.center[circular:].clone())
        self.register_buffer("factor", torch.eye(local, dtype=torch.float64))
        self.register_buffer("widening", torch.ones((), dtype=torch.float64))

    def prepare(self, target: BoltzmannTarget | None, positions: Tensor | None) -> None:
        """Relax the reference and take the Laplace factor there; without energies, the data's covariance."""
        start = torch.tensor(self.info.reference, dtype=torch.float64)[None]
        if target is not None:
            found = laplace(target, self.coordinates.from_cartesian(start)[0][0])
            self.mean.copy_(found.mean)
            self.factor.copy_(found.factor)
            return
        if positions is None:
            raise ConfigError("hierarchical-flow needs an energy function or data")
        local = self.coordinates.from_cartesian(positions.double())[0][:, self.coordinates.circular :]
        covariance = local.T.cov() + 1e-8 * torch.eye(local.shape[1], dtype=local.dtype)
        self.mean.copy_(local.mean(0))
        self.factor.copy_(torch.linalg.cholesky(covariance))

    def rescale(self, factor: float) -> None:
        """Local variances are proportional to the temperature."""
        self.widening.fill_(factor)

    def parameter_groups(self) -> dict[float, list[nn.Parameter]]:
        """The marginals of the torsions learn ten times as fast."""
        fast = [self.torsions.marginal]
        return {1.0: [p for p in self.parameters() if p is not self.torsions.marginal], 10.0: fast}

    def draw(self, n: int, generator: torch.Generator | None = None) -> tuple[Tensor, Tensor]:
        """See `DensityModel`."""
        t, log_t = self.draw_torsions(n, generator)
        y, log_y = self.draw_local(t, generator)
        return torch.cat([t, y], 1), log_t + log_y

    def log_density(self, q: Tensor) -> Tensor:
        """See `DensityModel`."""
        t, y = q[:, : self.coordinates.circular], q[:, self.coordinates.circular :]
        return self.log_torsions(t) + self.log_local(y, t)

    def draw_torsions(self, n: int, generator: torch.Generator | None = None) -> tuple[Tensor, Tensor]:
        """Draw torsions `[n, circular]` with log q(torsions) `[n]`."""
        ordered, log_t = self.torsions.draw(n, generator)
        return ordered[:, self._inverse_order], log_t

    def log_torsions(self, t: Tensor) -> Tensor:
        """Return log q(torsions) `[batch]`."""
        return self.torsions.log_density(t[:, self.order])

    def draw_local(self, t: Tensor, generator: torch.Generator | None = None) -> tuple[Tensor, Tensor]:
        """Draw local coordinates given torsions `[n, circular]`."""
        local = len(self.mean)
        z = torch.randn(len(t), local, generator=generator, dtype=t.dtype, device=t.device)
        log_q = -0.5 * z.square().sum(1) - 0.5 * local * math.log(2 * math.pi)
        y, ladj = self._bent(z, t)
        return y, log_q - ladj

    def to_base(self, q: Tensor) -> Tensor:
        """See `DensityModel`: angles of a uniform base, in the order of q, then standard normal columns."""
        t, y = q[:, : self.coordinates.circular], q[:, self.coordinates.circular :]
        return torch.cat(
            [self.torsions.to_base(t[:, self.order])[:, self._inverse_order], self._unbent(y, t)[0]], 1
        )

    def from_base(self, u: Tensor) -> Tensor:
        """See `DensityModel`."""
        base, z = u[:, : self.coordinates.circular], u[:, self.coordinates.circular :]
        t = self.torsions.from_base(base[:, self.order])[0][:, self._inverse_order]
        return torch.cat([t, self._bent(z, t)[0]], 1)

    @property
    def base_periods(self) -> list[float]:
        """See `DensityModel`."""
        return self.coordinates.periods

    def _bent(self, z: Tensor, t: Tensor) -> tuple[Tensor, Tensor]:
        """Local coordinates of z `[batch, local]` given torsions, and log |dy/dz| `[batch]`."""
        features = self.features(t)
        total = z.new_zeros(len(z))
        for coupling in self.couplings:
            z, ladj = coupling(z, features)
            total = total + ladj
        log_scale, shift = self.shape(features).chunk(2, 1)
        whole, log_det = self._factor(t)
        y = self.mean.to(t) + (z * log_scale.exp() + shift) @ whole.T
        return y, total + log_scale.sum(1) + log_det

    def _unbent(self, y: Tensor, t: Tensor) -> tuple[Tensor, Tensor]:
        """Inverse of `_bent`: z `[batch, local]`, and log |dz/dy| `[batch]`."""
        features = self.features(t)
        log_scale, shift = self.shape(features).chunk(2, 1)
        whole, log_det = self._factor(t)
        white = torch.linalg.solve_triangular(whole, (y - self.mean.to(t)).T, upper=False).T
        z = (white - shift) * (-log_scale).exp()
        ladj = -log_scale.sum(1) - log_det
        for coupling in reversed(self.couplings):
            assert isinstance(coupling, AffineCoupling)
            z, change = coupling.inverse(z, features)
            ladj = ladj + change
        return z, ladj

    def log_local(self, y: Tensor, t: Tensor) -> Tensor:
        """Return log q(local | torsions) `[batch]`."""
        z, ladj = self._unbent(y, t)
        return ladj - 0.5 * z.square().sum(1) - 0.5 * z.shape[1] * math.log(2 * math.pi)

    def _factor(self, like: Tensor) -> tuple[Tensor, Tensor]:
        """Return √f L U and its log-determinant."""
        unit = torch.eye(len(self.mean), dtype=like.dtype, device=like.device) + self.triangle.tril(-1)
        scaled = self.widening.sqrt() * self.factor
        return scaled.to(like) @ unit, scaled.diagonal().log().sum().to(like)

    @property
    def _inverse_order(self) -> list[int]:
        return [self.order.index(i) for i in range(len(self.order))]


def _order(coordinates: InternalCoordinates) -> list[int]:
    """Backbone and side chains first, then ω, then methyls: later ones depend on earlier ones."""
    kinds = [coordinates.zmatrix.kinds[r] for r in coordinates.torsion_rows[: coordinates.circular]]
    folds = [coordinates.zmatrix.folds[r] for r in coordinates.torsion_rows[: coordinates.circular]]
    rank = [(2 if fold > 1 else 1 if kind == "amide" else 0) for kind, fold in zip(kinds, folds, strict=True)]
    return sorted(range(coordinates.circular), key=lambda i: (rank[i], i))
