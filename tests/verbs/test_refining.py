"""Refinement leaves exact distributions as they are, and brings wrong ones nearer."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from zoo import keys
from zoo.data.catalog import open_dataset
from zoo.data.dataset import Dataset
from zoo.data.potential import potential_of
from zoo.datasets.dw4.exact import exact
from zoo.verbs.drawing import frame_writer
from zoo.verbs.evaluate import fitted
from zoo.verbs.refining import Refined, refine


@pytest.fixture(scope="module")
def toy():
    data = open_dataset("dw4")
    return fitted("laplace", {}, data.split("train"), {"name": "density"}), data


def frames_of(positions: np.ndarray, like: Dataset, folder) -> Dataset:
    with frame_writer(folder, like) as writer:
        writer.append({keys.POSITIONS: positions.astype(np.float32)})
    return Dataset(folder)


def gaussian(n: int, width: float) -> np.ndarray:
    """Four particles in the plane about their centre, each coordinate of `width` before that."""
    x = np.zeros((n, 4, 3))
    x[..., :2] = width * np.random.default_rng(5).standard_normal((n, 4, 2))
    return x - x.mean(1, keepdims=True)


def walk(model, start: Dataset, potential, kT: float, iterations: int) -> Refined:
    generator = torch.Generator().manual_seed(iterations)
    return refine(model, start, potential, kT, iterations, generator, start.path.with_name("end"))


STIFF, KT = 3.0, 0.7


def springs(x: torch.Tensor) -> torch.Tensor:
    """½ k N Σ |x_i − x̄|²: all pairs joined by springs; q is normal with variance kT/(kN)."""
    away = x - x.mean(1, keepdim=True)
    return 0.5 * STIFF * 4 * (away**2).sum((1, 2))


@pytest.mark.parametrize("factor", [1.0, 1.5])
def test_gaussian(toy, tmp_path, factor):
    """Six degrees of freedom, each ½ kT; from a width of 1.5 times the energy falls towards it."""
    model, data = toy
    n, width = 4000, (KT / (4 * STIFF)) ** 0.5
    start = frames_of(gaussian(n, factor * width), data, tmp_path / "start")
    moved = walk(model, start, springs, KT, 4)
    x = moved.dataset.array(keys.POSITIONS)
    error = KT * (3 / n) ** 0.5
    if factor == 1:
        assert moved.energy.mean() == pytest.approx(3 * KT, abs=4 * error)
        spread = x[..., :2].var() / (width**2 * 3 / 4)  # about the centre: (N − 1)/N
        assert spread == pytest.approx(1, abs=4 * (2 / (6 * n)) ** 0.5)
    else:
        assert 3 * KT - 4 * error < moved.energy.mean() < 0.7 * factor**2 * 3 * KT
    assert (x[..., 2] == 0).all() and np.abs(x.mean(1)).max() < 1e-5
    assert 0.6 < moved.acceptance < 0.97
    assert moved.turned_back == moved.left_alone == 0
    assert (x != start.array(keys.POSITIONS)).any((1, 2)).mean() > 0.9


def test_dw4_stays_at_equilibrium(toy, tmp_path):
    """⟨U⟩ by quadrature, before and after; frames of the sample are nearly independent."""
    model, data = toy
    start = frames_of(data.array(keys.POSITIONS), data, tmp_path / "start")
    moved = walk(model, start, potential_of(data), 1.0, 5)
    known = exact(1.0)
    error = (known.variance_energy / len(data)) ** 0.5
    assert moved.energy.mean() == pytest.approx(known.mean_energy, abs=4 * error)
    assert moved.energy.var() == pytest.approx(known.variance_energy, rel=0.25)
    leapfrog = 10 * 5 * len(data)
    assert leapfrog < moved.evaluations < leapfrog + 4 * len(data) + 20_000


def test_frames_outside_of_the_domain_are_left_alone_and_none_leaves_it(tmp_path):
    """Mirror images of alanine dipeptide, whose chirality is the other one."""
    data = open_dataset("alanine-dipeptide/replica-exchange")
    model = fitted("laplace", {}, data.split("train"), {"name": "density"})
    x = np.array(data.array(keys.POSITIONS, slice(0, 24)), np.float64)
    x[::4] *= -1
    kT = data.units.boltzmann * 300
    start = frames_of(x, data, tmp_path / "start")
    moved = walk(model, start, potential_of(data), kT, 3)
    end = moved.dataset.array(keys.POSITIONS)
    same = (end == start.array(keys.POSITIONS)).all((1, 2))
    assert moved.left_alone == 6 and same[::4].all() and np.isinf(moved.energy[::4]).all()
    kept = np.ones(24, bool)
    kept[::4] = False
    assert not same[kept].all() and np.isfinite(moved.energy[kept]).all()
    inside = model.coordinates.inside(model.coordinates.from_cartesian(torch.tensor(end).double())[0])
    assert inside.numpy().tolist() == kept.tolist()


def test_a_move_out_of_the_domain_is_not_accepted(toy, tmp_path, monkeypatch):
    """A wall: the mean of a Gaussian's half is known, √(2/π) widths, and stays."""
    model, data = toy
    n, width = 4000, (KT / (4 * STIFF)) ** 0.5
    x = gaussian(n, width)
    x[x[:, 0, 0] < 0] *= -1
    monkeypatch.setattr(
        model.coordinates, "inside", lambda q: model.coordinates.to_cartesian(q)[0][:, 0, 0] > 0
    )
    start = frames_of(x, data, tmp_path / "start")
    moved = walk(model, start, springs, KT, 4)
    end = moved.dataset.array(keys.POSITIONS)[:, 0, 0]
    own = width * (3 / 4) ** 0.5
    error = own * (1 - 2 / np.pi) ** 0.5 / n**0.5
    assert (end > -1e-6).all() and moved.turned_back > n // 10
    assert end.mean() == pytest.approx(own * (2 / np.pi) ** 0.5, abs=4 * error)
