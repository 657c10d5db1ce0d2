"""Places where neurons can be added: a linear map, an activation, a linear map, and nothing else between."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from zoo.analysis.layers.widening import widened

#: Largest change of the output, relative to its size, that counts as none.
UNCHANGED = 1e-9
#: Neurons that are tried.
TRIED = 3


@dataclass(frozen=True)
class Place:
    """Names of two linear maps and of the activation between them."""

    first: str
    activation: str
    second: str

    @property
    def name(self) -> str:
        """`first > second`."""
        return f"{self.first} > {self.second}"


def growable(model: nn.Module, run: Callable[[], Tensor]) -> tuple[list[Place], dict[str, str]]:
    """Find the places of a network where neurons can be added without any other change.

    Candidates are found by watching tensors: what the first map returns is what a module gets, and what that
    returns is what the second map gets. Each is then tried: widened by neurons that see something and tell
    nothing, the network must give what it gave before. That fails where anything else reads the values in
    between. Activations without parameters alone, 0 at 0 and with a slope there.

    Args:
        model: in evaluation mode, best in float64; is as before afterwards.
        run: runs the model on something typical and returns its output, or the loss.

    Returns:
        Places in the order of the model, and why others were not taken, by name.
    """
    with torch.no_grad():
        candidates = _candidates(model, run)
        expected = _seeded(run)
    places, refused = [], {}
    for place in candidates:
        reason = _refusal(model, place) or _trial(model, place, run, expected)
        if reason is None:
            places.append(place)
        else:
            refused[place.name] = reason
    return places, refused


def slope_at_zero(activation: nn.Module) -> float | None:
    """Return σ′(0) of an activation; None where σ(0) ≠ 0 or there is no slope: ReLU bends there."""
    step = 1e-4
    x = torch.tensor([-step, 0.0, step], dtype=torch.float64)
    with torch.no_grad():
        low, zero, high = activation(x).double().tolist()
    left, right = (zero - low) / step, (high - zero) / step
    if abs(zero) > 1e-12 or abs(right - left) > 0.01 or abs(left + right) < 1e-6:
        return None
    x = torch.zeros(1, dtype=torch.float64, requires_grad=True)
    (slope,) = torch.autograd.grad(activation(x).sum(), x)
    return float(slope)


def _candidates(model: nn.Module, run: Callable[[], Tensor]) -> list[Place]:
    made: dict[int, tuple[str, Tensor]] = {}
    passed: dict[int, tuple[str, str, Tensor]] = {}
    found: dict[Place, None] = {}

    def watch(name: str) -> Callable[..., None]:
        def hook(module: nn.Module, args: tuple[Tensor, ...], out: Tensor) -> None:
            if not args or not isinstance(args[0], Tensor) or not isinstance(out, Tensor):
                return
            x = args[0]
            if type(module) is nn.Linear:
                before = passed.get(id(x))
                if before is not None:
                    found[Place(before[0], before[1], name)] = None
                made[id(out)] = (name, out)
            elif id(x) in made and out.shape == x.shape:
                passed[id(out)] = (made[id(x)][0], name, out)

        return hook

    leaves = [(n, m) for n, m in model.named_modules() if not list(m.children())]
    hooks = [module.register_forward_hook(watch(name)) for name, module in leaves]
    try:
        _seeded(run)
    finally:
        for hook in hooks:
            hook.remove()
    order = [name for name, _ in leaves]
    return sorted(found, key=lambda place: order.index(place.first))


def _refusal(model: nn.Module, place: Place) -> str | None:
    activation = model.get_submodule(place.activation)
    if next(activation.parameters(), None) is not None or isinstance(activation, nn.Dropout):
        return f"{type(activation).__name__} stands between them, which is no activation"
    if slope_at_zero(activation) is None:
        return f"{type(activation).__name__} is not 0 at 0, or bends there: no first-order gain"
    return None


def _trial(model: nn.Module, place: Place, run: Callable[[], Tensor], expected: Tensor) -> str | None:
    first, second = model.get_submodule(place.first), model.get_submodule(place.second)
    assert isinstance(first, nn.Linear) and isinstance(second, nn.Linear)
    incoming = torch.linspace(-1, 1, TRIED * first.in_features).view(TRIED, -1)
    outgoing = torch.zeros(second.out_features, TRIED)
    try:
        with torch.no_grad(), widened(first, second, incoming, outgoing, bias=0.1):
            found = _seeded(run)
    except (RuntimeError, ValueError, IndexError) as error:
        return f"something else reads what is between them ({str(error).splitlines()[0]})"
    if found.shape != expected.shape or float((found - expected).abs().max()) > UNCHANGED * max(
        1.0, float(expected.abs().max())
    ):
        return "something else reads what is between them"
    return None


def _seeded(run: Callable[[], Tensor]) -> Tensor:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        return run().detach()
