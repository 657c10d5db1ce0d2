"""Objectives on densities whose best weights, gradients and effective sample sizes are known exactly."""

from __future__ import annotations

import math

import peroxide
import pytest
import torch
from torch import nn

from zoo.data.info import DataInfo
from zoo.errors import RunFailed
from zoo.models.density import DensityConfig, DensityModel
from zoo.models.hierarchical_flow.model import HierarchicalConfig, HierarchicalFlow
from zoo.physics.energy import from_openmm
from zoo.physics.target import BoltzmannTarget
from zoo.tasks.density.config import ObjectiveConfig
from zoo.tasks.density.objectives import OBJECTIVES, Setting
from zoo.tasks.density.objectives.base import effective_share, normalized
from zoo.tasks.density.objectives.buffer import BufferKL

PAIR = DataInfo(
    interface="density", units="lj", types=[0], num_particles=2, particle_types=[0, 0],
    reference=[[0.5, 0.0, 0.1], [-0.5, 0.0, -0.1]], kT=1.0,
)  # fmt: skip
#: The target: three normal coordinates of this width at kT = 1, about this centre.
WIDTH, CENTRE = 0.7, 0.3


class Normal(DensityModel):
    """Three independent normal coordinates with a common width, which no temperature changes."""

    def __init__(self, mean: float = CENTRE, width: float = WIDTH) -> None:
        super().__init__(DensityConfig(), PAIR)
        self.mean = nn.Parameter(torch.full((3,), mean, dtype=torch.float64))
        self.log_width = nn.Parameter(torch.tensor(math.log(width), dtype=torch.float64))

    def draw(self, n, generator=None):
        z = torch.randn(n, 3, generator=generator, dtype=torch.float64)
        q = self.mean + self.log_width.exp() * z
        return q, self.log_density(q)

    def log_density(self, q):
        z = (q - self.mean) / self.log_width.exp()
        return -0.5 * z.square().sum(1) - 3 * self.log_width - 1.5 * math.log(2 * math.pi)


def harmonic(model, calls=None):
    """½ |q − centre|²/width² at kT = 1."""

    def energy(x):
        if calls is not None:
            calls.append(len(x))
        q = model.coordinates.from_cartesian(x)[0]
        return 0.5 * ((q - CENTRE) / WIDTH).square().sum(1)

    return energy


def objective(name, model, *, calls=None, first=1.0, final=1.0, steps=100, batch=256, **options):
    target = BoltzmannTarget(harmonic(model, calls), model.coordinates, 1.0)
    setting = Setting(
        model=model, target=target, reference_kT=1.0, final=final, first=first, steps=steps,
        batch_size=batch, data=lambda: CENTRE + WIDTH * torch.randn(4000, 3, dtype=torch.float64),
        energy_cut=200.0,
    )  # fmt: skip
    setting.move_to(first)
    return OBJECTIVES[name](ObjectiveConfig(name=name, **options), setting)


def gradients(model, objective, step=0):
    model.zero_grad()
    objective.loss(step)[0].backward()
    return torch.cat([model.mean.grad, model.log_width.grad[None]])


@pytest.fixture(autouse=True)
def _seeded():
    torch.manual_seed(0)


def test_at_the_optimum_the_path_gradient_is_zero_draw_by_draw():
    """Roeder, Wu, Duvenaud 2017: the estimator has no variance where model and target agree."""
    model = Normal()
    path = gradients(model, objective("reverse-kl", model, batch=1, drop=0.0))
    assert path.abs().max() < 1e-12
    plain = gradients(model, objective("reverse-kl", model, batch=1, drop=0.0, path_gradient=False))
    assert plain[:3].abs().max() > 0.05  # the other one is zero on average only


def test_both_gradients_are_those_of_the_divergence():
    """KL(N(m, s²) ‖ N(c, w²)): d/dm = (m − c)/w² each, d/d ln s = 3 (s²/w² − 1)."""
    mean, width, batch = 0.5, 0.9, 50_000
    model = Normal(mean, width)
    exact = torch.tensor([(mean - CENTRE) / WIDTH**2] * 3 + [3 * (width**2 / WIDTH**2 - 1)]).double()
    for path in (True, False):
        chosen = objective("reverse-kl", model, batch=batch, drop=0.0, path_gradient=path)
        found = gradients(model, chosen)
        # one draw's gradient has a standard deviation below 5
        torch.testing.assert_close(found, exact, rtol=0, atol=4 * 5 / math.sqrt(batch))
    value, logs = chosen.loss(0)
    log_z = 3 * math.log(WIDTH) + 1.5 * math.log(2 * math.pi)
    divergence = 3 * (math.log(WIDTH / width) + (width**2 + (mean - CENTRE) ** 2) / (2 * WIDTH**2) - 0.5)
    assert float(value.detach()) == pytest.approx(divergence - log_z, abs=0.03)
    assert float(logs["elbo"]) == pytest.approx(-float(value.detach()))


def test_worst_draws_are_left_out_and_high_energies_damped():
    model = Normal(mean=0.0, width=1.0)
    chosen = objective("reverse-kl", model, batch=4096, drop=0.25)
    torch.manual_seed(1)
    q, log_q = model.draw(4096)
    log_w = (chosen.setting.target.log_density(q) - log_q).detach()
    torch.manual_seed(1)
    kept = log_w.sort().values[1024:].mean()  # the quarter with the least weights is gone
    assert -float(chosen.loss(0)[0].detach()) == pytest.approx(float(kept), abs=1e-3)
    chosen.setting.energy_cut = 4.0
    damping = chosen._damping(torch.tensor([-3.0, -6.0, -11.0, -torch.inf]))
    assert damping.tolist() == [1.0, 1.0, 0.5, 0.0]  # 0, 3, 8 above the least, cut at 4; and nowhere


def test_weights_have_mean_one_and_clip_cuts_the_largest():
    log_w = torch.tensor([0.0, 1.0, 2.0, 5.0, -torch.inf]).double()
    w = normalized(log_w)
    assert float(w.mean()) == pytest.approx(1) and w[4] == 0
    assert float(w[2] / w[1]) == pytest.approx(math.e)
    cut = normalized(log_w, clip=0.2)
    assert float(cut[3]) == pytest.approx(float(cut[2]))
    assert effective_share(torch.tensor([1.0, 1.0, 0.0, 0.0])) == pytest.approx(0.5)
    with pytest.raises(RunFailed, match="begin hotter"):
        normalized(torch.full((3,), -torch.inf))


@pytest.mark.parametrize("name", ["data", "reverse-kl", "buffer", "fab"])
def test_each_objective_finds_the_target(name):
    """From twice the width and beside the centre; and energies are counted row by row."""
    model, calls = Normal(mean=0.6, width=1.4), []
    options = {"fab": {"refresh": 2}, "buffer": {"refresh": 20, "draws": 2048}}.get(name, {"drop": 0.0})
    chosen = objective(name, model, calls=calls, batch=128, **options)
    optimizer = torch.optim.Adam(model.parameters(), lr=0.03)
    for step in range(150):
        optimizer.zero_grad()
        loss, logs = chosen.loss(step)
        loss.backward()
        optimizer.step()
        assert all(not value.requires_grad for value in logs.values())
    # 128 rows a step of noise, averaged over some thirty steps
    assert float(model.log_width.exp()) == pytest.approx(WIDTH, rel=0.06)
    assert (model.mean - CENTRE).abs().max() < 0.12
    assert chosen.setting.target.evaluations == sum(calls)
    assert (
        sum(calls)
        == {
            "data": 0,
            "reverse-kl": 150 * 128,
            "buffer": 8 * 2048,
            "fab": (8 + 74) * 128 * (1 + 4 * 3),  # warm-up and every second step; each: start, 4 levels of 3
        }[name]
    )


def test_the_ladder_keeps_the_effective_share_asked_for():
    """From width √T to √(rT) in d = 3 the share is (r (2 − r))^{3/2}: 0.5 at r = 0.392.

    The model is set to each rung's density, as if it had learned it.
    """
    rung = 1 - math.sqrt(1 - 0.5 ** (2 / 3))
    first = 20.0
    model = Normal(width=WIDTH * math.sqrt(first))
    chosen = objective(
        "buffer", model, first=first, steps=10_000, draws=20_000, refresh=10, ess=0.5, clip=0.0
    )
    assert isinstance(chosen, BufferKL)
    temperatures = []
    for fill in range(8):
        chosen._fill(10 * fill)
        temperatures.append(chosen.kT)
        assert chosen.setting.target.kT == chosen.kT
        if chosen.kT > 1:
            assert chosen.ess > 0.45  # chosen by a pilot of 2048
        with torch.no_grad():
            model.log_width.fill_(math.log(WIDTH * math.sqrt(chosen.kT)))
    ratios = [b / a for a, b in zip([first, *temperatures], temperatures, strict=False)]
    assert ratios[:3] == pytest.approx([rung] * 3, rel=0.12)
    assert temperatures[3:] == [1.0] * 5  # 20 · 0.392⁴ < 1
    assert chosen.ess == pytest.approx(1, abs=1e-6)
    variance = (chosen.rows - CENTRE).square().mean()
    assert float(variance) == pytest.approx(WIDTH**2, rel=0.03)


def test_a_ladder_that_runs_out_of_time_ends_all_the_same():
    """A model that never learns cannot keep any share: the temperature falls evenly, and reaches the end."""
    model = Normal(width=20.0)
    chosen = objective("buffer", model, first=16.0, steps=100, draws=256, refresh=10, ess=0.99)
    temperatures = []
    for fill in range(10):
        chosen._fill(10 * fill)
        temperatures.append(chosen.kT)
    assert all(b < a for a, b in zip([16.0, *temperatures], temperatures, strict=False) if a > 1.0)
    assert temperatures[6] == 1.0  # at 0.7 of the stage
    assert temperatures[0] == pytest.approx(16 ** (6 / 7), rel=1e-9)


@pytest.mark.parametrize("name", ["buffer", "fab"])
def test_state_goes_on_as_if_nothing_had_happened(name):
    model = Normal(width=1.5)
    options = {"draws": 1024, "refresh": 4}
    first = objective(name, model, batch=64, first=4.0 if name == "buffer" else 1.0, **options)
    with torch.no_grad():
        for step in range(6):
            first.loss(step)
    second = objective(name, model, batch=64, first=4.0 if name == "buffer" else 1.0, **options)
    second.load_state({k: v.clone() for k, v in first.state().items()})
    assert second.setting.target.kT == first.setting.target.kT
    for step in range(6, 12):
        losses = []
        for one in (first, second):
            torch.manual_seed(step)
            losses.append(float(one.loss(step)[0].detach()))
        assert losses[0] == losses[1]


@pytest.fixture(scope="module")
def flow():
    """A flow of two levels on H–O–O–H whose local level depends on the torsion, far from the target."""
    info = DataInfo(
        interface="density", units="ase", types=[1, 8], num_particles=4, particle_types=[1, 8, 8, 1],
        bonds=[(0, 1), (1, 2), (2, 3)], reference=peroxide.positions(1)[0].tolist(), kT=peroxide.KT_EV,
    )  # fmt: skip
    torch.manual_seed(3)
    model = HierarchicalFlow(
        HierarchicalConfig(bins=8, hidden=8, torsion_hidden=8, couplings=2), info
    ).double()
    target = BoltzmannTarget(from_openmm(peroxide.XML), model.coordinates, peroxide.KT_EV)
    model.prepare(target, None)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter += 0.2 * torch.randn_like(parameter)
    return model, target


def part_gradients(flow, part, path):
    model, target = flow
    setting = Setting(
        model=model, target=target, reference_kT=target.kT, final=target.kT, first=target.kT, steps=10,
        batch_size=64, data=lambda: torch.empty(0), energy_cut=1e6,
    )  # fmt: skip
    options = ObjectiveConfig(name="reverse-kl", part=part, path_gradient=path, drop=0.0)
    chosen = OBJECTIVES["reverse-kl"](options, setting)
    model.zero_grad()
    torch.manual_seed(5)
    chosen.loss(0)[0].backward()
    return {name: p.grad for name, p in model.named_parameters()}


@pytest.mark.parametrize("path", [True, False])
def test_the_torsions_alone_get_the_gradient_that_they_get_with_the_rest(flow, path):
    """Local coordinates move with their torsion; their weights are held, not their dependence on it."""
    alone, together = (part_gradients(flow, part, path) for part in ("torsions", "all"))
    for name, gradient in alone.items():
        if name.startswith("torsions."):
            torch.testing.assert_close(gradient, together[name], rtol=1e-9, atol=1e-9)
        else:
            assert gradient is None or not gradient.any()
            assert together[name].any()


@pytest.mark.parametrize("path", [True, False])
def test_the_local_part_leaves_the_torsions_alone(flow, path):
    found = part_gradients(flow, "local", path)
    for name, gradient in found.items():
        assert (gradient is None or not gradient.any()) == name.startswith("torsions.")


@pytest.mark.parametrize("part", ["torsions", "local"])
@pytest.mark.parametrize("name", ["buffer", "data"])
def test_matching_one_part_leaves_the_other_alone(flow, name, part):
    model, target = flow
    rows = model.coordinates.from_cartesian(torch.tensor(peroxide.positions(50)))[0]
    setting = Setting(
        model=model, target=target, reference_kT=target.kT, final=target.kT, first=target.kT, steps=10,
        batch_size=32, data=lambda: rows, energy_cut=200.0,
    )  # fmt: skip
    model.zero_grad()
    OBJECTIVES[name](ObjectiveConfig(name=name, part=part, draws=128), setting).loss(0)[0].backward()
    moved = {k for k, p in model.named_parameters() if p.grad is not None and p.grad.any()}
    assert moved and {k.startswith("torsions.") for k in moved} == {part == "torsions"}
