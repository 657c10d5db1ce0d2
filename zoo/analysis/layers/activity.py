"""What passes through a network: rank and condition of the inputs of linear maps, and dead units."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn

from zoo.analysis.layers.maps import View, linear_maps, views

#: Directions with less than this share of the largest standard deviation do not count to the rank.
RANK_CUT = 1e-6
#: A unit is dead whose activation is this flat on every row, as a share of its steepest slope anywhere,
FLAT = 0.01
#: or whose output varies by less than this share of the layer's root mean square output.
CONSTANT = 1e-4


@dataclass(frozen=True)
class Spectrum:
    """Inputs of a linear map, about their mean.

    Args:
        values: standard deviations along principal axes, largest first.
        rank: number of them above `RANK_CUT` of the largest.
        effective_rank: exp of the entropy of their squares' shares (O. Roy, M. Vetterli, EUSIPCO 2007, with
            variances for singular values): equal variances in k directions give k.
        condition: largest over least of those that count to the rank.
    """

    values: np.ndarray
    rank: int
    effective_rank: float
    condition: float

    @property
    def second(self) -> float:
        """Second standard deviation over the largest; 0 where there is none."""
        return float(self.values[1] / self.values[0]) if self.rank > 1 else 0.0


@dataclass(frozen=True)
class Units:
    """Units of an activation.

    Args:
        activation: what sort it is.
        units: how many there are.
        dead: numbers of those that are flat on every row, or always the same.
    """

    activation: str
    units: int
    dead: np.ndarray


def spectrum(covariance: np.ndarray) -> Spectrum:
    """Return rank and condition of rows with this covariance `[n, n]`."""
    variances = np.clip(np.linalg.eigvalsh(covariance)[::-1], 0, None)
    values = np.sqrt(variances)
    total = variances.sum()
    if total <= 0:
        return Spectrum(values, 0, 0.0, 1.0)
    kept = values > RANK_CUT * values[0]
    shares = variances[variances > 0] / total
    return Spectrum(
        values, int(kept.sum()), float(np.exp(-(shares * np.log(shares)).sum())),
        float(values[0] / values[kept][-1]),
    )  # fmt: skip


def is_activation(module: nn.Module) -> bool:
    """Whether a module acts on each number by itself, has no parameters, and is not linear."""
    if list(module.children()) or next(module.parameters(), None) is not None:
        return False
    if isinstance(module, nn.Dropout | nn.Identity) or next(module.buffers(), None) is not None:
        return False
    x = torch.tensor([[-2.0, -0.6, 0.4], [0.9, 1.7, 3.1]])
    try:
        with torch.no_grad():
            whole, turned, twice, minus = module(x), module(x.T), module(2 * x), module(-x)
            single = module(x[:1, :1])
    except Exception:  # a module of any sort, which wants something else
        return False
    if not isinstance(whole, Tensor) or whole.shape != x.shape:
        return False
    pointwise = torch.equal(whole, turned.T) and torch.allclose(single, whole[:1, :1], atol=1e-6)
    linear = torch.allclose(twice, 2 * whole, atol=1e-5) and torch.allclose(minus, -whole, atol=1e-5)
    return pointwise and not linear


class Activity:
    """Gathers what passes through a network; `watch` runs it on one graph after the other.

    Args:
        model: in evaluation mode.
    """

    def __init__(self, model: nn.Module) -> None:
        self.model = model
        self.views = {n: views(n, m) for n, m in linear_maps(model).items()}
        self.activations = {n: m for n, m in model.named_modules() if n and is_activation(m)}
        self._inputs: dict[str, tuple[float, Tensor, Tensor]] = {}
        self._units: dict[str, _Outputs] = {}

    def watch(self, run: Callable[[], Tensor]) -> None:
        """Run the model on a graph and take in what passes, where gradients are on."""
        hooks = [
            self.model.get_submodule(name).register_forward_hook(self._map(own))
            for name, own in self.views.items()
        ]
        hooks += [m.register_forward_hook(self._unit(n)) for n, m in self.activations.items()]
        try:
            with torch.enable_grad(), torch.random.fork_rng(devices=[]):
                torch.manual_seed(0)
                run()
        finally:
            for hook in hooks:
                hook.remove()

    def spectra(self) -> dict[str, Spectrum]:
        """Return the spectrum of the inputs of each matrix that was used."""
        out = {}
        for name, (count, total, square) in self._inputs.items():
            mean = total / count
            out[name] = spectrum((square / count - torch.outer(mean, mean)).numpy())
        return out

    def units(self) -> dict[str, Units]:
        """Return the units of each activation that was used."""
        return {name: found.units(self.activations[name]) for name, found in self._units.items()}

    def _map(self, own: list[View]) -> Callable[..., None]:
        def hook(_: nn.Module, args: tuple[Tensor, ...], out: Tensor) -> None:
            if not torch.is_grad_enabled():
                return
            for view in own:
                b = view.rows_in(args[0].detach()).double()
                count, total, square = self._inputs.get(view.name, (0.0, 0.0, 0.0))
                self._inputs[view.name] = (count + len(b), total + b.sum(0), square + b.T @ b)

        return hook

    def _unit(self, name: str) -> Callable[..., None]:
        def hook(module: nn.Module, args: tuple[Tensor, ...], out: Tensor) -> None:
            if not torch.is_grad_enabled() or out.ndim < 2:
                return
            x = args[0].detach().reshape(-1, args[0].shape[-1]).clone().requires_grad_()
            value = module.forward(x)
            (slope,) = torch.autograd.grad(value.sum(), x)
            found = self._units.setdefault(name, _Outputs(x.shape[1]))
            if found.steepest.shape[0] == x.shape[1]:
                found.add(value.detach().double(), slope.abs().double())

        return hook


class _Outputs:
    """Of each unit of an activation: the steepest slope, and moments of its output."""

    def __init__(self, units: int) -> None:
        self.steepest = torch.zeros(units, dtype=torch.float64)
        self.count = 0
        self.total, self.square = torch.zeros_like(self.steepest), torch.zeros_like(self.steepest)

    def add(self, value: Tensor, slope: Tensor) -> None:
        self.steepest = torch.maximum(self.steepest, slope.amax(0))
        self.count += len(value)
        self.total, self.square = self.total + value.sum(0), self.square + value.square().sum(0)

    def units(self, activation: nn.Module) -> Units:
        x = torch.linspace(-6, 6, 241, dtype=torch.float64, requires_grad=True)
        (anywhere,) = torch.autograd.grad(activation.forward(x[:, None]).sum(), x)
        variance = (self.square / self.count - (self.total / self.count).square()).clamp_min(0)
        size = (self.square.mean() / self.count).sqrt()
        dead = (self.steepest < FLAT * anywhere.abs().max()) | (variance.sqrt() < CONSTANT * size)
        return Units(type(activation).__name__, len(dead), dead.nonzero()[:, 0].numpy())
