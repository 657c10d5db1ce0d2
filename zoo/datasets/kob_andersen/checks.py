"""A Kob-Andersen dataset against independent facts: structure, energies, relaxation."""

from __future__ import annotations

import numpy as np

from zoo import keys
from zoo.data.ceiling import noise_ceiling
from zoo.data.dataset import Dataset
from zoo.data.entry import Check
from zoo.datasets.kob_andersen.options import RELAXATION_TIMES
from zoo.datasets.kob_andersen.potential import FRACTION_A, energy_and_forces
from zoo.datasets.kob_andersen.statistics import (
    configurational_temperature,
    first_peak,
    relaxation,
    scattering,
)
from zoo.errors import EntryError

KA = "Kob, Andersen 1995"
#: At most so many configurations are recomputed.
FRAMES = 24


def all_checks(dataset: Dataset) -> list[Check]:
    """Return every comparison that the dataset's arrays allow."""
    if not all(dataset.system.pbc):
        return [Check("three-dimensional mixture", "periodic in 3D", KA, None, note="2D: not checked here")]
    checks = [*_structure(dataset), *_energies(dataset)]
    if keys.INHERENT in dataset.arrays:
        checks += _inherent(dataset)
    checks += _history(dataset)
    if keys.TARGETS in dataset.arrays:
        checks += _propensity(dataset)
    if keys.CLONES in dataset.arrays:
        checks += _relaxation(dataset)
    return checks


def _some(dataset: Dataset) -> np.ndarray:
    return np.unique(np.linspace(0, len(dataset) - 1, min(len(dataset), FRAMES)).astype(int))


def _boxes(dataset: Dataset) -> np.ndarray:
    """Edges `[frames, 3]` of the cells, which are rectangular here."""
    return np.diagonal(np.asarray(dataset.arrays[keys.CELLS]), axis1=1, axis2=2)


def _within(name: str, low: float, high: float, source: str, value: float, unit: str = "") -> Check:
    return Check(name, f"{low:g} to {high:g}", source, value, unit=unit, ok=bool(low <= value <= high))


def _structure(dataset: Dataset) -> list[Check]:
    frames, boxes, types = _some(dataset), _boxes(dataset), dataset.system.types
    n = len(types)
    density = n / np.prod(boxes, axis=1)
    options = dataset.manifest.provenance.get("options", {})
    wanted = options.get("density", 1.2)
    source = "option density" if "density" in options else KA
    positions = dataset.array(keys.POSITIONS, frames)
    peak, closest = first_peak(positions, types, boxes[frames], 0, 0)
    peak_ab, closest_ab = first_peak(positions, types, boxes[frames], 0, 1)
    _, closest_bb = first_peak(positions, types, boxes[frames], 1, 1)
    return [
        _within("number density", wanted - 1e-3, wanted + 1e-3, source, float(density.mean()), "σ⁻³"),
        # One particle is the rounding that a given N allows.
        _within("share of A", FRACTION_A - 1 / n, FRACTION_A + 1 / n, KA, float((types == 0).mean())),
        _within("first peak of g_AA(r)", 1.04, 1.11, KA, peak, "σ"),
        _within("first peak of g_AB(r)", 0.84, 0.91, KA, peak_ab, "σ"),
        Check(
            "smallest distance over σ_αβ",
            "> 0.8",
            "no overlaps: a pair at 0.8 costs 40 ε",
            min(closest, closest_ab, closest_bb),
            ok=min(closest, closest_ab, closest_bb) > 0.8,
        ),
    ]


def _energies(dataset: Dataset) -> list[Check]:
    frames, boxes, types = _some(dataset), _boxes(dataset), dataset.system.types
    energies, temperatures = [], []
    for frame in frames:
        positions = np.asarray(dataset.arrays[keys.POSITIONS][frame], np.float64)
        local, forces = energy_and_forces(positions, types, boxes[frame])
        energies.append(local.sum())
        temperatures.append(configurational_temperature(positions, types, boxes[frame], forces))
    out = []
    if dataset.temperature is not None:
        mean, error = float(np.mean(temperatures)), _error(temperatures)
        out.append(
            Check(
                "configurational temperature",
                # 3 %: the force's jump at the cutoff is left out (< 1 %); and three standard errors.
                f"{dataset.temperature:g} ± 3 %",
                "Rugh 1998, from positions and potential alone",
                mean,
                unit="ε/k_B",
                error=error,
                ok=abs(mean - dataset.temperature) < 0.03 * dataset.temperature + 3 * (error or 0),
            )
        )
    if keys.ENERGIES in dataset.arrays:
        stored = dataset.array(keys.ENERGIES, frames)
        worst = float(np.abs(np.array(energies) - stored).max() / len(types))
        # Both sum the same doubles in another order: 1e-10 is far above rounding.
        out.append(
            Check(
                "energy per particle, recomputed in numpy",
                "difference < 1e-10",
                "pair potential of KA 1995, eq. 1",
                worst,
                unit="ε",
                ok=worst < 1e-10,
            )
        )
        out.append(_lammps(dataset, frames[:4]))
    return out


def _lammps(dataset: Dataset, frames: np.ndarray) -> Check:
    name, expected = "energy per particle, recomputed by LAMMPS", "difference < 1e-10"
    from zoo.datasets.kob_andersen.engine import Engine

    worst = 0.0
    try:
        for frame in frames:
            positions = np.asarray(dataset.arrays[keys.POSITIONS][frame], np.float64)
            box = float(_boxes(dataset)[frame, 0])
            with Engine(positions, dataset.system.types, box) as engine:
                difference = engine.energies().sum() - dataset.arrays[keys.ENERGIES][frame]
            worst = max(worst, abs(float(difference)) / len(positions))
    except EntryError as error:
        return Check(name, expected, "LAMMPS", None, note=str(error))
    return Check(name, expected, "LAMMPS", worst, unit="ε", ok=worst < 1e-10)


def _inherent(dataset: Dataset) -> list[Check]:
    frames, boxes, types = _some(dataset), _boxes(dataset), dataset.system.types
    forces, energies = [], []
    for frame in frames:
        positions = np.asarray(dataset.arrays[keys.INHERENT][frame], np.float64)
        local, force = energy_and_forces(positions, types, boxes[frame])
        forces.append(np.abs(force).max())
        energies.append(local.mean())
    temperature, level = dataset.temperature, float(np.mean(energies))
    # −7.66 … −7.69 at T = 0.44; it rises with temperature, to about −7.5 in the hot liquid.
    low, high = (-7.69, -7.66) if temperature == 0.44 else (-7.69, -7.50)
    if temperature is not None and temperature < 0.44:
        low, high = -7.80, -7.66
    return [
        Check(
            "largest force in an inherent structure",
            # Positions are stored in float32: 5e-7 σ times a stiffness near 1e3 ε/σ².
            "< 5e-3",
            "a minimum",
            float(np.max(forces)),
            unit="ε/σ",
            ok=bool(np.max(forces) < 5e-3),
        ),
        Check(
            "energy of inherent structures per particle",
            f"{low:g} to {high:g}",
            "−7.66 … −7.69 at T = 0.44, higher above it",
            level,
            unit="ε",
            error=_error(energies),
            ok=low <= level <= high,
        ),
    ]


def _history(dataset: Dataset) -> list[Check]:
    """Do energy and temperature stay, from the equilibration's second half to the last stretch?"""
    runs = [run for run in dataset.manifest.provenance.get("runs", []) if len(run) > 1]
    if len(runs) < 2 or dataset.temperature is None:
        return []
    drift = [run[-1]["energy"] - run[0]["energy"] for run in runs]
    heat = [stretch["temperature"] for run in runs for stretch in run]
    error = _error(drift) or 0.0
    return [
        Check(
            "energy per particle, last stretch minus equilibration",
            "0 within 3 standard errors",
            "equilibrium",
            float(np.mean(drift)),
            unit="ε",
            error=error,
            ok=abs(float(np.mean(drift))) <= 3 * error,
            note=f"{len(runs)} independent runs",
        ),
        Check(
            "kinetic temperature",
            # 1 %: each stretch is known to about √(2 / 3N / independent samples), well below that.
            f"{dataset.temperature:g} ± 1 %",
            "equipartition",
            float(np.mean(heat)),
            unit="ε/k_B",
            error=_error(heat),
            ok=abs(float(np.mean(heat)) / dataset.temperature - 1) < 0.01,
        ),
    ]


def _propensity(dataset: Dataset) -> list[Check]:
    targets = np.asarray(dataset.arrays[keys.TARGETS], np.float64)
    types = dataset.system.types
    a, b = (targets[:, types == kind].mean((0, 1)) for kind in (0, 1))
    out = [
        Check(
            "B moves farther than A at the last time, ratio",
            "> 1",
            KA,
            float(b[-1] / a[-1]),
            ok=bool(b[-1] > a[-1]),
        )
    ]
    if len(a) > 1 and len(dataset.target_times) == len(a):
        out.append(
            Check(
                "mean propensity of A grows with time, smallest step",
                "> 0",
                "|Δr| grows",
                float(np.diff(a).min()),
                unit="σ",
                ok=bool((np.diff(a) > 0).all()),
            )
        )
    if keys.CLONES in dataset.arrays:
        worst = max(
            float(np.abs(np.asarray(c, np.float64).mean(1).T - t).max())
            for c, t in zip(dataset.arrays[keys.CLONES], targets, strict=True)
        )
        # Displacements are kept in float16: 5e-4 of |Δr|, a few σ at most.
        out.append(
            Check(
                "propensity minus mean over clones",
                "< 5e-3",
                "its definition",
                worst,
                unit="σ",
                ok=worst < 5e-3,
            )
        )
        ceilings = noise_ceiling(np.asarray(dataset.arrays[keys.CLONES]), types)
        for kind, name in ((0, "mean"), (1, "pooled")):
            if 0 in ceilings:
                values = ceilings[0][kind]
                out.append(
                    Check(
                        f"noise ceiling for A, {name}, lowest over times",
                        "> 0.5, or clones are too few",
                        "Spearman-Brown over halves of the clones",
                        float(values.min()),
                        ok=bool(values.min() > 0.5),
                        note=", ".join(f"{v:.3f}" for v in values),
                    )
                )
    return out


def _relaxation(dataset: Dataset) -> list[Check]:
    """τα from the clones, and whether the first and last configurations of a run relax alike."""
    times = np.array(dataset.target_times)
    clones = dataset.arrays[keys.CLONES]
    if len(times) != clones.shape[1]:
        return []
    a = dataset.system.types == 0
    values = np.array([scattering(frame[..., a]).mean(-1) for frame in clones])  # [frames, times]
    mean = values.mean(0)
    curve = ", ".join(f"F_s({t:g}) = {v:.3f}" for t, v in zip(times, mean, strict=True))
    out = []
    tau = RELAXATION_TIMES.get(round(dataset.temperature or 0.0, 3))
    if tau is not None and times[0] <= tau <= times[-1]:
        level = float(np.interp(np.log(tau), np.log(times), mean))
        out.append(
            Check(
                f"F_s(k = 2π, t) of A at the tabulated τα = {tau:g} τ",
                # A relaxation twice as fast or slow would give about 0.17 or 0.45.
                "0.2 to 0.42",
                "public data, T = 0.44 and τα = 4120: 0.31 ± 0.03 (eight configurations)",
                level,
                error=_error(np.array([np.interp(np.log(tau), np.log(times), v) for v in values]).tolist()),
                ok=0.2 <= level <= 0.42,
                note=curve,
            )
        )
    fall = relaxation(times, mean)
    if fall is not None:
        out.append(
            Check(
                "F_s(k = 2π) of A falls to 1/e",
                "for information: the tabulated τα is about 1.4 times this",
                "clones",
                fall,
                unit="τ",
            )
        )
    if keys.RUN in dataset.arrays:
        run = np.asarray(dataset.arrays[keys.RUN])
        groups = [np.flatnonzero(run == k) for k in np.unique(run)]
        change = [
            float(values[g[len(g) // 2 :], -1].mean() - values[g[: len(g) // 2], -1].mean())
            for g in groups
            if len(g) > 1
        ]
        error = _error(change)
        if error is not None:
            out.append(
                Check(
                    f"F_s({times[-1]:g}), later minus earlier half of each run",
                    "0 within 3 standard errors",
                    "no ageing",
                    float(np.mean(change)),
                    error=error,
                    ok=abs(float(np.mean(change))) <= 3 * error,
                )
            )
    return out


def _error(values: list[float]) -> float | None:
    """Standard error of a mean of independent values; None for fewer than two."""
    return None if len(values) < 2 else float(np.std(values, ddof=1) / np.sqrt(len(values)))
