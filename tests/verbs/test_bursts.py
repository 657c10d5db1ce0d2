"""Dense simulations of atoms: beads obey Newton's law with the mapped forces, and their noise is resolved."""

from __future__ import annotations

import numpy as np
import pytest

from zoo.coarse.maps import centers
from zoo.coarse.schemes import scheme
from zoo.data.catalog import open_dataset
from zoo.errors import ConfigError, DataError
from zoo.units import BOLTZMANN_EV, EV_PER_KJ_MOL
from zoo.verbs.bursts import bead_friction, bursts


@pytest.fixture(scope="module")
def atoms():
    return open_dataset("alanine-dipeptide")


def test_centres_of_mass_obey_newton(atoms):
    """M d²z/dt² = F of residues, by second differences at 0.5 fs: their error is 1/12 (ω Δt)² < 1 %."""
    coarse = scheme("residue", atoms.system)
    h = 0.0005
    dense = bursts(atoms, coarse, count=3, frames=60, spacing=h, timestep=h)
    mass = np.array([atoms.system.masses[coarse.group == b].sum() for b in range(coarse.num_beads)])
    z = dense.positions
    acceleration = (z[:, 2:] - 2 * z[:, 1:-1] + z[:, :-2]) / h**2
    force = mass[:, None] * acceleration * EV_PER_KJ_MOL / 100
    assert np.abs(force).mean() > 0.1
    assert force == pytest.approx(dense.forces[:, 1:-1], abs=0.02 * np.abs(force).max())
    assert dense.kT == pytest.approx(BOLTZMANN_EV * 300)


def test_one_bead_of_all_atoms_feels_nothing(atoms):
    dense = bursts(atoms, centers(np.zeros(22, int), atoms.system.masses), count=2, frames=5)
    assert np.abs(dense.forces).max() < 1e-6
    step = np.diff(dense.positions, axis=1)
    assert step == pytest.approx(np.broadcast_to(step[:, :1], step.shape), abs=1e-6)


def test_noise_of_beads_is_resolved_by_frames_2_fs_apart_and_not_100(atoms):
    """Bonds vibrate with periods of 20 fs and more."""

    class Nothing:
        def energy_and_forces(self, x):
            return x.sum((1, 2)), 0 * x

    coarse = scheme("backbone", atoms.system)
    dense = bead_friction(bursts(atoms, coarse, count=8, frames=60, spacing=0.002), Nothing())
    assert dense.resolved and dense.correlation.shape == (16, 5)
    sparse = bursts(atoms, coarse, count=8, frames=12, spacing=0.1, timestep=0.002)
    assert not bead_friction(sparse, Nothing()).resolved


def test_wrong_requests(atoms):
    with pytest.raises(ConfigError, match="no whole number of time steps"):
        bursts(atoms, scheme("backbone", atoms.system), spacing=0.0025)
    with pytest.raises(DataError, match="the map is of 14 particles"):
        bursts(atoms, scheme("heavy", open_dataset("aniline").system))
    with pytest.raises(DataError, match="no energy function"):
        bursts(open_dataset("protein"), scheme("random", open_dataset("protein").system, 2))
