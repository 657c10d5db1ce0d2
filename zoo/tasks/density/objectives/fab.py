"""Flow annealed importance sampling bootstrap: AIS to p²/q, a prioritised buffer, forward KL."""

from __future__ import annotations

import torch
from torch import Tensor

from zoo.physics.samplers import AIS
from zoo.tasks.density.objectives.base import Loss, Objective, effective_share, normalized, part_loss

#: Batches of AIS that the buffer holds before anything is learned from it.
WARM_UP = 8


class AnnealedBootstrap(Objective):
    """Learn from samples of p²/q, where the model is too small; Midgley et al., ICLR 2023, arXiv:2208.01893.

    Every `refresh`-th step a batch of draws goes through AIS into the buffer; each step takes rows from
    the buffer by their weights, and corrects for what the model has learned since they came in.
    """

    rows: Tensor | None = None
    log_weights: Tensor
    log_q: Tensor
    timestep: Tensor

    def loss(self, step: int) -> Loss:
        """See `Objective`."""
        model = self.setting.model
        if self.rows is None:
            for _ in range(WARM_UP):
                self._add()
        elif step % self.options.refresh == 0:
            self._add()
        assert self.rows is not None
        weights = normalized(self.log_weights)
        pick = torch.multinomial(weights, self.batch_size, replacement=True)
        rows = self.rows[pick]
        with torch.no_grad():  # p²/q of today over p²/q of the day the row came in
            log_q = model.log_density(rows)
            change = (self.log_q[pick] - log_q).clamp(-10, 4).exp()
            self.log_weights[pick] = self.log_weights[pick] + (self.log_q[pick] - log_q).clamp(-10, 4)
            self.log_q[pick] = log_q
        value = part_loss(model, rows, change, self.options.part)
        return value, {"fab": value.detach(), "buffer_ess": value.new_tensor(effective_share(weights))}

    def _add(self) -> None:
        model, target = self.setting.model, self.setting.energy("fab")
        with torch.no_grad():
            q, _ = model.draw(self.setting.batch_size)
        levels = self.options.intermediates
        if self.rows is None:
            self.timestep = q.new_full((levels,), 0.05)
        sampler = AIS(
            start=_Density(model), target=target,
            levels=torch.linspace(0, 1, levels + 1)[1:], timestep=self.timestep, steps=self.options.leapfrog,
            alpha=2.0, scale=q.std(0), wrap=self._wrap,
        )  # fmt: skip
        generator = torch.Generator(device=q.device).manual_seed(int(torch.randint(1 << 62, ())))
        found = sampler.run(q, generator)
        adapted = sampler.adapted(found.acceptance)
        self.timestep = torch.as_tensor(adapted.timestep).to(q)
        good = torch.isfinite(found.log_weights)
        new = (found.positions[good], found.log_weights[good], found.log_start[good])
        if self.rows is None:
            self.rows, self.log_weights, self.log_q = new
            return
        old = (self.rows, self.log_weights, self.log_q)
        keep = self.options.draws
        self.rows, self.log_weights, self.log_q = (
            torch.cat([b, a])[-keep:] for a, b in zip(new, old, strict=True)
        )

    def _wrap(self, q: Tensor) -> Tensor:
        coordinates = self.setting.model.coordinates
        if not coordinates.circular:
            return q
        period = torch.tensor(coordinates.periods, dtype=q.dtype, device=q.device)
        t = torch.remainder(q[:, : coordinates.circular] + period / 2, period) - period / 2
        return torch.cat([t, q[:, coordinates.circular :]], 1)

    def state(self) -> dict[str, Tensor]:
        """The buffer and the step lengths."""
        if self.rows is None:
            return {}
        names = ("rows", "log_weights", "log_q", "timestep")
        return {name: getattr(self, name) for name in names}

    def load_state(self, state: dict[str, Tensor]) -> None:
        """Inverse of `state`."""
        for name, value in state.items():
            setattr(self, name, value)


class _Density:
    """log q of the model without gradients of its weights."""

    def __init__(self, model: torch.nn.Module) -> None:
        self.model = model

    def log_density_and_gradient(self, q: Tensor) -> tuple[Tensor, Tensor]:
        with torch.enable_grad():
            point = q.detach().requires_grad_()
            value = self.model.log_density(point)  # type: ignore[operator]
            (slope,) = torch.autograd.grad(value.sum(), point)
        return value.detach(), slope
