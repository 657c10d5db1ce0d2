"""Liquid argon passes the zoo's suite; its physics, and that it survives a kill."""

from __future__ import annotations

from pathlib import Path

import molzoo_megnet.argon.entry as entry_module
import numpy as np
import pytest
from molzoo_megnet.argon.options import CUTOFF, EPSILON, SIGMA, ArgonOptions
from molzoo_megnet.argon.simulation import lattice, lennard_jones

from zoo.config import validated
from zoo.data.catalog import dataset_entry
from zoo.data.dataset import Dataset
from zoo.errors import ConfigError, DataError
from zoo.testing import DatasetSuite


class TestArgon(DatasetSuite):
    name = "molzoo-megnet:argon"


def test_pair_energy_and_force() -> None:
    """Two atoms at the minimum: −ε plus the shift, no force, u″ = 72 ε / (2^(1/3) σ²)."""
    r = 2 ** (1 / 6) * SIGMA
    energy, forces, curvature = lennard_jones(np.array([[[0.0, 0, 0], [r, 0, 0]]]), 40.0)
    shift = 4 * EPSILON * ((SIGMA / CUTOFF) ** 12 - (SIGMA / CUTOFF) ** 6)
    # exact formulas: double precision, a few operations
    assert energy[0] == pytest.approx(-EPSILON - shift, rel=1e-12)
    assert np.abs(forces).max() < 1e-14
    assert curvature[0] == pytest.approx(2 * 72 * EPSILON / (2 ** (1 / 3) * SIGMA**2), rel=1e-12)


def test_forces_are_the_gradient_across_the_box() -> None:
    options = ArgonOptions()
    rng = np.random.default_rng(0)
    x = lattice(options)[None] + rng.normal(size=(1, options.particles, 3)) * 0.2 + 30.0
    way = rng.normal(size=x.shape)
    up, down = (lennard_jones(x + s * 1e-5 * way, options.box)[0] for s in (1, -1))
    forces = lennard_jones(x, options.box)[1]
    # central differences: 1e-10 U‴ + 1e-16 U/1e-5; the cutoff's jump in force is crossed by few pairs
    assert (down - up)[0] / 2e-5 == pytest.approx((forces * way).sum(), rel=1e-5)
    assert np.abs(forces.sum(1)).max() < 1e-12


def test_killed_and_continued_is_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    entry = dataset_entry("molzoo-megnet:argon")
    options = ArgonOptions(**{**entry.tiny, "runs": 1})
    monkeypatch.setattr(entry_module, "PIECE", 4)
    whole = Dataset(entry.make(tmp_path / "whole", frames=12, seed=3, options=options))
    honest = entry_module.State.run
    calls = []

    def killed(state, *arguments, **settings):
        calls.append(settings)
        if len(calls) == 4:  # melting, settling, the first piece; then
            raise KeyboardInterrupt
        return honest(state, *arguments, **settings)

    monkeypatch.setattr(entry_module.State, "run", killed)
    with pytest.raises(KeyboardInterrupt):
        entry.make(tmp_path / "killed", frames=12, seed=3, options=options)
    assert not (tmp_path / "killed").exists()
    monkeypatch.setattr(entry_module.State, "run", honest)
    again = Dataset(entry.make(tmp_path / "killed", frames=12, seed=3, options=options))
    for name, array in whole.arrays.items():
        assert np.array_equal(array, again.arrays[name]), name


def test_wrong_options_say_why() -> None:
    with pytest.raises(ConfigError, match="more cells"):
        validated(ArgonOptions, {"density": 1.8})
    with pytest.raises(ConfigError, match="whole number"):
        validated(ArgonOptions, {"interval": 0.013})


def test_too_few_frames(tmp_path: Path) -> None:
    entry = dataset_entry("molzoo-megnet:argon")
    with pytest.raises(DataError, match="--set runs"):
        entry.make(tmp_path / "x", frames=4, seed=0, options=ArgonOptions())


def test_checks_notice_what_is_wrong(tmp_path: Path) -> None:
    """Energies of another potential, velocities of another temperature."""
    dataset = TestArgon().make(dataset_entry("molzoo-megnet:argon"), tmp_path / "a", 0)
    entry = dataset_entry("molzoo-megnet:argon")
    dataset.arrays["energies"] = np.array(dataset.arrays["energies"]) + 1e-3
    dataset.arrays["forces"] = np.array(dataset.arrays["forces"]) * 1.01
    dataset.arrays["velocities"] = np.array(dataset.arrays["velocities"]) * 1.5
    failed = {check.name for check in entry.checks(dataset) if check.ok is False}
    assert {"energies", "forces", "temperature of velocities"} <= failed
