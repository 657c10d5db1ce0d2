"""A dataset of Kremer-Grest chains against its potential, exact results and an independent study."""

from __future__ import annotations

import numpy as np

from zoo import keys
from zoo.data.dataset import Dataset
from zoo.data.entry import Check
from zoo.datasets.ring_polymer.dynamics import dynamics_checks
from zoo.datasets.ring_polymer.polymer import Polymer
from zoo.datasets.ring_polymer.potential import curvature, energy_and_forces
from zoo.datasets.ring_polymer.statistics import jackknife
from zoo.datasets.ring_polymer.structure import bond_checks, size_checks
from zoo.datasets.ring_polymer.subject import Subject
from zoo.datasets.ring_polymer.topology import topology_checks

#: Configurations are recomputed of so many beads together, evenly chosen.
BEADS = 70_000
#: Random directions in which each configuration's curvature is looked at.
DIRECTIONS = 2


def all_checks(dataset: Dataset) -> list[Check]:
    """Return every comparison that the dataset's arrays allow."""
    made = Polymer.from_system(dataset.system)
    polymer = made or Polymer.from_bonds(dataset.system)
    if polymer is None:
        note = "the system's bonds are not those of equal chains; nothing else was compared"
        return [Check("chains", "equal, numbered along", "the system's bonds", None, note=note)]
    subject = Subject.of(dataset, polymer)
    return [
        *(_potential(subject) if made else ()),
        *(bond_checks(subject) if dataset.manifest.units == "lj" else ()),
        *(size_checks(subject) if made else ()),
        *topology_checks(subject),
        *dynamics_checks(subject),
    ]


def _potential(subject: Subject) -> list[Check]:
    """Energies and forces recomputed; the temperature from positions alone."""
    dataset, polymer = subject.dataset, subject.polymer
    number = min(len(subject.frames), max(1, BEADS // polymer.particles))
    some = np.unique(np.linspace(0, len(subject.frames) - 1, number).astype(int))
    energies, forces, thermometer = [], [], np.zeros((len(subject.frames), 2))
    rng = np.random.default_rng(0)
    stored = {key: key in dataset.arrays for key in (keys.ENERGIES, keys.FORCES)}
    for index in some:
        frame = subject.frames[index]
        positions = subject.chains[index].reshape(-1, 3)
        box = np.diag(dataset.array(keys.CELLS)[frame]) if keys.CELLS in dataset.arrays else None
        energy, force = energy_and_forces(positions, polymer, box)
        bend = [curvature(positions, polymer, box, rng) for _ in range(DIRECTIONS)]
        thermometer[index] = np.sum(force**2), np.mean(bend)
        if stored[keys.ENERGIES]:
            energies.append(abs(energy - dataset.array(keys.ENERGIES)[frame]))
        if stored[keys.FORCES]:
            forces.append(np.abs(force - dataset.array(keys.FORCES)[frame]).max())
    out = []
    for name, key, found, limit, unit in (
        # The same sums in float64, of some thousand ε: rounding is below 1e-11.
        ("energies recomputed in numpy, largest difference", keys.ENERGIES, energies, 1e-8, "ε"),
        # Stored in float32: 6e-8 of at most some hundred ε/σ.
        ("forces recomputed in numpy, largest difference", keys.FORCES, forces, 1e-4, "ε/σ"),
    ):
        worst = float(np.max(found)) if found else None
        ok = None if worst is None else worst < limit
        note = f"{len(some)} frames" if found else f"the dataset has no {key}"
        out.append(
            Check(name, f"< {limit:g}", "Kremer & Grest 1990, eqs. 2, 3", worst, unit, ok=ok, note=note)
        )
    out.append(_temperature(subject, thermometer))
    return out


def _temperature(subject: Subject, thermometer: np.ndarray) -> Check:
    """⟨|∇U|²⟩ / ⟨∇²U⟩ is the temperature: H. H. Rugh, Phys. Rev. Lett. 78, 772 (1997)."""
    name, source = "temperature from positions and potential alone", "equipartition: Rugh 1997"
    temperature = subject.dataset.temperature
    if temperature is None or not subject.equilibrium:
        return Check(name, "that of the thermostat", source, None, note="not in equilibrium")
    weights = np.ones(len(thermometer)) if subject.weights is None else subject.weights
    weighted = thermometer * (weights / weights.mean())[:, None]
    sums = np.array([weighted[s].sum(0) for s in subject.slices])
    value, error = jackknife(sums, lambda total: float(total[0] / total[1]))
    # 2 %: velocity Verlet heats a bond of frequency ω by (ω dt)²/4, at most 2 % at dt = 0.005 τ.
    ok = None if error is None else abs(value / temperature - 1) < 0.02 + 3 * error / temperature
    return Check(name, f"{temperature:g} ± 2 %", source, value, "ε/k_B", error, ok)
