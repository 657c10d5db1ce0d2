"""`zoo.sample` of potentials: exact averages, losses counted, files, the comparison with the data."""

from __future__ import annotations

import json

import numpy as np
import pytest
import torch
from synthetic import LENGTH, STIFFNESS, chain

import zoo
from zoo.data.catalog import open_dataset
from zoo.data.info import DataInfo
from zoo.errors import ConfigError, DataError, RunFailed
from zoo.models.potential import GraphPotential
from zoo.models.schnet.config import SchNetConfig
from zoo.models.schnet.model import SchNet
from zoo.physics.forces import energy_and_forces
from zoo.physics.samplers import inertia
from zoo.physics.vibrations import shortest_period
from zoo.units import ASE, BOLTZMANN_EV


@pytest.fixture(scope="module")
def beads(tmp_path_factory):
    return chain(tmp_path_factory.mktemp("data") / "chain", frames=240)


@pytest.fixture(scope="module")
def run(beads, tmp_path_factory):
    """The exact potential: harmonic bonds, fitted to forces that are harmonic bonds."""
    out = tmp_path_factory.mktemp("runs") / "harmonic"
    return zoo.train("harmonic", str(beads), settings={"model.angles": False}, out=out, with_baselines=False)


# --- positions as the model sees them ------------------------------------------------------------


def schnet(particles: int, units: str = "ase") -> SchNet:
    torch.manual_seed(0)
    info = DataInfo(interface="potential", units=units, types=[6], num_particles=particles)
    config = SchNetConfig(hidden_channels=8, num_filters=8, num_gaussians=10, num_interactions=2, cutoff=3.0)
    return SchNet(config, info).double()


@pytest.mark.parametrize("particles", [5, 70])
def test_potential_is_the_models_on_graphs(particles):
    """All pairs, and neighbour lists that are kept while particles move a little, are the same function."""
    model, rng = schnet(particles), np.random.default_rng(1)
    x = torch.from_numpy(rng.random((3, particles, 3)) * 1.4 * particles ** (1 / 3))
    potential = GraphPotential(model, [6] * particles)
    for move in (0.0, 0.01, 0.1, 1.0):
        moved = x + move * torch.from_numpy(rng.standard_normal(x.shape))
        energy, forces = potential.energy_and_forces(moved)
        for k in range(3):
            graph = _graph(moved[k], model)
            e, f = energy_and_forces(model, graph)
            assert energy[k].item() == pytest.approx(e.item(), abs=1e-10)
            assert forces[k].numpy() == pytest.approx(f.numpy(), abs=1e-10)
        assert potential(moved).detach().numpy() == pytest.approx(energy.numpy(), abs=1e-10)


def _graph(x, model):
    from zoo.data.graph import Graph
    from zoo.graphs import neighbor_list

    found = neighbor_list(x, model.cutoff)
    return Graph(
        pos=x, z=torch.full((len(x),), 6), edge_index=found.edge_index, edge_pair=found.edge_pair,
        pair_edge=found.pair_edge,
    )  # fmt: skip


def test_broken_replicas_do_not_harm_the_others():
    for particles in (5, 70):
        model, rng = schnet(particles), np.random.default_rng(2)
        x = torch.from_numpy(rng.random((3, particles, 3)) * 4)
        whole = GraphPotential(model, [6] * particles).energy_and_forces(x)[1]
        x[1, 0] = float("nan")
        energy, forces = GraphPotential(model, [6] * particles).energy_and_forces(x)
        assert torch.isfinite(energy).tolist() == [True, False, True]
        assert forces[[0, 2]].numpy() == pytest.approx(whole[[0, 2]].numpy(), abs=1e-12)


def test_wrong_positions():
    with pytest.raises(DataError, match=r"must be \[batch, 5, 3\], got \[5, 3\]"):
        GraphPotential(schnet(5), [6] * 5)(torch.zeros(5, 3))
    with pytest.raises(DataError, match="give the cell"):
        GraphPotential(schnet(5), [6] * 5, (True, True, True))(torch.zeros(1, 5, 3))


def test_shortest_period_is_that_of_the_fastest_normal_mode():
    """A chain of springs along a line: stretches are eigenvalues of a matrix, and nothing else is stiff."""
    masses = torch.tensor([12.0, 16, 12, 16, 12], dtype=torch.float64)
    x = torch.zeros(2, 5, 3, dtype=torch.float64)
    x[:, :, 0] = LENGTH * torch.arange(5)

    def springs(x):
        r = (x[:, 1:] - x[:, :-1]).norm(dim=-1)
        return 0.5 * STIFFNESS * (r - LENGTH).square().sum(1)

    m = inertia(masses, ASE)
    ends = torch.zeros(4, 5, dtype=torch.float64)
    ends[range(4), range(4)], ends[range(4), range(1, 5)] = -1, 1
    dynamical = STIFFNESS * ends.T @ ends / (m[:, None] * m[None]).sqrt()
    expected = 2 * np.pi / float(torch.linalg.eigvalsh(dynamical)[-1].sqrt())
    found = shortest_period(springs, x, m, torch.Generator().manual_seed(0))
    assert found == pytest.approx(expected, rel=0.02)
    assert shortest_period(lambda x: 0 * x.sum((1, 2)), x, m, torch.Generator()) == float("inf")


# --- the simulation ---------------------------------------------------------------------------


def test_averages_of_equilibrium(run, beads, tmp_path):
    """Bonds of a freely jointed chain: p(r) ∝ r² exp(−k (r − r₀)²/2kT), each on its own: mean by quadrature.

    4 · 6000 lengths, about one independent in five: standard error of the mean 0.001 Å.
    """
    made = zoo.sample(run, 6000, tmp_path / "x.npz", replicas=60, interval=0.1, equilibrate=3, seed=1)
    with np.load(tmp_path / "x.npz") as file:
        x, replica, time = (file[name].astype(float) for name in ("positions", "run", "time"))
    r = np.linalg.norm(np.diff(x, axis=1), axis=-1)
    grid = np.linspace(0.5, 2.5, 20001)
    p = grid**2 * np.exp(-0.5 * STIFFNESS * (grid - LENGTH) ** 2 / (BOLTZMANN_EV * 300))
    mean = (grid * p).sum() / p.sum()
    assert r.mean() == pytest.approx(mean, abs=0.004)
    assert r.var() == pytest.approx((grid**2 * p).sum() / p.sum() - mean**2, rel=0.06)
    assert len(x) == 6000 and (np.bincount(replica.astype(int)) == 100).all()
    assert time[:100] == pytest.approx(0.1 * np.arange(1, 101))
    assert made.metrics["stability"]["value"] == 1
    assert made.metrics["simulated_time"]["value"] == pytest.approx(60 * 13)


def test_files_and_record(run, tmp_path):
    made = zoo.sample(run, 40, tmp_path / "new" / "x.xtc", replicas=4, interval=0.05, equilibrate=0.1, seed=3)
    assert [p.name for p in made.files] == ["x.xtc", "x.pdb", "x.simulation.json"]
    assert sorted(p.name for p in (tmp_path / "new").iterdir()) == sorted(p.name for p in made.files)
    record = json.loads(made.files[-1].read_text())
    settings = record["settings"]
    assert settings["replicas"] == 4 and settings["frames"] == 40 and settings["temperature"] == 300
    assert settings["interval"] == pytest.approx(0.05)
    steps = settings["interval"] / settings["timestep"]
    assert steps == pytest.approx(round(steps)) and settings["timestep"] <= settings["shortest_period"] / 8
    assert record["lost_at"] == [None] * 4 and record["metrics"] == made.metrics
    assert {"js_rg", "js_end_to_end", "js_tica", "outside"} <= made.metrics.keys()
    with np.load(run.path / "simulation.npz") as file:
        assert file["positions"].shape == (40, 5, 3) and file["replica"].tolist() == [
            k // 10 for k in range(40)
        ]
        names = file["features"].tolist()
        k = names.index("end-to-end")
        ends = np.linalg.norm(file["positions"][:, 4] - file["positions"][:, 0], axis=-1)
        assert file[f"simulated_{k}"] == pytest.approx(ends, abs=1e-4)
        assert len(file[f"reference_{k}"]) == 240 and file["units"][k] == "Å"
    import mdtraj

    back = mdtraj.load(made.files[0], top=str(made.files[1]))
    assert back.n_frames == 40 and back.n_atoms == 5
    with pytest.raises(DataError, match=r"x.xtc exists already"):
        zoo.sample(run, 40, tmp_path / "new" / "x.xtc")


def test_the_same_seed_gives_the_same_frames(run, tmp_path):
    for name, seed in (("a", 1), ("b", 1), ("c", 2)):
        zoo.sample(run, 6, tmp_path / f"{name}.npz", replicas=3, interval=0.05, equilibrate=0, seed=seed)
    a, b, c = (np.load(tmp_path / f"{name}.npz")["positions"] for name in "abc")
    assert (a == b).all() and not (a == c).all()


def test_another_temperature_is_not_compared(run, tmp_path):
    made = zoo.sample(
        run, 2000, tmp_path / "x.npz", temperature=600, replicas=40, interval=0.1, equilibrate=3
    )
    assert not [name for name in made.metrics if name.startswith(("js", "fes"))]
    assert any("not compared" in note for note in made.notes)
    with np.load(tmp_path / "x.npz") as file:
        r = np.linalg.norm(np.diff(file["positions"].astype(float), axis=1), axis=-1)
    assert r.var() == pytest.approx(BOLTZMANN_EV * 600 / STIFFNESS, rel=0.12)


def test_frames_are_shared_out_over_replicas(run, tmp_path):
    zoo.sample(run, 11, tmp_path / "x.npz", replicas=4, interval=0.05, equilibrate=0)
    with np.load(tmp_path / "x.npz") as file:
        assert np.bincount(file["run"]).tolist() == [3, 3, 3, 2]


# --- what breaks down ---------------------------------------------------------------------------


def test_lost_replicas_are_counted_and_left_behind(run, beads, tmp_path, monkeypatch):
    """A wall that two of six replicas run into: their frames before that stay."""
    from zoo.models.harmonic.model import Harmonic

    forward = Harmonic.forward

    def cliff(self, graph):
        energy = forward(self, graph)
        x = graph.pos.view(-1, 5, 3)
        return energy + torch.where(x[:, 0, 0] > 500, float("nan"), 0.0)

    def starts(data, replicas):
        x = torch.from_numpy(data.array("positions")[:replicas].astype(np.float64))
        x[:2, :, 0] += 499.5
        return x

    monkeypatch.setattr(Harmonic, "forward", cliff)
    monkeypatch.setattr("zoo.verbs.simulate._starts", starts)
    made = zoo.sample(run, 600, tmp_path / "x.npz", replicas=6, interval=0.1, equilibrate=0, seed=2)
    assert made.metrics["stability"]["value"] == pytest.approx(4 / 6)
    lost = json.loads(made.files[-1].read_text())["lost_at"]
    assert [t is None for t in lost] == [False, False, True, True, True, True]
    with np.load(tmp_path / "x.npz") as file:
        counts = np.bincount(file["run"], minlength=6)
        assert np.isfinite(file["positions"]).all()
    assert counts[2:].tolist() == [100] * 4
    assert counts[:2].tolist() == [round(t / 0.1) - 1 for t in lost[:2]]
    assert any("2 of 6 replicas broke down" in note for note in made.notes)


def test_bonds_that_break_are_losses(beads, tmp_path):
    """No force at all: each replica flies apart, and that is said instead of a comparison of debris."""
    run = zoo.train("mean-force", str(beads), out=tmp_path / "run")
    with pytest.raises(RunFailed, match="every replica broke down, half of them within"):
        zoo.sample(run, 50, tmp_path / "x.npz", replicas=5, interval=1.0, timestep=0.01, equilibrate=20)
    with pytest.raises(RunFailed, match="give a --timestep"):
        zoo.sample(run, 50, tmp_path / "x.npz")
    assert [p.name for p in tmp_path.iterdir()] == ["run"]


def test_wrong_requests(run, tmp_path):
    out = tmp_path / "x.npz"
    for more, words in (
        ({"n": 0}, "positive number of frames"),
        ({"resample": True}, "--resample: for runs of task density"),
        ({"refine": 5}, "--refine: for runs of task density"),
        ({"timestep": -1.0}, "--timestep takes a positive"),
        ({"replicas": 0}, "--replicas takes a positive"),
        ({"friction": 0.0}, "--friction takes a positive"),
        ({"interval": float("inf")}, "--interval takes a positive"),
        ({"equilibrate": -1.0}, "--equilibrate takes a positive"),
    ):
        with pytest.raises(ConfigError, match=words):
            zoo.sample(run, **({"n": 10, "out": out} | more))
    assert list(tmp_path.iterdir()) == []


def test_periodic_systems_are_refused(tmp_path):
    """Said at once; the calculator for ASE takes them."""
    data = open_dataset("kob-andersen")
    from zoo.verbs.simulate import Dynamics, simulate

    with pytest.raises(DataError, match="is periodic; zoo sample simulates"):
        simulate(schnet(1, "lj"), data, 10, tmp_path / "x.npz", Dynamics(), tmp_path)
