"""How the chains move: diffusion, friction, Rouse modes, displacement of beads."""

from __future__ import annotations

import numpy as np

from zoo.analysis import polymers
from zoo.data.entry import Check
from zoo.datasets.ring_polymer.polymer import Polymer
from zoo.datasets.ring_polymer.statistics import jackknife
from zoo.datasets.ring_polymer.subject import Subject

#: Rouse's model has no inertia: relaxation times must be so many times longer than m/γ.
OVERDAMPED = 10.0
#: All modes are computed of chains of at most so many beads: the work goes as the square.
LONGEST = 500
ROUSE = "exact lower bound 1; ζ N ⟨|X_p|²⟩ / 3 k_B T, Doi & Edwards 1986, ch. 4"


def dynamics_checks(subject: Subject) -> list[Check]:
    """Return what the spacing of frames allows."""
    dataset, polymer, chains, slices = subject.dataset, subject.polymer, subject.chains, subject.slices
    spacing = None if subject.time is None else frame_spacing(subject.time, slices)
    record = dataset.manifest.provenance
    if spacing is None or not subject.equilibrium:
        return []
    temperature = dataset.temperature
    langevin = record.get("thermostat") == "langevin" and temperature is not None
    friction = float(record["options"]["friction"]) if langevin else None
    checks = [_center(chains, slices, spacing, temperature or 1.0, friction)]
    checks += _modes(polymer, chains, slices, spacing, temperature or 1.0, friction)
    if polymer.chains == 1 and friction is not None and polymer.beads <= LONGEST:
        checks.append(_beads(subject, spacing, temperature or 1.0, friction))
    if polymer.chains > 1 and friction is not None:
        checks.append(_chain_friction(polymer, chains, slices, spacing, temperature or 1.0))
    return checks


def frame_spacing(time: np.ndarray, slices: list[slice]) -> float | None:
    """Return the time between frames, τ, if it is the same within all runs of two frames or more."""
    steps = np.concatenate([np.diff(time[s]) for s in slices])
    if not len(steps) or steps[0] <= 0 or np.abs(steps / steps[0] - 1).max() > 1e-6:
        return None
    return float(steps[0])


def _center(
    chains: np.ndarray, slices: list[slice], spacing: float, temperature: float, friction: float | None
) -> Check:
    """The centre of mass of everything: a free Langevin particle, or at rest."""
    center = chains.mean((1, 2))
    moved = [polymers.displacement_squared(center[s], 1) for s in slices if s.stop - s.start > 1]
    if friction is None:
        worst = float(np.sqrt(max(m.max() for m in moved)))
        # Positions are stored in float32, where one of 10 σ is known to 1e-6.
        return Check(
            "displacement of the centre of mass between frames, largest",
            "< 1e-4",
            "no momentum, and a thermostat that keeps it",
            worst,
            "σ",
            ok=worst < 1e-4,
        )
    beads = chains.shape[1] * chains.shape[2]
    free = polymers.free_displacement_squared(np.array(spacing), temperature / (beads * friction), friction)
    sums = np.array([[m.sum(), len(m)] for m in moved])
    value, error = jackknife(sums, lambda total: float(friction * free * total[1] / total[0]))
    return Check(
        "friction of a bead from the diffusion of the centre of mass",
        f"{friction:g}",
        "exact: D = k_B T / (N m γ), forces between beads cancel",
        value,
        "m/τ",
        error,
        None if error is None else abs(value - friction) < 3 * error,
        note=f"frames every {spacing:g} τ",
    )


def _modes(
    polymer: Polymer,
    chains: np.ndarray,
    slices: list[slice],
    spacing: float,
    temperature: float,
    friction: float | None,
) -> list[Check]:
    """Relaxation times of the three slowest modes, beside Rouse's."""
    out = []
    modes = [p for p in (1, 2, 3) if p <= polymer.beads // 2]
    amplitudes = [
        polymers.rouse_modes(chains[:, c], polymer.ring, modes) for c in range(polymer.chains)
    ]  # each [frames, modes, 3]
    lags = np.arange(min(max(s.stop - s.start for s in slices), 200))
    for index, mode in enumerate(modes):
        sums = np.array([_sums([x[s, index] for x in amplitudes], lags) for s in slices])
        squared, squared_error = jackknife(sums, lambda total: float(total[0, 0] / total[1, 0]))
        if index == 0 and not polymer.excluded_volume and not polymer.stiffness and polymer.chains == 1:
            out.append(_ideal_amplitude(polymer, chains, squared, squared_error))
        times = lags * spacing
        value, error = jackknife(sums, lambda total, times=times: _time(times, total))  # type: ignore[misc]
        name = f"relaxation time of Rouse mode {mode}"
        if not np.isfinite(value):
            if mode == 1:
                note = f"frames every {spacing:g} τ are too far apart or runs too short: --set interval=…"
                out.append(Check(name, "no reference", ROUSE, None, note=note))
            continue
        if friction is None or polymer.chains > 1:
            out.append(Check(name, "no reference", "autocorrelation of the mode", value, "τ", error))
            continue
        rouse = polymers.rouse_time(squared, polymer.beads, polymer.ring, friction, temperature)
        expected, low, high = _slower(polymer)
        note = f"Rouse: {rouse:.4g} τ; effective friction of a bead {friction * value / rouse:.3g} m/τ"
        ratio, spread = value / rouse, None if error is None else error / rouse
        ok = None if spread is None else low - 3 * spread < ratio < high + 3 * spread
        if rouse * friction < OVERDAMPED:
            ok, note = None, f"{note}; not overdamped: inertia lasts {1 / friction:g} τ"
        name += ", over Rouse's"
        out.append(Check(name, expected, ROUSE, ratio, "", spread, ok, f"{value:.4g} τ; {note}"))
    return out


def _slower(polymer: Polymer) -> tuple[str, float, float]:
    """How much slower than by Rouse's first decay a mode may relax: text, lowest, highest.

    No correlation function of overdamped dynamics falls faster than it begins to, and Rouse's model
    holds for long phantom chains; with excluded volume stiff bonds and collisions slow it further.
    """
    if polymer.excluded_volume or polymer.stiffness:
        return "1 to 2", 1.0, 2.0
    return "1 to 1.15", 1.0, 1.15


def _sums(runs: list[np.ndarray], lags: np.ndarray) -> np.ndarray:
    """Sums of products and their number at each lag `[2, lags]`, over the chains of one run."""
    out = np.zeros((2, len(lags)))
    for values in runs:
        here = lags[lags < len(values)]
        number = (len(values) - here).astype(float)
        out[0, : len(here)] += polymers.correlation(values, here) * number
        out[1, : len(here)] += number
    return out


def _time(times: np.ndarray, total: np.ndarray) -> float:
    there = total[1] > 0
    curve = total[0, there] / total[1, there]
    found = polymers.decay_time(times[there], curve / curve[0])
    return np.nan if found is None else found


def _ideal_amplitude(polymer: Polymer, chains: np.ndarray, squared: float, error: float | None) -> Check:
    bonds = polymers.bond_vectors(chains.reshape(-1, polymer.beads, 3), polymer.ring)
    bond = float(np.sum(bonds**2, axis=-1).mean())
    exact = polymers.rouse_amplitude(polymer.beads, polymer.ring, 1, bond)
    ok = None if error is None else abs(squared - exact) < 3 * error
    source = "exact for phantom chains of the measured bond length"
    return Check("⟨|X₁|²⟩ of Rouse mode 1", f"{exact:.4g}", source, squared, "σ²", error, ok)


def _beads(subject: Subject, spacing: float, temperature: float, friction: float) -> Check:
    """Mean square displacement of beads beside the centre of mass, against Rouse's upper bound."""
    polymer, chain = subject.polymer, subject.chains[:, 0]
    inner = chain - chain.mean(1, keepdims=True)
    amplitudes = np.zeros(polymer.beads - 1)
    for block in np.array_split(inner, -(-len(inner) // 1000)):
        modes = polymers.rouse_modes(block, polymer.ring, range(1, polymer.beads))
        amplitudes += np.sum(np.abs(modes) ** 2, axis=(0, 2)) / len(inner)
    bound = polymers.rouse_displacement_squared(
        spacing, amplitudes, polymer.beads, polymer.ring, friction, temperature
    )
    moved = [polymers.displacement_squared(inner[s], 1) for s in subject.slices if s.stop - s.start > 1]
    sums = np.array([[m.sum(), len(m)] for m in moved])
    value, error = jackknife(sums, lambda total: float(total[0] / total[1] / bound))
    _, _, slowest = _slower(polymer)
    ok = None if error is None else 1 / slowest - 3 * error < value < 1 + 3 * error
    free = polymers.free_displacement_squared(
        np.array(spacing), temperature / (polymer.beads * friction), friction
    )
    return Check(
        f"displacement² of beads relative to the centre in {spacing:g} τ, over Rouse's",
        f"{1 / slowest:.2g} to 1",
        "exact upper bound without inertia: the first decay of all modes goes on",
        value,
        "",
        error,
        ok,
        note=f"beads {value * bound + free:.4g} σ², of which the centre {free:.4g} σ²",
    )


def _chain_friction(
    polymer: Polymer, chains: np.ndarray, slices: list[slice], spacing: float, temperature: float
) -> Check:
    """ζ = k_B T / (N D) from the centres of the chains at the longest lag that half of a run allows."""
    lag = max(1, (max(s.stop - s.start for s in slices) - 1) // 2)
    centers = chains.mean(2)
    moved = [polymers.displacement_squared(centers[s], lag) for s in slices if s.stop - s.start > lag]
    sums = np.array([[m.sum(), len(m)] for m in moved])
    value, error = jackknife(
        sums, lambda total: float(6 * temperature * lag * spacing * total[1] / (polymer.beads * total[0]))
    )
    return Check(
        "effective friction of a bead from the diffusion of the chains",
        "no reference",
        "ζ = k_B T / (N D), D from the displacement of centres of mass",
        value,
        "m/τ",
        error,
        note=f"at {lag * spacing:g} τ",
    )
