"""A dataset of Kremer-Grest chains against its potential, exact results and an independent study."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from zoo import keys
from zoo.analysis import polymers
from zoo.data.dataset import Dataset
from zoo.data.entry import Check
from zoo.datasets.ring_polymer.dynamics import dynamics_checks
from zoo.datasets.ring_polymer.polymer import Polymer
from zoo.datasets.ring_polymer.potential import curvature, energy_and_forces
from zoo.datasets.ring_polymer.statistics import FEWEST_RUNS, average, jackknife, run_slices
from zoo.datasets.ring_polymer.topology import topology_checks

STUDY = "independent simulation of the Padua study's ring"
#: Rg² in σ² of flexible or stiff rings at T = 1 in equilibrium and its error, by (beads, k_θ).
GYRATION = {(70, 0.0): (19.71, 0.30), (70, 1.5): (24.80, 0.37), (35, 0.0): (8.13, 0.12)}
#: The same without angular momentum and without weights.
GYRATION_STILL = {(70, 0.0): (18.39, 0.06)}
#: Rg² in σ² and its error at times in τ after the planar circle of 70 beads is let go, Nosé-Hoover
#: without rotation: 300 rings by the integrator of tests/datasets/test_ring_polymer_collapse.py.
COLLAPSE = {
    5.0: (26.18, 0.12),
    10.0: (10.08, 0.08),
    20.0: (22.34, 0.34),
    35.0: (15.6, 0.21),
    50.0: (18.75, 0.24),
}
#: At most so many configurations are recomputed, evenly chosen.
FRAMES = 400


@dataclass(frozen=True)
class Subject:
    """What the checks look at.

    Args:
        dataset: the dataset.
        polymer: its chains.
        chains: `[frames, chains, beads, 3]` positions.
        slices: frames of each run.
        weights: `[frames]` for averages of equilibrium, None where all are alike.
    """

    dataset: Dataset
    polymer: Polymer
    chains: np.ndarray
    slices: list[slice]
    weights: np.ndarray | None

    @property
    def equilibrium(self) -> bool:
        """Whether averages are those of equilibrium."""
        return bool(self.dataset.manifest.provenance.get("equilibrium", True))

    def each(self, values: np.ndarray) -> np.ndarray:
        """Mean over chains of values `[frames × chains, ...]`: `[frames]`."""
        return values.reshape(len(self.chains), -1).mean(1)

    def mean(self, values: np.ndarray) -> tuple[float, float | None]:
        """Mean and error of `[frames]` values in equilibrium."""
        return average(values, self.slices, self.weights)

    @property
    def flat(self) -> np.ndarray:
        """All chains of all frames `[frames × chains, beads, 3]`."""
        return self.chains.reshape(-1, self.polymer.beads, 3)


def all_checks(dataset: Dataset) -> list[Check]:
    """Return every comparison that the dataset's arrays allow."""
    polymer = Polymer.from_system(dataset.system)
    if polymer is None:
        note = "the system does not tell its chains and potential; nothing else was compared"
        return [Check("chains", "beads, topology, stiffness", "the system's parameters", None, note=note)]
    positions = np.asarray(dataset.array(keys.POSITIONS), np.float64)
    weights = np.asarray(dataset.array(keys.WEIGHTS)) if keys.WEIGHTS in dataset.arrays else None
    subject = Subject(
        dataset,
        polymer,
        positions.reshape(len(dataset), polymer.chains, polymer.beads, 3),
        run_slices(dataset),
        weights,
    )
    return [
        *_potential(subject),
        *_bonds(subject),
        *_size(subject),
        *topology_checks(dataset, polymer, subject.chains),
        *dynamics_checks(dataset, polymer, subject.chains, subject.slices),
    ]


def _some(dataset: Dataset) -> np.ndarray:
    return np.unique(np.linspace(0, len(dataset) - 1, min(len(dataset), FRAMES)).astype(int))


def _potential(subject: Subject) -> list[Check]:
    """Energies and forces recomputed; the temperature from positions alone."""
    dataset, polymer = subject.dataset, subject.polymer
    frames, rng = _some(dataset), np.random.default_rng(0)
    energies, forces, thermometer = [], [], np.zeros((len(dataset), 2))
    stored = {key: key in dataset.arrays for key in (keys.ENERGIES, keys.FORCES)}
    for frame in frames:
        positions = np.asarray(dataset.array(keys.POSITIONS)[frame], np.float64)
        box = np.diag(dataset.array(keys.CELLS)[frame]) if keys.CELLS in dataset.arrays else None
        energy, force = energy_and_forces(positions, polymer, box)
        thermometer[frame] = np.sum(force**2), curvature(positions, polymer, box, rng)
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
        note = f"{len(frames)} frames" if found else f"the dataset has no {key}"
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


def _bonds(subject: Subject) -> list[Check]:
    polymer = subject.polymer
    length = np.linalg.norm(polymers.bond_vectors(subject.flat, polymer.ring), axis=-1)
    checks = [
        Check(
            "longest bond",
            "< 1.3",
            "chains cannot cross while bonds are shorter: Kremer & Grest 1990",
            float(length.max()),
            "σ",
            ok=bool(length.max() < 1.3),
        )
    ]
    usual = subject.dataset.temperature == 1.0 and subject.equilibrium
    mean, error = subject.mean(subject.each(length.mean(1)))
    # A melt presses on its bonds; stiffness and missing excluded volume change them by some 0.001.
    known, source = (
        (0.9707, STUDY)
        if polymer.chains == 1
        else (0.965, "Kremer-Grest melts: Svaneborg et al., arXiv:1606.00609")
    )
    ok = abs(mean - known) < 0.003 + 3 * error if usual and error is not None else None
    checks.append(Check("mean bond length", f"{known:g} ± 0.003", source, mean, "σ", error, ok))
    cosine, error = subject.mean(subject.each(polymers.bend_cosines(subject.flat, polymer.ring).mean(1)))
    flexible = polymer == Polymer(70) and usual
    expected = "0.338 ± 0.001" if flexible else "no reference for these chains"
    ok = abs(cosine - 0.338) < 0.001 + 3 * error if flexible and error is not None else None
    checks.append(Check("⟨cos θ⟩ between consecutive bonds", expected, STUDY, cosine, "", error, ok))
    return checks


def _size(subject: Subject) -> list[Check]:
    dataset, polymer = subject.dataset, subject.polymer
    size = subject.each(polymers.gyration_radius_squared(subject.flat))
    usual = polymer.ring and polymer.chains == 1 and dataset.temperature == 1.0
    kind = (polymer.beads, polymer.stiffness)
    if not subject.equilibrium:
        return _collapse(subject, size) if usual and kind == (70, 0.0) else []
    mean, error = subject.mean(size)
    if not polymer.excluded_volume and not polymer.stiffness:
        return [_ideal(subject, size)]
    known = GYRATION.get(kind) if usual and polymer.excluded_volume else None
    name = "Rg²" if subject.weights is None else "Rg², weighted by √det I"
    checks = [_compared(name, known, "Langevin thermostat", mean, error)]
    if subject.weights is not None:
        known = GYRATION_STILL.get(kind) if usual and polymer.excluded_volume else None
        raw, raw_error = average(size, subject.slices)
        source = "Nosé-Hoover, no angular momentum"
        checks.append(_compared("Rg², as it comes without angular momentum", known, source, raw, raw_error))
    return checks


def _compared(
    name: str, known: tuple[float, float] | None, how: str, mean: float, error: float | None
) -> Check:
    if known is None:
        return Check(name, "no reference for these chains", STUDY, mean, "σ²", error)
    value, spread = known
    ok = None if error is None else abs(mean - value) < 3 * np.hypot(spread, error)
    return Check(name, f"{value:g} ± {spread:.2f}", f"{STUDY}, {how}", mean, "σ²", error, ok)


def _ideal(subject: Subject, size: np.ndarray) -> Check:
    """Rg² over its exact value for freely jointed bonds of the measured length."""
    polymer = subject.polymer
    formula = polymers.ideal_ring_gyration if polymer.ring else polymers.ideal_linear_gyration
    bonds = np.sum(polymers.bond_vectors(subject.flat, polymer.ring) ** 2, axis=-1)
    both = np.stack([size, formula(polymer.beads, 1.0) * subject.each(bonds.mean(1))], axis=1)
    if subject.weights is not None:
        both = both * (subject.weights / subject.weights.mean())[:, None]
    sums = np.array([both[s].sum(0) for s in subject.slices])
    ratio, error = jackknife(sums, lambda total: float(total[0] / total[1]))
    source = f"exact for phantom chains: b² {'(N + 1)/12' if polymer.ring else '(N² − 1)/(6 N)'}"
    ok = None if error is None else abs(ratio - 1) < 3 * error
    return Check("Rg² over that of freely jointed bonds", "1", source, ratio, "", error, ok)


def _collapse(subject: Subject, size: np.ndarray) -> list[Check]:
    """Rg² at some times over runs that all began as the planar circle."""
    if keys.TIME not in subject.dataset.arrays:
        return []
    time, out = np.asarray(subject.dataset.array(keys.TIME)), []
    source = "independent integrator in numpy, 300 rings (tests/datasets/test_ring_polymer_collapse.py)"
    for t, (value, spread) in COLLAPSE.items():
        there = size[np.abs(time - t) < 1e-6]
        if len(there) < FEWEST_RUNS:
            continue
        error = float(there.std(ddof=1) / np.sqrt(len(there)))
        ok = abs(there.mean() - value) < 3 * np.hypot(spread, error)
        name = f"Rg² at t = {t:g} τ after the circle, whose Rg² is 116.9"
        out.append(Check(name, f"{value:g} ± {spread:.2f}", source, float(there.mean()), "σ²", error, ok))
    return out
