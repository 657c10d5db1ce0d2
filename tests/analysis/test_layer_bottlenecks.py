"""Bottlenecks and neurons where the answer is known: linear teachers, and exact derivatives."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from zoo.analysis.layers.bottleneck import bottleneck
from zoo.analysis.layers.moments import Measured, measure
from zoo.analysis.layers.neurons import best_neurons
from zoo.analysis.layers.pairs import Place, growable, slope_at_zero
from zoo.analysis.layers.probe import SlopeLoss, ValueLoss, rows
from zoo.analysis.layers.promise import promise
from zoo.analysis.layers.widening import widened
from zoo.errors import DataError

INPUTS, OUTPUTS, GRAPHS = 6, 5, 12


def rotations(graphs: int = GRAPHS) -> Tensor:
    """Rows x of each graph with Σ x xᵀ = 1 exactly, `[graphs, rows, INPUTS]`."""
    torch.manual_seed(0)
    return torch.linalg.qr(torch.randn(graphs, INPUTS, INPUTS, dtype=torch.float64))[0]


def teacher() -> Tensor:
    """A linear map with singular values 5, 4, 3, 2, 1."""
    torch.manual_seed(1)
    u = torch.linalg.qr(torch.randn(OUTPUTS, OUTPUTS, dtype=torch.float64))[0]
    v = torch.linalg.qr(torch.randn(INPUTS, INPUTS, dtype=torch.float64))[0][:, :OUTPUTS]
    return (u * torch.tensor([5.0, 4, 3, 2, 1], dtype=torch.float64)) @ v.T


def squares(model: nn.Module, x: Tensor, y: Tensor) -> list[ValueLoss]:
    """½ Σ‖y − model(x)‖² of each graph."""
    return [
        ValueLoss(lambda a=a, b=b: 0.5 * (model(a) - b).square().sum()) for a, b in zip(x, y, strict=True)
    ]


def measured(model: nn.Module, losses: list) -> tuple[Measured, list[Place]]:
    places, _ = growable(model, losses[0].value)
    return measure(model, losses, len(losses), places), places


@pytest.mark.parametrize("width", [1, 3, 5])
def test_bottleneck_of_narrow_student_is_what_eckart_and_young_leave(width: int) -> None:
    """The hidden layer holds the teacher's leading directions; what is left is Σ σ² of the others."""
    target, x = teacher(), rotations()
    _, sigma, vt = torch.linalg.svd(target, full_matrices=False)
    model = nn.Sequential(
        nn.Linear(INPUTS, width, bias=False), nn.Identity(), nn.Linear(width, OUTPUTS, bias=False)
    )
    model = model.double()
    with torch.no_grad():
        model[0].weight.copy_(vt[:width])
    moments, places = measured(model, squares(model, x, x @ target.T))
    found = bottleneck(moments.maps["2"])
    rest = float(sigma[width:].square().sum())
    assert found.psi == pytest.approx(rest, abs=1e-9)  # the same on graphs that W was not fitted to
    # the best change of W brings W to the teacher's leading part
    after = model[2].weight.detach() + found.update
    assert torch.allclose(after @ vt[:width], target @ vt[:width].T @ vt[:width], atol=1e-9)
    neurons = best_neurons(moments.places[places[0].name], moments.maps["2"], found, nn.Identity(), 5)
    known = neurons.values[: OUTPUTS - width]
    assert torch.allclose(known, sigma[width:], atol=1e-9)
    assert neurons.gain == pytest.approx(rest, abs=1e-9)
    assert neurons.unseen_gain == pytest.approx(rest, abs=1e-9)
    if width < OUTPUTS:  # amplitude 1 reaches the teacher's rank, once W is at its best
        with torch.no_grad():
            model[2].weight.copy_(after)
        loss = squares(model, x, x @ target.T)[0]
        with widened(model[0], model[2], neurons.incoming, neurons.outgoing, neurons.correction):
            assert float(loss.value().detach()) == pytest.approx(0, abs=1e-12)
        assert float(loss.value().detach()) == pytest.approx(0.5 * rest)


@pytest.mark.parametrize("activation", [nn.SiLU(), nn.Tanh(), nn.ELU()])
@pytest.mark.parametrize("bias", [True, False])
def test_promised_gain_is_the_first_order_decrease(activation: nn.Module, bias: bool) -> None:
    """At any state of the training, −dL/dγ at γ = 0 is σ′(0) Σ Λ², by autograd of the widened network."""
    torch.manual_seed(2)
    x = torch.randn(GRAPHS, 30, INPUTS, dtype=torch.float64)
    model = nn.Sequential(
        nn.Linear(INPUTS, 2, bias=bias), activation, nn.Linear(2, OUTPUTS, bias=bias)
    ).double()
    y = x @ teacher().T
    moments, places = measured(model, squares(model, x, y))
    second = moments.maps["2"]
    neurons = best_neurons(moments.places["0 > 2"], second, bottleneck(second), activation, 3)
    slope = derivative(model, places[0], neurons, lambda: 0.5 * (model(x) - y).square().sum() / GRAPHS)
    assert slope == pytest.approx(neurons.gain, rel=1e-6)
    assert neurons.gain == pytest.approx(neurons.slope * float(neurons.values[:3].square().sum()))


def derivative(model: nn.Module, place: Place, neurons, loss) -> float:
    """−dL/dγ at γ = 0 of neurons √γ·incoming, √γ·outgoing, γ·correction, from the loss's own gradients."""
    first, second = model.get_submodule(place.first), model.get_submodule(place.second)
    step = 1e-7 / float(neurons.incoming.abs().max())
    by_pair = []
    for sign in (1, -1):
        with widened(first, second, sign * step * neurons.incoming, 0 * neurons.outgoing):
            weights = [p for p in (second.weight, second.bias) if p is not None]
            by = torch.autograd.grad(loss(), weights)
            by_pair.append(float((by[0][:, -neurons.count :] * neurons.outgoing).sum()))
            old = by[0][:, : -neurons.count]
    own = old if second.bias is None else torch.cat([old, by[1][:, None]], 1)
    return -((by_pair[0] - by_pair[1]) / (2 * step) + float((own * neurons.correction).sum()))


def test_line_search_finds_the_amplitude() -> None:
    """Of a quadratic loss the neurons' share falls to nearly nothing, and the network stays as it was."""
    target, x = teacher(), rotations()
    model = nn.Sequential(nn.Linear(INPUTS, 2, bias=False), nn.Identity(), nn.Linear(2, OUTPUTS, bias=False))
    model = model.double()
    losses = squares(model, x, x @ target.T)
    moments, places = measured(model, losses)
    second = moments.maps["2"]
    neurons = best_neurons(moments.places["0 > 2"], second, bottleneck(second), nn.Identity(), 3)
    before = model.state_dict()
    found = promise(model, lambda: np.array([float(v.evaluated()) for v in losses]), places[0], neurons)
    assert found.losses[0] == pytest.approx(float(moments.losses.mean()))
    # L(γ) = L − (γ − γ²/2) Σ Λ²: least at 1, where a parabola through three points finds it
    assert found.amplitude == pytest.approx(1, abs=1e-6)
    assert found.decrease == pytest.approx(neurons.gain / 2, rel=1e-6)
    assert all(torch.equal(a, b) for a, b in zip(before.values(), model.state_dict().values(), strict=True))


def test_noise_has_no_bottleneck_that_carries_over() -> None:
    """Few rows and many inputs: a fit to chance is told by graphs that were kept apart."""
    torch.manual_seed(3)
    x = torch.randn(GRAPHS, 4, 40, dtype=torch.float64)
    y = torch.randn(GRAPHS, 4, OUTPUTS, dtype=torch.float64)
    model = nn.Linear(40, OUTPUTS).double()
    with torch.no_grad():
        model.weight.zero_()
    found = bottleneck(measured(nn.Sequential(model), squares(model, x, y))[0].maps["0"])
    assert found.fitted_share < 0.75
    assert found.share > 0.95


def test_error_of_share_is_the_spread_over_repetitions() -> None:
    """The bootstrap error matches the scatter of the share over independent sets of graphs."""
    model = nn.Sequential(nn.Linear(INPUTS, OUTPUTS)).double()
    shares, errors = [], []
    for seed in range(40):
        torch.manual_seed(100 + seed)
        x = torch.randn(16, 20, INPUTS, dtype=torch.float64)
        y = x @ teacher().T + 3 * torch.randn(16, 20, OUTPUTS, dtype=torch.float64)
        found = bottleneck(measure(model, squares(model, x, y), 16).maps["0"])
        shares.append(found.share)
        errors.append(found.share_error)
    assert np.mean(errors) == pytest.approx(np.std(shares), rel=0.35)  # 40 repetitions: 11 %


class Cubic(nn.Module):
    """E(x) = c · tanh(W b(x)), b = (x, x²)."""

    def __init__(self) -> None:
        super().__init__()
        self.map = nn.Linear(6, 4)

    def forward(self, x: Tensor) -> Tensor:
        return torch.tanh(self.map(torch.cat([x, x.square()], 1))).sum()


def test_rows_of_a_loss_on_forces_give_its_gradient() -> None:
    """Values and tangents: Σ V bᵀ is −∂L/∂W of a loss on −∂E/∂x and E, from autograd's double backward."""
    torch.manual_seed(4)
    model = Cubic().double()
    x = torch.randn(7, 3, dtype=torch.float64, requires_grad=True)
    wanted = torch.randn(7, 3, dtype=torch.float64)
    energy = model(x)
    forces = -torch.autograd.grad(energy, x, create_graph=True)[0]
    loss = (forces - wanted).square().mean() + 0.3 * (energy - 1.0).square()
    by_w, by_b = torch.autograd.grad(loss, [model.map.weight, model.map.bias], retain_graph=True)
    by_f, by_e = torch.autograd.grad(loss, [forces, energy])
    place = x.detach()
    found = rows(
        model, SlopeLoss(lambda d: model(place + d), by_f.detach(), float(by_e), lambda: loss.detach())
    )["map"]
    assert torch.allclose(found.gradient(), -torch.cat([by_w, by_b[:, None]], 1), rtol=1e-7, atol=1e-9)
    # without tangents it would not be
    alone = found.v.T @ found.b
    assert not torch.allclose(alone, found.gradient(), rtol=0.1)


def test_places_are_found_where_nothing_else_listens() -> None:
    class Network(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.act = nn.SiLU()
            self.a, self.b = nn.Linear(4, 4), nn.Linear(4, 4)
            self.c, self.d = nn.Linear(4, 4), nn.Linear(4, 4)
            self.e, self.relu, self.f = nn.Linear(4, 3), nn.ReLU(), nn.Linear(3, 2)
            self.g, self.norm, self.h = nn.Linear(2, 3), nn.LayerNorm(3), nn.Linear(3, 1)

        def forward(self, x: Tensor) -> Tensor:
            x = x + self.b(self.act(self.a(x)))
            hidden = self.act(self.c(x))
            x = self.d(hidden) + hidden[:, -1:]  # which hears what is between c and d
            return x.sum() + self.h(self.norm(self.g(self.f(self.relu(self.e(x))))))

    torch.manual_seed(5)
    model, x = Network().double(), torch.randn(5, 4, dtype=torch.float64)
    before = model(x)
    places, refused = growable(model, lambda: model(x))
    assert [place.name for place in places] == ["a > b"]
    assert places[0].activation == "act"
    assert set(refused) == {"c > d", "e > f", "g > h"}
    assert "bends" in refused["e > f"]
    assert torch.equal(model(x), before)


def test_slopes_at_zero() -> None:
    assert slope_at_zero(nn.SiLU()) == pytest.approx(0.5)
    assert slope_at_zero(nn.Tanh()) == pytest.approx(1.0)
    for refused in (nn.ReLU(), nn.LeakyReLU(0.1), nn.Sigmoid(), nn.Softplus()):
        assert slope_at_zero(refused) is None


def test_loss_that_is_not_finite_is_an_error() -> None:
    model = nn.Linear(2, 1)
    with pytest.raises(DataError, match="loss of a graph is nan"):
        rows(model, ValueLoss(lambda: model(torch.full((1, 2), float("nan"))).sum()))
    with pytest.raises(DataError, match="two graphs"):
        measure(model, [ValueLoss(lambda: model(torch.ones(1, 2)).sum())], 1)
