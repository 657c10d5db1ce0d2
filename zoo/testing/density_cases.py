"""What densities are tested on: a made-up molecule, like particles, and cases with few dimensions."""

from __future__ import annotations

import torch
from torch import Tensor

from zoo.data.info import DataInfo
from zoo.models.density import DensityModel
from zoo.testing.systems import System, cluster

#: eV of the molecule, ε of particles: of no importance here, but not 1.
KT = 0.03


def chain_info(atoms: int = 9) -> DataInfo:
    """Facts of a molecule whose atoms are bonded one to the next."""
    system = cluster("density", atoms)
    return _info(system, "ase", [(i, i + 1) for i in range(atoms - 1)])


def particles_info(particles: int = 4) -> DataInfo:
    """Facts of particles of one type in space, without bonds."""
    return _info(
        System(cluster("density", particles).pos, torch.zeros(particles, dtype=torch.long)), "lj", []
    )


def pair_info() -> DataInfo:
    """Facts of two particles in the plane: their density has two dimensions."""
    pos = torch.tensor([[-0.6, 0.3], [0.6, -0.3]], dtype=torch.float64)
    return _info(System(pos, torch.zeros(2, dtype=torch.long)), "lj", [])


def system_of(info: DataInfo) -> System:
    """Return the reference as a system, with three columns."""
    pos = torch.tensor(info.reference, dtype=torch.float64)
    pos = torch.nn.functional.pad(pos, (0, 3 - pos.shape[1]))
    return System(pos, torch.tensor(info.particle_types))


def _info(system: System, units: str, bonds: list[tuple[int, int]]) -> DataInfo:
    types = system.z.tolist()
    pos = system.pos - system.pos.mean(0)
    return DataInfo(
        interface="density", units=units, types=sorted(set(types)), bonds=bonds,  # type: ignore[arg-type]
        num_particles=len(types), particle_types=types, reference=pos.tolist(), kT=KT,
    )  # fmt: skip


class Proposal:
    """A density that a model's draws are compared with: uniform circles, and a normal of the draws' moments.

    Args:
        q: draws `[n, d]`.
        model: that they are of.
        width: of the normal, in units of the draws' own.
    """

    def __init__(self, q: Tensor, model: DensityModel, width: float) -> None:
        self.circular = model.coordinates.circular
        self.periods = torch.tensor(model.coordinates.periods, dtype=q.dtype)
        local = q[:, self.circular :]
        covariance = local.T.cov().view(local.shape[1], -1)
        factor = width * torch.linalg.cholesky(covariance)
        self.normal = torch.distributions.MultivariateNormal(local.mean(0), scale_tril=factor)

    def draw(self, n: int, generator: torch.Generator) -> Tensor:
        """Draw q `[n, d]`."""
        kind = self.periods.dtype
        angle = (torch.rand(n, self.circular, generator=generator, dtype=kind) - 0.5) * self.periods
        z = torch.randn(n, *self.normal.event_shape, generator=generator, dtype=kind)
        return torch.cat([angle, self.normal.loc + z @ self.normal.scale_tril.T], 1)

    def log_density(self, q: Tensor) -> Tensor:
        """Return the log-density `[batch]`."""
        return self.normal.log_prob(q[:, self.circular :]) - self.periods.log().sum()
