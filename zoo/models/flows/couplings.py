"""Couplings by rational-quadratic splines, circular and local columns together."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from zoo.models.flows.splines import Spline, parameters_per_column
from zoo.models.flows.triangular import perceptron

#: Half width of the interval of local columns, in units of their standard deviation.
BOUND = 5.0


class SplineCoupling(nn.Module):
    """Bends the columns of a mask, each by a spline that a network makes from the other columns.

    Angles are seen as (cos, sin) and bent by circular splines, then turned by an angle of their own, so that
    no seam stays in one place (Rezende et al., arXiv:2002.02428, section 2.3.1). Local columns are
    bent within ± `BOUND` and left alone beyond. Starts as the identity but for the turns.

    Args:
        mask: `[columns]` True of those that are changed.
        circular: how many columns, the first ones, are angles in (−π, π].
        bins: of each spline.
        hidden, layers: of the network.
        generator: of the turns.
    """

    changed_angles: Tensor
    changed_local: Tensor
    kept_angles: Tensor
    kept_local: Tensor
    back: Tensor
    turn: Tensor

    def __init__(
        self, mask: Tensor, circular: int, bins: int, hidden: int, layers: int, generator: torch.Generator
    ) -> None:
        super().__init__()
        changed, kept = mask.nonzero()[:, 0], (~mask).nonzero()[:, 0]
        parts = {
            "changed_angles": changed[changed < circular],
            "changed_local": changed[changed >= circular],
            "kept_angles": kept[kept < circular],
            "kept_local": kept[kept >= circular],
        }
        # saved with the weights: another version of torch may shuffle otherwise
        for name, value in parts.items():
            self.register_buffer(name, value)
        self.register_buffer("back", torch.cat(list(parts.values())).argsort())
        angles, local = len(parts["changed_angles"]), len(parts["changed_local"])
        turn = math.pi * (1 - 2 * torch.rand(angles, generator=generator, dtype=torch.float64))
        self.register_buffer("turn", turn)
        self.bins, self.split = bins, angles * parameters_per_column(bins, circular=True)
        outputs = self.split + local * parameters_per_column(bins, circular=False)
        inputs = 2 * len(parts["kept_angles"]) + len(parts["kept_local"])
        self.net = perceptron(inputs, hidden, layers, outputs)

    def forward(self, u: Tensor) -> tuple[Tensor, Tensor]:
        """Return v `[batch, columns]` and log |dv/du| `[batch]`."""
        kept, angle, local = self._splines(u)
        a, da = angle.forward(u[:, self.changed_angles])
        b, db = local.forward(u[:, self.changed_local])
        return self._joined(wrapped(a + self.turn.to(a)), b, kept), da.sum(1) + db.sum(1)

    def inverse(self, v: Tensor) -> tuple[Tensor, Tensor]:
        """Return u `[batch, columns]` and log |du/dv| `[batch]`."""
        kept, angle, local = self._splines(v)
        a, da = angle.inverse(wrapped(v[:, self.changed_angles] - self.turn.to(v)))
        b, db = local.inverse(v[:, self.changed_local])
        return self._joined(a, b, kept), da.sum(1) + db.sum(1)

    def _splines(self, u: Tensor) -> tuple[list[Tensor], Spline, Spline]:
        kept = [u[:, self.kept_angles], u[:, self.kept_local]]
        raw = self.net(torch.cat([kept[0].cos(), kept[0].sin(), kept[1]], 1))
        angle, local = raw[:, : self.split], raw[:, self.split :]
        return (
            kept,
            Spline.build(self._each(angle, circular=True), math.pi, circular=True),
            Spline.build(self._each(local, circular=False), BOUND, circular=False),
        )

    def _each(self, raw: Tensor, *, circular: bool) -> Tensor:
        return raw.view(len(raw), -1, parameters_per_column(self.bins, circular=circular))

    def _joined(self, angles: Tensor, local: Tensor, kept: list[Tensor]) -> Tensor:
        return torch.cat([angles, local, *kept], 1)[:, self.back]


def wrapped(angle: Tensor) -> Tensor:
    """Return angles in [−π, π)."""
    return torch.remainder(angle + math.pi, 2 * math.pi) - math.pi
