"""Fitted models recover what was planted."""

from __future__ import annotations

import math

import pytest
import torch
from molecules import Z, complete, info, listed, positions
from torch import Tensor

from zoo.data.graph import Graph
from zoo.errors import ConfigError, DataError
from zoo.models.harmonic.model import Harmonic, HarmonicConfig
from zoo.models.mean_force.model import MeanForce, MeanForceConfig
from zoo.models.ridge.model import Ridge, RidgeConfig
from zoo.models.type_mean.model import TypeMean, TypeMeanConfig
from zoo.physics import valence as internal
from zoo.physics.forces import energy_and_forces
from zoo.testing.subject import batch_of

BONDS = [(0, 1), (1, 2), (1, 4), (4, 3), (4, 5), (5, 6)]


def planted(x: Tensor) -> Tensor:
    """A bonded force field written down independently of the model: energies `[frames]`."""
    total = x.new_zeros(len(x))
    for number, (i, j) in enumerate(BONDS):
        r = (x[:, i] - x[:, j]).norm(dim=-1)
        total = total + (1.0 + 0.3 * number) * (r - 1.2 - 0.05 * number) ** 2
    for number, (i, j, k) in enumerate(((0, 1, 2), (0, 1, 4), (1, 4, 5), (4, 5, 6))):
        u, v = x[:, i] - x[:, j], x[:, k] - x[:, j]
        angle = torch.arccos((u * v).sum(-1) / (u.norm(dim=-1) * v.norm(dim=-1)))
        total = total + (0.5 + 0.2 * number) * (angle - 1.7) ** 2
    return total


def frames(potential, n: int, seed: int) -> Graph:
    graph = complete(positions(n, seed))
    x = graph.pos.reshape(n, -1, 3).requires_grad_()
    energy = potential(x)
    (slope,) = torch.autograd.grad(energy.sum(), x)
    graph.energy, graph.forces, graph.pos = energy.detach(), -slope.reshape(-1, 3), graph.pos.detach()
    return graph


def test_harmonic_recovers_a_harmonic_molecule() -> None:
    train = [frames(planted, 60, seed) for seed in (1, 2)]
    mean = float(torch.cat([g.energy for g in train]).mean()) / len(Z)
    model = Harmonic(HarmonicConfig(), info(bonds=BONDS, energy_per_particle=mean))
    model.fit(train)
    test = frames(planted, 20, 3)
    energy, forces = energy_and_forces(model, test)
    # normal equations of condition 1e6 in float64 leave about 1e-10
    assert torch.allclose(forces, test.forces, rtol=0, atol=1e-7)
    assert torch.allclose(energy, test.energy, rtol=0, atol=1e-7)


def test_harmonic_recovers_torsions() -> None:
    quad = torch.tensor([[0, 1, 4, 5]])

    def twisted(x: Tensor) -> Tensor:
        phi = internal.torsion(x, quad)[:, 0]
        return 0.4 * torch.cos(phi) - 0.3 * torch.cos(3 * phi)

    train, test = [frames(twisted, 200, 1)], frames(twisted, 20, 2)
    plain = Harmonic(HarmonicConfig(), info(bonds=BONDS))
    twisting = Harmonic(HarmonicConfig(torsions=3), info(bonds=BONDS))
    for model in (plain, twisting):
        model.fit(train)
    assert torch.allclose(energy_and_forces(twisting, test)[1], test.forces, rtol=0, atol=1e-7)
    assert (energy_and_forces(plain, test)[1] - test.forces).abs().max() > 1e-2


def test_bonds_imply_angles_and_torsions() -> None:
    assert internal.angles_of([(0, 1), (1, 2), (2, 3)]) == [(0, 1, 2), (1, 2, 3)]
    assert internal.torsions_of([(0, 1), (1, 2), (2, 3)]) == [(0, 1, 2, 3)]
    # a triangle has three angles and no torsion
    assert len(internal.angles_of([(0, 1), (1, 2), (2, 0)])) == 3
    assert internal.torsions_of([(0, 1), (1, 2), (2, 0)]) == []


@pytest.mark.parametrize(
    ("value", "gradient", "atoms"),
    [
        (internal.distance, internal.distance_gradient, 2),
        (internal.angle, internal.angle_gradient, 3),
        (internal.torsion, internal.torsion_gradient, 4),
    ],
)
def test_gradients_of_internal_coordinates(value, gradient, atoms: int) -> None:
    index = torch.tensor([[0, 3, 5, 6][:atoms], [4, 1, 2, 0][:atoms]])
    x = positions(5).requires_grad_()
    for term in range(2):
        (slope,) = torch.autograd.grad(value(x, index)[:, term].sum(), x)
        # float64 round-off
        assert torch.allclose(slope[:, index[term]], gradient(x, index)[:, term], rtol=0, atol=1e-12)


def test_sign_of_torsions() -> None:
    """IUPAC: looking along the middle bond, a clockwise turn of the far bond is positive."""
    x = torch.tensor([[[1.0, 0, 0], [0, 0, 0], [0, 0, 1], [0, 1, 1]]], dtype=torch.float64)
    phi = internal.torsion(x, torch.tensor([[0, 1, 2, 3]]))
    assert float(phi) == pytest.approx(math.pi / 2, abs=1e-12)  # from +x to +y, seen along +z


def test_harmonic_refuses_what_it_cannot() -> None:
    with pytest.raises(ConfigError, match="bonds"):
        Harmonic(HarmonicConfig(), info())
    with pytest.raises(ConfigError, match="task"):
        Harmonic(HarmonicConfig(), info("node", bonds=BONDS))
    model = Harmonic(HarmonicConfig(), info(bonds=BONDS))
    with pytest.raises(DataError, match="forces"):
        model.fit([complete(positions(2))])
    with pytest.raises(DataError, match="7 atoms"):
        model(complete(positions(2, atoms=6), Z[:6]))


def test_mean_force_is_the_best_constant() -> None:
    train = [frames(planted, 30, seed) for seed in (1, 2)]
    model = MeanForce(MeanForceConfig(), info(energy_per_particle=-1.5))
    model.fit(train)
    every = torch.cat([g.forces.view(-1, len(Z), 3) for g in train])
    energy, forces = energy_and_forces(model, train[0])
    # float64 round-off of means of 60 numbers
    assert torch.allclose(forces.view(-1, len(Z), 3), every.mean(0).expand(30, -1, -1), atol=1e-12)
    both = torch.cat([energy, energy_and_forces(model, train[1])[0]])
    assert float(both.mean()) == pytest.approx(-1.5 * len(Z), abs=1e-12)


def liquid(seed: int, n: int = 60) -> Graph:
    noise = torch.Generator().manual_seed(seed)
    x = 5.0 * torch.rand(n, 3, generator=noise, dtype=torch.float64)
    kinds = torch.randint(0, 2, (n,), generator=noise)
    return listed(x, 2.5, kinds, 5.0 * torch.eye(3, dtype=torch.float64))


def glass_info(**facts: object):
    means = {"target_mean": [[0.0], [0.0]], "target_std": [[1.0], [1.0]], "target_names": ["t"]}
    return info("node", **{"units": "lj", "types": [0, 1], "num_particles": 60, **means, **facts})


SHELLS = {"start": 0.5, "stop": 1.5, "step": 0.25, "width": 0.25}
RIDGE = {
    "descriptors": {**SHELLS, "orders": 0, "averages": 0, "diffused": [], "offset": False},
    "alphas": [1e-10],
}


def test_ridge_recovers_planted_coefficients() -> None:
    model = Ridge(RidgeConfig(**RIDGE), glass_info())
    noise = torch.Generator().manual_seed(0)
    weights = torch.randn(2, 10, generator=noise, dtype=torch.float64)
    train = [liquid(seed) for seed in range(8)]
    for graph in train:
        kind, x = model.features(graph)
        graph.targets = ((x * weights[kind]).sum(1) + 3.0 * kind + 1.0)[:, None]
    model.fit(train)
    # the penalty is 1e-10 of the features' variance, and squares of their condition (1e4) enter
    assert torch.allclose(model.weights[..., 0], weights, rtol=0, atol=1e-5)
    assert torch.allclose(model.bias[:, 0], torch.tensor([1.0, 4.0]).double(), rtol=0, atol=1e-5)


def test_ridge_chooses_a_penalty_that_generalises() -> None:
    """With few particles and pure noise, the strongest penalty is chosen; with a clear rule, a weak one."""
    config = RidgeConfig(**{**RIDGE, "alphas": [1e-8, 1e-2, 1e4]})
    graphs = [liquid(seed) for seed in range(2)]
    model = Ridge(config, glass_info())
    noise = torch.Generator().manual_seed(5)
    for graph in graphs:
        graph.targets = torch.randn(60, 1, generator=noise, dtype=torch.float64)
    model.fit(graphs)
    assert (model.alpha == 1e4).all()
    for graph in graphs:
        _, x = model.features(graph)
        graph.targets = x[:, :1] + 2 * x[:, 5:6]
    model.fit(graphs)
    assert (model.alpha == 1e-8).all()


def test_ridge_equals_scikit_learn() -> None:
    """One type, one fixed penalty: the same plane as scikit-learn's on standardised features."""
    from sklearn.linear_model import Ridge as SkRidge

    graph = liquid(7)
    graph.z = torch.zeros_like(graph.z)
    graph.targets = torch.randn(60, 1, generator=torch.Generator().manual_seed(6), dtype=torch.float64)
    facts = {"types": [0], "target_mean": [[0.0]], "target_std": [[1.0]]}
    model = Ridge(RidgeConfig(**{**RIDGE, "alphas": [0.1]}), glass_info(**facts))
    model.fit([graph])
    _, x = model.features(graph)
    standard = ((x - x.mean(0)) / x.std(0, correction=0)).numpy()
    theirs = SkRidge(alpha=0.1 * 60).fit(standard, graph.targets.numpy()).predict(standard)
    # float64 round-off
    assert torch.allclose(model(graph), torch.from_numpy(theirs).view(-1, 1), rtol=0, atol=1e-9)


def test_ridge_of_differences_within_configurations() -> None:
    """What is added to all particles of one configuration, to targets and features alike, does not count."""
    model = Ridge(RidgeConfig(**RIDGE, center=True), glass_info())
    noise = torch.Generator().manual_seed(1)
    weights = torch.randn(2, 10, generator=noise, dtype=torch.float64)
    train = []
    for seed in range(8):
        graph = liquid(seed)
        kind, x = model.features(graph)
        graph.targets = ((x * weights[kind]).sum(1) + 10.0 * torch.randn((), generator=noise))[:, None]
        train.append(graph)
    batches = [batch_of(train[:3]), batch_of(train[3:])]
    model.fit(batches)
    # as in test_ridge_recovers_planted_coefficients
    assert torch.allclose(model.weights[..., 0], weights, rtol=0, atol=1e-5)


def test_ridge_settings_that_make_no_sense_are_refused() -> None:
    shells = ({"stop": 0.1}, {"step": 1e-9}, {"width": 0.0})
    for wrong in (*({"descriptors": bad} for bad in shells), {"alphas": [-1.0]}, {"alphas": []}):
        with pytest.raises(ValueError):
            RidgeConfig(**wrong)


def test_type_mean_is_exact() -> None:
    train = [liquid(seed) for seed in range(3)]
    for graph in train:
        graph.targets = graph.pos[:, :1].clone()
    model = TypeMean(TypeMeanConfig(), glass_info())
    model.fit(train)
    kinds, targets = torch.cat([g.z for g in train]), torch.cat([g.targets for g in train])
    out = model(train[0])
    for kind in (0, 1):
        # float64 round-off of a mean
        assert torch.allclose(out[train[0].z == kind], targets[kinds == kind].mean(), rtol=1e-13)


def test_unknown_types_are_refused() -> None:
    model, graph = TypeMean(TypeMeanConfig(), glass_info()), liquid(1)
    graph.z[3] = 7
    with pytest.raises(DataError, match="7"):
        model(graph)


def test_a_type_without_particles_is_refused() -> None:
    graph = liquid(1)
    graph.z, graph.targets = torch.zeros_like(graph.z), graph.pos[:, :1]
    for kind, config in ((TypeMean, TypeMeanConfig()), (Ridge, RidgeConfig(**RIDGE))):
        with pytest.raises(DataError, match="type"):
            kind(config, glass_info()).fit([graph])
