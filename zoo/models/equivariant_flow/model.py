"""Continuous normalizing flow with an equivariant field, trained by flow matching."""

from __future__ import annotations

import torch
from torch import Tensor

from zoo.data.info import DataInfo
from zoo.models.density import DensityModel
from zoo.models.equivariant_flow.attention import AttentionField
from zoo.models.equivariant_flow.config import EquivariantFlowConfig
from zoo.models.equivariant_flow.egnn import PairField
from zoo.models.equivariant_flow.field import Field, FieldSpec, hop_classes
from zoo.models.equivariant_flow.prior import RotationInvariantGaussian
from zoo.models.flows.ode import Slope, State, dormand_prince, runge_kutta
from zoo.models.flows.transport import equivariant_transport, transport
from zoo.physics.coordinates import CenteredCartesian
from zoo.physics.target import BoltzmannTarget

#: Frames of which lengths are measured.
MEASURED = 1000


class EquivariantFlow(DensityModel):
    """Noise moves along dx/dt = v(x, t) for one unit of time; ln q changes by −∫ div v dt.

    The density is invariant under rotations, and under exchange of particles that have one label.
    Trained by flow matching: v is regressed on x₁ − x₀ along straight lines from noise x₀ to data x₁,
    which are paired by transport over the batch and aligned by the symmetries of the field (Lipman et
    al., ICLR 2023, arXiv:2210.02747; Klein, Krämer, Noé, NeurIPS 2023, arXiv:2306.15030).

    Without data it starts from an isotropic Gaussian whose width is chosen by the energy.
    """

    config: EquivariantFlowConfig
    coordinates: CenteredCartesian

    def __init__(self, config: EquivariantFlowConfig, info: DataInfo) -> None:
        super().__init__(config.model_copy(update={"coordinates": "cartesian"}), info)
        molecule = info.units == "ase" and bool(info.bonds)
        space = len(info.reference[0])
        own = molecule if config.labels == "auto" else config.labels == "particles"
        kinds = list(range(info.num_particles)) if own else [info.types.index(t) for t in info.particle_types]
        chiral = molecule if config.chiral is None else config.chiral
        #: Whether all particles may be exchanged: one type and no bonds.
        self.alike = len(set(kinds)) == 1 and not info.bonds
        self.isotropic = config.prior == "isotropic" or (config.prior == "auto" and not info.bonds)
        spec = FieldSpec(
            labels=kinds,
            hops=hop_classes(info.num_particles, info.bonds),
            space=space,
            channels=config.hidden_channels,
            gaussians=config.num_gaussians,
            cutoff=config.cutoff,
            chiral=chiral and space == 3,
        )
        self.field: Field = (
            PairField(spec) if config.field == "egnn" else AttentionField(spec, config.layers, config.heads)
        )
        self.prior = RotationInvariantGaussian(self.coordinates)

    @property
    def accuracy(self) -> float:  # type: ignore[override]
        """See `DensityModel`: the solvers' steps, a few tens of error `tolerance`, are not reversible."""
        return 100 * self.config.tolerance

    def prepare(self, target: BoltzmannTarget | None, positions: Tensor | None) -> None:
        """See `DensityModel`: the Gaussian of the noise, and the unit of length, the nearest distance."""
        if positions is not None:
            q = self.coordinates.from_cartesian(positions)[0]
            self.prior.fit(q, self.isotropic)
        elif target is not None:
            self.prior.fit_energy(target)
            q = self.prior.draw(MEASURED, torch.Generator(self.prior.factor.device).manual_seed(0))
        else:
            return
        x = self._positions(q[:: max(1, len(q) // MEASURED)])
        d = torch.cdist(x, x)
        d.diagonal(dim1=1, dim2=2).fill_(torch.inf)
        self.field.length.copy_(d.amin(2).median())

    def velocity(self, x: Tensor, t: Tensor) -> Tensor:
        """Return v `[batch, particles, dim]` at times t `[batch]`, without motion of the centre."""
        v = self.field(x, t)
        return v - v.mean(1, keepdim=True)

    def matching_loss(self, q: Tensor, weights: Tensor | None = None) -> Tensor:
        """Mean square of v − (x₁ − x₀) for each coordinate, in units of `length`²."""
        x1 = self._positions(q.to(self.prior.factor))
        with torch.no_grad():
            x0 = self._paired(self._positions(self.prior.draw(len(q))), x1)
            # one time in each of as many equal intervals: the mean over times varies less
            t = (torch.randperm(len(q), device=x1.device) + torch.rand(len(q), device=x1.device)) / len(q)
            t = t.to(x1)
        s = t[:, None, None]
        off = self.velocity((1 - s) * x0 + s * x1, t) - (x1 - x0)
        loss = (off / self.field.length).square().sum((1, 2)) / self.coordinates.dimension
        return loss.mean() if weights is None else (weights * loss).mean()

    def draw(self, n: int, generator: torch.Generator | None = None) -> tuple[Tensor, Tensor]:
        """See `DensityModel`."""
        q = self.prior.draw(n, generator)
        moved, change = self._flow(q, 0.0, 1.0, generator)
        return moved, self.prior.log_density(q) - change

    def log_density(self, q: Tensor) -> Tensor:
        """See `DensityModel`; an unbiased estimate with model.divergence=hutchinson."""
        start, change = self._flow(q, 1.0, 0.0)
        return self.prior.log_density(start) + change

    def to_base(self, q: Tensor) -> Tensor:
        """See `DensityModel`: the noise that the equation leads back to."""
        return self._carried(q, 1.0, 0.0)

    def from_base(self, u: Tensor) -> Tensor:
        """See `DensityModel`."""
        return self._carried(u, 0.0, 1.0)

    def _carried(self, q: Tensor, start: float, stop: float) -> Tensor:
        """Move q `[batch, d]` along the flow without its divergence, which is most of the work."""
        x = self._positions(q)

        def slope(time: float, state: State) -> State:
            return (self.velocity(state[0], x.new_full((len(x),), time)),)

        return self._solved(slope, (x,), start, stop)[0]

    def _flow(
        self, q: Tensor, start: float, stop: float, generator: torch.Generator | None = None
    ) -> tuple[Tensor, Tensor]:
        """Move q `[batch, d]` along the flow; also ∫ div v dt from start to stop."""
        x = self._positions(q)
        config = self.config
        shape = (config.probes, *x.shape)
        signs = torch.randint(2, shape, generator=generator, device=x.device) if self._estimates else None
        probes = None if signs is None else 2 * signs.to(x) - 1

        def slope(time: float, state: State) -> State:
            here, t = state[0], x.new_full((len(x),), time)
            if probes is None:
                v, trace = self.field.with_divergence(here, t)
            else:
                v, trace = self.field.with_estimate(here, t, probes)
            return v - v.mean(1, keepdim=True), trace

        moved, change = self._solved(slope, (x, x.new_zeros(len(x))), start, stop)
        return moved, change

    def _solved(self, slope: Slope, state: State, start: float, stop: float) -> State:
        """Integrate; positions, which come first, are returned as q `[batch, d]`."""
        config = self.config
        if config.solver == "rk4":
            state = runge_kutta(slope, state, start, stop, config.steps)
        else:
            state = dormand_prince(slope, state, start, stop, config.tolerance)
        moved = torch.nn.functional.pad(state[0], (0, 3 - self.coordinates.space))
        return (self.coordinates.from_cartesian(moved)[0], *state[1:])

    @property
    def _estimates(self) -> bool:
        return self.config.divergence == "hutchinson"

    def _positions(self, q: Tensor) -> Tensor:
        """q `[batch, d]` → positions about their centre `[batch, particles, dim]`."""
        return self.coordinates.to_cartesian(q)[0][..., : self.coordinates.space]

    def _paired(self, x0: Tensor, x1: Tensor) -> Tensor:
        if self.config.transport == "none":
            return x0
        if self.config.transport == "batch":
            return transport(x0, x1)
        return equivariant_transport(x0, x1, self.alike, mirror=not self.field.spec.chiral)
