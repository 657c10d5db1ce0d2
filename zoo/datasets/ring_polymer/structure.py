"""Bonds, bends and size of chains against exact results and independent simulations."""

from __future__ import annotations

import numpy as np

from zoo.analysis import polymers
from zoo.data.entry import Check
from zoo.datasets.ring_polymer.polymer import Polymer
from zoo.datasets.ring_polymer.statistics import FEWEST_RUNS, average, jackknife
from zoo.datasets.ring_polymer.subject import STUDY, Subject

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


def bond_checks(subject: Subject) -> list[Check]:
    """Longest and mean bond, mean bend."""
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
    if not subject.equilibrium:
        return checks
    density = subject.dataset.manifest.provenance.get("options", {}).get("density")
    usual = subject.dataset.temperature == 1.0 and (polymer.chains == 1 or density == 0.85)
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
    bend, spread, source = _bend(polymer) if usual else (None, 0.0, STUDY)
    expected = "no reference for these chains" if bend is None else f"{bend:.4g} ± {spread:g}"
    ok = None if bend is None or error is None else abs(cosine - bend) < spread + 3 * error
    checks.append(Check("⟨cos θ⟩ between consecutive bonds", expected, source, cosine, "", error, ok))
    return checks


def _bend(polymer: Polymer) -> tuple[float | None, float, str]:
    """What ⟨cos θ⟩ is at T = 1, how well that is known, and from where."""
    if polymer == Polymer(70):
        return 0.338, 0.001, STUDY
    if not polymer.excluded_volume and not polymer.ring:
        k = polymer.stiffness
        exact = 1 / np.tanh(k) - 1 / k if k > 1e-3 else k / 3
        return float(exact), 0.0, "exact for phantom chains: coth k_θ − 1/k_θ"
    return None, 0.0, STUDY


def size_checks(subject: Subject) -> list[Check]:
    """Rg² in equilibrium or after the circle is let go."""
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
    time, out = subject.time, []
    options = subject.dataset.manifest.provenance.get("options", {})
    if time is None or options.get("equilibration") != 0 or options.get("damping") != 1:
        return []
    source = "independent integrator in numpy, 300 rings (tests/datasets/test_ring_polymer_collapse.py)"
    for t, (value, spread) in COLLAPSE.items():
        there = size[np.abs(time - t) < 1e-6]
        if len(there) < FEWEST_RUNS:
            continue
        error = float(there.std(ddof=1) / np.sqrt(len(there)))
        ok = abs(there.mean() - value) < 3 * np.hypot(spread, error)
        name = f"Rg² at t = {t:g} τ after the circle, whose Rg² is 116.9"
        expected = f"{value:g} ± {spread:.2f}"
        note = "it falls freely and bounces; with Langevin friction 1: 66 ± 1" if t == 5.0 else ""
        out.append(Check(name, expected, source, float(there.mean()), "σ²", error, ok, note))
    return out
