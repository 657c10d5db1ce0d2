"""Frames that are off by some percent of a bond become samples of their temperature again."""

from __future__ import annotations

from dataclasses import replace
from importlib.resources import files
from pathlib import Path

import numpy as np
import pytest

from zoo.data.dataset import Dataset
from zoo.engines.exchange_frames import exchange_job
from zoo.engines.exchange_options import ExchangeOptions
from zoo.engines.polish import Polish
from zoo.physics import from_openmm


@pytest.fixture(scope="module")
def dataset():
    return Dataset(Path(str(files("zoo.datasets.alanine_dipeptide") / "sample")))


@pytest.fixture(scope="module")
def polish(dataset):
    xml = dataset.system.parameters["openmm_system_xml"]
    job = exchange_job(
        xml, dataset.system.masses, [], 5, 1, ExchangeOptions(), torsions=[], planes=[], polish=30
    )
    return Polish(job)


def test_noise_is_forgotten(dataset, polish):
    chosen = np.arange(0, len(dataset), len(dataset) // 120)[:120]
    frames, energies = dataset.array("positions")[chosen], dataset.array("energies")[chosen]
    noise = np.random.default_rng(0).normal(0, 0.03, frames.shape).astype(np.float32)
    before = _energies(polish, frames + noise)
    after = polish(frames + noise, ensemble=2)
    error = energies.std() / np.sqrt(len(chosen) / 2)  # of the difference of two such means
    assert before.mean() - energies.mean() > 20 * error
    assert abs(after["energies"].mean() - energies.mean()) < 4 * error
    # equipartition holds for the spread, too: (3N − 6)/2 for harmonic motion, error √(2/120)
    kT = 8.617333e-5 * 300
    assert 0.5 * 30 < after["energies"].var() / kT**2 < 1.6 * 30


def test_labels_belong_to_the_positions(dataset, polish):
    frames, short = dataset.array("positions")[:3], Polish(replace(polish.job, polish=3))
    once, again, other = short(frames, 0), short(frames, 0), short(frames, 1)
    assert all(np.array_equal(once[name], again[name]) for name in once)
    assert not np.allclose(once["positions"], other["positions"], atol=1e-2)
    assert once["positions"].dtype == np.float32 and once["energies"].dtype == np.float64
    np.testing.assert_allclose(once["energies"], _energies(polish, once["positions"]), atol=1e-12)


def _energies(polish, positions):
    import torch

    double = from_openmm(polish.job.system_xml)
    return double(torch.tensor(np.asarray(positions), dtype=torch.float64)).detach().numpy()
