"""Importance-weighted forward KL on a buffer of the model's draws, cooled rung by rung."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from zoo.tasks.density.objectives.base import Loss, Objective, effective_share, normalized, part_loss

#: Draws by which a temperature is tried, and how often the interval is halved.
PILOT, HALVINGS = 2048, 6
#: Share of the stage's fillings by which the ladder must have reached its end.
DEADLINE = 0.7


class BufferKL(Objective):
    """Draw, weight towards the target, learn from the weighted draws; then draw anew.

    Temperature-annealed Boltzmann generators (Schopmans, Friederich, ICML 2025, arXiv:2501.19077). In a
    stage with a ladder the next temperature is the lowest at which the buffer keeps the ESS asked for, as
    in constrained mass transport (arXiv:2510.18460); it is tried with draws whose widths are scaled already.
    Where even so the weights are too uneven to learn from, a power of them is taken that is not: the
    step goes as far towards the target as the draws carry (p^a q^(1−a), the same work's trust region).
    """

    def __init__(self, *args: object) -> None:
        super().__init__(*args)  # type: ignore[arg-type]
        self.rows: Tensor | None = None
        self.kT = self.setting.first
        self.ess, self.power = math.nan, 1.0

    def loss(self, step: int) -> Loss:
        """See `Objective`."""
        if step % self.options.refresh == 0 or self.rows is None:
            self._fill(step)
        assert self.rows is not None
        pick = torch.randint(len(self.rows), (self.batch_size,), device=self.rows.device)
        value = part_loss(self.setting.model, self.rows[pick], None, self.options.part)
        return value, {
            "buffer": value.detach(),
            "buffer_ess": value.new_tensor(self.ess),
            "buffer_power": value.new_tensor(self.power),
        }

    @torch.no_grad()
    def _fill(self, step: int) -> None:
        """Choose the temperature, draw, weight, and resample by the weights."""
        if self.kT > self.setting.final:
            self.kT = self._next(step)
        self.setting.move_to(self.kT)
        q, log_w = self._weighted(self.options.draws)
        weights = normalized(log_w, self.options.clip)
        self.ess = effective_share(weights)
        self.power = self._power(log_w)
        if self.power < 1:
            weights = normalized(self.power * log_w, self.options.clip)
        self.rows = q[torch.multinomial(weights, len(q), replacement=True)]

    def _power(self, log_w: Tensor) -> float:
        """The largest power of the weights, up to 1, at which they keep the ESS of `trust`."""
        low, high = 0.0, 1.0
        if self.ess >= self.options.trust:
            return high
        for _ in range(2 * HALVINGS):
            middle = 0.5 * (low + high)
            enough = effective_share(normalized(middle * log_w, self.options.clip)) >= self.options.trust
            low, high = (middle, high) if enough else (low, middle)
        return low

    def _next(self, step: int) -> float:
        """The lowest kT, down to the last, at which a pilot keeps the ESS; sooner if time runs short."""
        final, now = self.setting.final, self.kT
        if self._keeps(final):
            return final
        low, high = math.log(final), math.log(now)
        for _ in range(HALVINGS):
            middle = 0.5 * (low + high)
            if self._keeps(math.exp(middle)):
                high = middle
            else:
                low = middle
        left = max(1, int(DEADLINE * self.setting.steps - step) // self.options.refresh)
        at_most = math.log(now) + (math.log(final) - math.log(now)) / left
        chosen = min(high, at_most)
        return final if chosen <= math.log(final) + 1e-3 else math.exp(chosen)

    def _keeps(self, kT: float) -> bool:
        self.setting.move_to(kT)
        _, log_w = self._weighted(PILOT)
        return effective_share(normalized(log_w, 1e-3)) >= self.options.ess

    def _weighted(self, n: int) -> tuple[Tensor, Tensor]:
        """Draws `[n, d]` and log weights `[n]` towards the target of the moment, in equal parts."""
        target, rows, weights = self.setting.energy("buffer"), [], []
        for _ in range(0, n, self.setting.batch_size):
            q, log_q = self.setting.model.draw(self.setting.batch_size)
            rows.append(q)
            weights.append(target.log_density_and_gradient(q)[0] - log_q)
        return torch.cat(rows)[:n], torch.cat(weights)[:n]

    def state(self) -> dict[str, Tensor]:
        """Buffer, temperature and ESS."""
        if self.rows is None:
            return {}
        return {"rows": self.rows, "at": torch.tensor([self.kT, self.ess, self.power], dtype=torch.float64)}

    def load_state(self, state: dict[str, Tensor]) -> None:
        """Inverse of `state`."""
        if "rows" in state:
            self.rows = state["rows"]
            self.kT, self.ess, self.power = state["at"].tolist()
            self.setting.move_to(self.kT)
