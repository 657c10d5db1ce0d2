"""Ranks, dead units, smoothing and entropy of attention where the answer is known."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from zoo.analysis.layers.activity import Activity, is_activation, spectrum
from zoo.analysis.layers.smoothing import attention_entropy, dirichlet_energy, mean_cosine_distance


def test_rank_and_condition_of_known_variances() -> None:
    turn = np.linalg.qr(np.random.default_rng(0).standard_normal((5, 5)))[0]
    even = spectrum(turn @ np.diag([4.0, 4, 4, 0, 0]) @ turn.T)
    assert (even.rank, even.condition) == (3, pytest.approx(1))
    assert even.effective_rank == pytest.approx(3)
    uneven = spectrum(turn @ np.diag([9.0, 1, 0, 0, 0]) @ turn.T)
    assert uneven.condition == pytest.approx(3)
    assert uneven.effective_rank == pytest.approx(math.exp(-0.9 * math.log(0.9) - 0.1 * math.log(0.1)))
    assert spectrum(np.zeros((3, 3))).rank == 0


def test_activations_are_told_from_other_modules() -> None:
    assert all(is_activation(m) for m in (nn.SiLU(), nn.ReLU(), nn.Tanh(), nn.ELU(), nn.Softplus()))
    others = (
        nn.Linear(3, 3),
        nn.Dropout(),
        nn.Identity(),
        nn.LayerNorm(3),
        nn.Softmax(-1),
        nn.BatchNorm1d(3),
    )
    assert not any(is_activation(m) for m in others)


@pytest.mark.parametrize("activation", [nn.ReLU(), nn.SiLU()])
def test_dead_units_are_those_that_were_made_dead(activation: nn.Module) -> None:
    """Unit 1 is always on the flat side of its activation, unit 3 always the same, the others live."""
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(4, 5), activation, nn.Linear(5, 1)).double()
    with torch.no_grad():
        model[0].bias[1] = -60.0
        model[0].weight[3], model[0].bias[3] = 0.0, 1.0
    activity = Activity(model)
    for _ in range(4):
        x = torch.randn(50, 4, dtype=torch.float64)
        activity.watch(lambda x=x: model(x).sum())
    (units,) = activity.units().values()
    assert units.dead.tolist() == [1, 3]
    assert units.units == 5
    assert not any(module._forward_hooks for module in model.modules())
    spectra = activity.spectra()
    assert spectra["0"].rank == 4  # random inputs
    assert spectra["2"].rank == 3  # behind two dead units


def ring(n: int) -> Tensor:
    i = torch.arange(n)
    return torch.stack([torch.cat([i, i]), torch.cat([(i + 1) % n, (i - 1) % n])])


def test_dirichlet_energy_of_waves_on_a_ring() -> None:
    """cos(2πki/n) has Σ‖h_i − h_j‖² / 2 Σ‖h‖² = 1 − cos(2πk/n)."""
    n = 24
    for k in (1, 5, 12):
        h = torch.cos(2 * torch.pi * k * torch.arange(n, dtype=torch.float64) / n)[:, None]
        assert dirichlet_energy(h, ring(n)) == pytest.approx(1 - math.cos(2 * math.pi * k / n))
    assert dirichlet_energy(torch.ones(n, 3), ring(n)) == 0
    assert dirichlet_energy(torch.zeros(n, 3), ring(n)) == 0


def test_averaging_smooths_and_the_measures_see_it() -> None:
    torch.manual_seed(1)
    h = torch.randn(30, 6, dtype=torch.float64)
    send, receive = ring(30)
    energies, distances = [], []
    for _ in range(6):
        energies.append(dirichlet_energy(h, torch.stack([send, receive])))
        distances.append(mean_cosine_distance(h))
        h = h / 2 + torch.zeros_like(h).index_add(0, receive, h[send]) / 4
    assert energies == sorted(energies, reverse=True)
    assert energies[-1] < 0.2 * energies[0]
    assert mean_cosine_distance(torch.ones(9, 4)) == pytest.approx(0, abs=1e-6)
    assert distances[0] == pytest.approx(1, abs=0.1)  # directions at random


def test_cosine_distance_is_the_mean_over_pairs() -> None:
    torch.manual_seed(2)
    h = torch.randn(12, 4, dtype=torch.float64)
    unit = h / h.norm(dim=1, keepdim=True)
    pairs = [1 - float(unit[i] @ unit[j]) for i in range(12) for j in range(12) if i != j]
    assert mean_cosine_distance(h) == pytest.approx(np.mean(pairs))
    assert mean_cosine_distance(torch.cat([h, torch.zeros(3, 4)])) == pytest.approx(np.mean(pairs))


def test_entropy_of_even_and_of_single_minded_attention() -> None:
    receivers = torch.tensor([0, 0, 0, 1, 1])  # node 0 hears three, node 1 two, node 2 none
    share = torch.tensor([4.0, 4, 4, 3, 3], dtype=torch.float64).reciprocal()[:, None]
    own = torch.tensor([0.25, 1 / 3, 1.0], dtype=torch.float64)[:, None]
    assert attention_entropy(share, own, receivers) == pytest.approx([1.0])
    alone = torch.tensor([1.0, 0, 0, 0, 1], dtype=torch.float64)[:, None]
    assert attention_entropy(alone, torch.tensor([[0.0], [0.0], [1.0]]).double(), receivers) == pytest.approx(
        [0.0]
    )
    two = torch.tensor([0.5, 0.5, 0, 0, 1], dtype=torch.float64)[:, None]
    expected = (math.log(2) / math.log(4) + 0) / 2
    assert attention_entropy(two, torch.zeros(3, 1).double(), receivers) == pytest.approx([expected])
    assert np.isnan(
        attention_entropy(torch.zeros(0, 2), torch.ones(3, 2), torch.zeros(0, dtype=torch.long))
    ).all()
