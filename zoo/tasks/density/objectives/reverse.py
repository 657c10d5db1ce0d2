"""Reverse KL: the model's own draws, judged by the energy."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.func import functional_call

from zoo.tasks.density.objectives.base import Loss, Objective, effective_share, normalized


class ReverseKL(Objective):
    """KL(model ‖ Boltzmann) with the path gradient, which vanishes at the optimum.

    Of d/dθ E[log q_θ(q) − log p̃(q)] only the part through the draws is kept, the other having mean
    zero (Roeder, Wu, Duvenaud, NeurIPS 2017; Vaitl et al., ICML 2022, arXiv:2207.08219). That energies
    grow slowly beyond a cut, and the worst draws are left out, keeps atoms on top of each other from
    ruling the step.

    With `part: local` the torsions are drawn every `refresh` steps and held: the local coordinates settle
    before the torsions follow them, which forward KL on a buffer does best: their energy is too rough. A
    share of them stays from the stage's beginning, so that states that become rare are learned as well.
    """

    held: Tensor | None = None
    first: Tensor | None = None

    def loss(self, step: int) -> Loss:
        """See `Objective`."""
        model, target = self.setting.model, self.setting.energy("reverse-kl")
        q, log_q = self._draw(step)
        log_p, slope, _ = target.log_density_and_gradient(q)
        log_w = log_p - log_q.detach()
        weights, good = normalized(log_w), torch.isfinite(log_w)
        if self.options.drop > 0:
            good &= log_w >= torch.quantile(log_w[good], self.options.drop)
        slope = slope * self._damping(log_p)[:, None]
        if self.options.path_gradient and self.options.part == "local":
            circular = model.coordinates.circular
            log_q = self._frozen("log_local", q[:, circular:], q[:, :circular])
        elif self.options.path_gradient:
            log_q = self._frozen("log_density", q)
        value = (log_q - (slope * q).sum(1))[good].mean()
        choice = model.log_choice(q.detach())
        if choice is not None:  # the mean that is taken off has no gradient on average, and less noise
            cost = (-log_w[good]).clamp(max=self.setting.energy_cut - log_w[good].max())
            value = value + (choice[good] * (cost - cost.mean())).mean()
        # its gradient is what counts; the number shown is the divergence itself, up to log Z
        value = value - value.detach() - log_w[good].mean()
        logs = {"elbo": log_w[good].mean(), "ess": log_w.new_tensor(effective_share(weights))}
        return value, logs

    def _draw(self, step: int) -> tuple[Tensor, Tensor]:
        model = self.setting.model
        if self.options.part == "all":
            return model.draw(self.batch_size)
        if self.options.part == "torsions":
            t, log_t = model.draw_torsions(self.batch_size)  # type: ignore[operator]
            # the local coordinates move with their torsions, by weights that are held
            y, log_y = self._frozen("draw_local", t)
            return torch.cat([t, y], 1), log_t + log_y
        if self.held is None or step % self.options.refresh == 0:
            with torch.no_grad():
                t, log_t = model.draw_torsions(self.options.draws)  # type: ignore[operator]
            drawn = torch.cat([t, log_t[:, None]], 1)
            if self.first is None:
                self.first = drawn[: int(self.options.first * len(drawn))]
            self.held = torch.cat([self.first, drawn[len(self.first) :]])
        pick = self.held[torch.randint(len(self.held), (self.batch_size,), device=self.held.device)]
        t, log_t = pick[:, :-1], pick[:, -1]
        y, log_y = model.draw_local(t)  # type: ignore[operator]
        return torch.cat([t, y], 1), log_t + log_y

    def _damping(self, log_p: Tensor) -> Tensor:
        """Slope of the logarithm that the energies turn into beyond the cut, over their own."""
        finite = torch.where(torch.isfinite(log_p), log_p, -torch.inf)
        excess = (finite.max() - log_p) / self.setting.energy_cut
        return torch.where(torch.isfinite(log_p), 1 / excess.clamp(min=1), 0.0)

    def _frozen(self, method: str, *given: Tensor) -> Any:
        """Call a method of the model with weights that get no gradient; what is given passes its own on."""
        call = _Call(self.setting.model, method)
        frozen = {name: value.detach() for name, value in call.named_parameters()}
        return functional_call(call, frozen, given)

    def state(self) -> dict[str, Tensor]:
        """The held torsions, with their log-densities in a last column."""
        if self.held is None or self.first is None:
            return {}
        return {"held": self.held, "first": self.first}

    def load_state(self, state: dict[str, Tensor]) -> None:
        """Inverse of `state`."""
        self.held, self.first = state.get("held"), state.get("first")


class _Call(torch.nn.Module):
    """A method of the model as a module's forward."""

    def __init__(self, model: torch.nn.Module, method: str) -> None:
        super().__init__()
        self.model, self.method = model, method

    def forward(self, *given: Tensor) -> Any:
        return getattr(self.model, self.method)(*given)
