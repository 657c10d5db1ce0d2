"""A mixture on the torus, times a line for each local column."""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Tensor, nn

from zoo.models.flows.couplings import wrapped

#: Largest width of a wrapped normal, rad: it is then uniform up to ± 27 %.
WIDEST = 2.0
#: Images that are summed to either side; the next is below e⁻³⁰ of the sum at the largest width.
IMAGES = 2


class TorusMixture(nn.Module):
    """Σ_k w_k Π_i WN(u_i; μ_ki, σ_ki) Π_j N(u_j; m_kj, s_kj): wrapped normals of angles, normals of the rest.

    It starts near to uniform angles and standard normal columns: wide components spread evenly over
    the torus by a Sobol sequence.

    Args:
        circular: number of angles.
        local: number of normal columns.
        components: of the mixture.
    """

    images: Tensor

    def __init__(self, circular: int, local: int, components: int) -> None:
        super().__init__()
        self.circular, self.local, self.components = circular, local, components
        even = torch.zeros(components, 0)
        if circular:
            even = torch.quasirandom.SobolEngine(circular, scramble=True, seed=0).draw(components)
        self.logits = nn.Parameter(torch.zeros(components))
        self.angle = nn.Parameter(math.pi * (2 * even.to(torch.get_default_dtype()) - 1))
        self.spread = nn.Parameter(torch.full((components, circular), math.log(3.0)))  # 1.5 rad
        self.mean = nn.Parameter(torch.zeros(components, local))
        self.log_scale = nn.Parameter(torch.zeros(components, local))
        images = 2 * math.pi * torch.arange(-IMAGES, IMAGES + 1, dtype=torch.float64)
        self.register_buffer("images", images, persistent=False)

    def draw(self, n: int, generator: torch.Generator | None, like: Tensor) -> tuple[Tensor, Tensor]:
        """Draw u `[n, circular + local]` with its log-density `[n]`, of all components together."""
        kind: dict[str, Any] = {"generator": generator, "dtype": like.dtype, "device": like.device}
        edges = self.logits.detach().softmax(0).cumsum(0)
        grid = (torch.arange(n, device=like.device) + torch.rand(1, **kind)) / n
        which = torch.searchsorted(edges, grid.to(edges)).clamp(max=self.components - 1)
        which = which[torch.randperm(n, generator=generator, device=like.device)]
        angle = self.angle[which] + self._width()[which] * torch.randn(n, self.circular, **kind)
        local = self.mean[which] + self.log_scale.exp()[which] * torch.randn(n, self.local, **kind)
        u = torch.cat([wrapped(angle), local], 1)
        return u, self.log_density(u)

    def log_density(self, u: Tensor) -> Tensor:
        """Return the log-density `[batch]` of u `[batch, circular + local]`."""
        return torch.logsumexp(self.log_components(u) + self.logits.log_softmax(0), 1)

    def log_components(self, u: Tensor) -> Tensor:
        """Return the log-density of each component `[batch, components]`."""
        angle, local = u[:, None, : self.circular], u[:, None, self.circular :]
        width = self._width()
        away = wrapped(angle - self.angle)[..., None] + self.images.to(u)
        wave = torch.logsumexp(-0.5 * (away / width[..., None]).square(), -1) - width.log()
        line = -0.5 * ((local - self.mean) * (-self.log_scale).exp()).square() - self.log_scale
        constant = 0.5 * (self.circular + self.local) * math.log(2 * math.pi)
        return wave.sum(-1) + line.sum(-1) - constant

    def _width(self) -> Tensor:
        return WIDEST * self.spread.sigmoid()

    def extra_repr(self) -> str:
        """Sizes."""
        return f"circular={self.circular}, local={self.local}, components={self.components}"
