"""A simulation of a potential beside the data that it learned from: free energies and clocks.

The reference is every frame of the dataset, of all splits: the model is judged as a whole, by the same data
that any other estimate of these free energies would use. Numbers come with their error, found from replicas,
and with their floor: what a perfect model with as many frames would have.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np

from zoo import keys
from zoo.analysis.dynamics import Estimate, mean_square_displacement, slowest_timescale, speed_up
from zoo.analysis.features import features, slow_coordinates
from zoo.analysis.free_energy import CEILING, RESOLVED, Difference, block_counts, blocks_of, compare, grid
from zoo.analysis.peptides import torsion_planes
from zoo.analysis.tica import tica
from zoo.data.dataset import Dataset
from zoo.errors import DataError
from zoo.tasks.metrics import Metric, metric

#: Frames of which features are computed at once.
ROWS = 4096
#: Frames of positions that are kept for the report.
KEPT = 20_000
#: Lag of TICA as a share of the shortest run, and at most so many frames.
LAG_SHARE, LONGEST_LAG = 10, 10
#: Slow coordinates that time scales are found in.
COORDINATES = 4
#: A time scale is known where its relative error is below.
KNOWN = 0.25
#: Lags of a displacement curve.
LAGS = 24
_ASCII = {"φ": "phi", "ψ": "psi", "ω": "omega", "χ": "chi", " ": "_", "-": "_", "–": "_"}


@dataclass
class Comparison:
    """What was found.

    Args:
        metrics: `fes_rmsd` (kT) with its floor, `outside`, `js_…` (nats) of each feature and plane,
            `speed_up`.
        record: all of it as plain JSON: floors and errors, time scales at several lags, displacements.
        arrays: `positions [kept, particles, 3]`, `replica [kept]`, `time [kept]`; `reference` name of the
            data, `reference_run`, `reference_weight` of its frames; `features` names, `units`, `periods`
            (NaN: none) of the features, and of the k-th `simulated_k [frames]`, `reference_k`.
        notes: what to know of it.
    """

    metrics: dict[str, Metric] = field(default_factory=dict)
    record: dict[str, Any] = field(default_factory=dict)
    arrays: dict[str, np.ndarray] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class _Seen:
    """A feature of both samples, `[frames, k]`."""

    name: str
    unit: str
    period: float | None
    reference: np.ndarray
    simulated: np.ndarray


def compared(data: Dataset, simulated: Dataset, interval: float, seed: int = 0) -> Comparison:
    """Compare a simulation with all frames of a dataset.

    Args:
        data: the reference; frames may have weights.
        simulated: frames with `run` and `time`.
        interval: time between the simulation's frames.
        seed: of the errors.
    """
    out = Comparison()
    weights = np.asarray(data.arrays[keys.WEIGHTS]) if keys.WEIGHTS in data.arrays else None
    blocks = {id(d): blocks_of(d.runs()) for d in (data, simulated)}
    seen = [
        _Seen(
            f.name, f.unit or data.units.length, f.period, *(_values(f.values, d) for d in (data, simulated))
        )
        for f in features(data.system)
    ]
    slow = _slow(data, simulated)
    seen += [
        _Seen(f"TIC {k + 1}", "1", None, *(np.concatenate(s)[:, k : k + 1] for s in slow))
        for k in range(min(2, slow[0][0].shape[1] if slow[0] else 0))
    ]

    def difference(parts: list[_Seen]) -> Difference:
        both = []
        on = grid(_columns(parts, "reference"), [p.period for p in parts])
        for d, side in ((data, "reference"), (simulated, "simulated")):
            values = _columns(parts, side)
            repeat = len(values) // len(d)
            w = None if d is simulated or weights is None else np.repeat(weights, repeat)
            both.append(block_counts(values, np.repeat(blocks[id(d)], repeat), on, w))
        return compare(both[0], both[1], seed)

    surfaces = _surfaces(seen)
    found = {key: difference(parts) for key, parts in surfaces.items()}
    if found:
        main = next(iter(found))
        first = found[main]
        axes = " and ".join(part.name for part in surfaces[main])
        if first.bins:
            out.metrics["fes_rmsd"] = metric(first.rmsd, "kT", first.rmsd_error)
            out.metrics["fes_rmsd_floor"] = metric(first.rmsd_floor, "kT")
        out.metrics["outside"] = metric(first.outside, "1")
        out.notes.append(
            f"fes_rmsd: free energy of {axes}, {first.bins} bins where the data is below {CEILING:g} kT and "
            f"has {RESOLVED:g} frames or more; floor: what a perfect model with as many frames would have. "
            "outside: share of the simulation in bins where the data never is"
        )
    found |= {_key(part.name): difference([part]) for part in seen}
    out.metrics |= {f"js_{key}": metric(d.js, "nats", d.js_error) for key, d in found.items()}
    out.record["surfaces"] = {key: [part.name for part in parts] for key, parts in surfaces.items()}
    out.record["differences"] = {key: asdict(d) for key, d in found.items()}
    _clocks(out, data, simulated, slow, interval, seed)
    out.arrays = _arrays(data, simulated, seen)
    return out


def _values(function: Callable[[np.ndarray], np.ndarray], data: Dataset) -> np.ndarray:
    """`[frames, k]`, a part of the frames at a time."""
    x = data.array(keys.POSITIONS)
    parts = [function(x[i : i + ROWS].astype(np.float64)) for i in range(0, len(x), ROWS)]
    return np.concatenate(parts).reshape(len(x), -1)


def _columns(parts: Sequence[_Seen], side: str) -> np.ndarray:
    """`[frames · k, parts]`: of k like numbers each is a sample of its own."""
    return np.stack([getattr(part, side).reshape(-1) for part in parts], axis=1)


def _key(name: str) -> str:
    return "".join(_ASCII.get(c, c) for c in name).lower()


def _surfaces(seen: Sequence[_Seen]) -> dict[str, list[_Seen]]:
    """Planes to compare, first the one that stands for all: φ, ψ of a lone residue, else slow coordinates."""
    by_name = {part.name: part for part in seen}
    names = list(by_name)
    planes = {
        _key(f"{residue} phi psi".strip()): [by_name[names[i]], by_name[names[j]]]
        for residue, (i, j) in torsion_planes(names).items()
    }
    if {"TIC 1", "TIC 2"} <= by_name.keys():
        planes["tica"] = [by_name["TIC 1"], by_name["TIC 2"]]
        if len(planes) > 2:
            planes = {"tica": planes.pop("tica"), **planes}
    elif not planes and "Rg" in by_name:
        planes["rg"] = [by_name["Rg"]]
    return planes


def _slow(data: Dataset, simulated: Dataset) -> tuple[list[np.ndarray], list[np.ndarray]]:
    """Slow coordinates of the reference's runs and of the replicas, by TICA on the reference alone.

    Empty where the reference has no runs that are long enough or where nothing varies.
    """
    function = slow_coordinates(data.system)
    values = [_values(function, d) for d in (data, simulated)]
    runs = _by_run(values[0], data)
    lag = max(1, min(LONGEST_LAG, min(len(r) for r in runs) // LAG_SHARE))
    try:
        found = tica(runs, lag, COORDINATES)
    except DataError:
        return [], []
    return [found.project(r) for r in runs], [found.project(r) for r in _by_run(values[1], simulated)]


def _by_run(values: np.ndarray, data: Dataset) -> list[np.ndarray]:
    run = data.runs()
    return np.split(values, np.flatnonzero(np.diff(run)) + 1)


def _clocks(
    out: Comparison, data: Dataset, simulated: Dataset, slow: tuple[list[np.ndarray], list[np.ndarray]],
    interval: float, seed: int,
) -> None:  # fmt: skip
    """Time scales and displacements of both, at the same times; nothing where the data are no time series."""
    spacing = _spacing(data)
    if spacing is None or not slow[0]:
        return
    sides = (("reference", slow[0], spacing, data), ("simulated", slow[1], interval, simulated))
    unit = data.units.time
    longest = min(np.median([len(r) for r in runs]) * dt for _, runs, dt, _ in sides) / 3
    shortest = max(spacing, interval)
    times = np.unique(np.geomspace(shortest, longest, 6)) if longest > shortest else np.zeros(0)
    scales: dict[str, list[Estimate]] = {}
    for name, runs, dt, d in sides:
        lags = np.unique(np.geomspace(1, max(1, max(len(r) for r in runs) // 2), LAGS).astype(int))
        moved = mean_square_displacement(
            _by_run(np.asarray(d.array(keys.POSITIONS), np.float64), d), lags, data.system.masses
        )
        out.record.setdefault("displacement", {})[name] = {
            "time": (lags * dt).tolist(),
            "center": moved.center.tolist(),
            "internal": moved.internal.tolist(),
        }
        found = [slowest_timescale(runs, max(1, round(t / dt)), seed) for t in times]
        scales[name] = [Estimate(f.value * dt, f.error * dt) for f in found]
    if not len(times):
        return
    out.record["timescales"] = {
        "lags": times.tolist(),
        **{name: [asdict(e) for e in found] for name, found in scales.items()},
    }
    # the longest lag has the least bias, as long as it is known
    errors = [max(_relative(a), _relative(b)) for a, b in zip(*scales.values(), strict=True)]
    known = [k for k, e in enumerate(errors) if e < KNOWN]
    best = known[-1] if known else int(np.argmin(errors))
    reference, model = scales["reference"][best], scales["simulated"][best]
    ratio = speed_up(reference, model)
    out.metrics["timescale"] = metric(model.value, unit, model.error)
    out.metrics["timescale_data"] = metric(reference.value, unit, reference.error)
    out.metrics["speed_up"] = metric(ratio.value, "1", ratio.error)
    out.notes.append(
        f"timescale: slowest by TICA at a lag of {times[best]:.3g} {unit}; speed_up: the data's over the "
        "simulation's"
    )


def _relative(e: Estimate) -> float:
    return e.error / e.value if e.value > 0 and np.isfinite(e.error) else np.inf


def _spacing(data: Dataset) -> float | None:
    """Time between frames; None where runs are not equally spaced."""
    if keys.TIME not in data.arrays:
        return None
    steps = np.concatenate(
        [np.diff(t[:, 0]) for t in _by_run(np.asarray(data.array(keys.TIME))[:, None], data)]
    )
    if not len(steps) or steps.min() <= 0 or np.ptp(steps) > 1e-3 * steps.max():
        return None
    return float(steps.mean())


def _arrays(data: Dataset, simulated: Dataset, seen: Sequence[_Seen]) -> dict[str, np.ndarray]:
    frames = np.unique(np.linspace(0, len(simulated) - 1, min(KEPT, len(simulated))).astype(int))
    out = {
        "positions": simulated.array(keys.POSITIONS, frames).astype(np.float32),
        "replica": simulated.array(keys.RUN, frames),
        "time": simulated.array(keys.TIME, frames),
        "reference": np.array(data.name),
        "reference_run": data.runs(),
        "reference_weight": np.asarray(data.array(keys.WEIGHTS))
        if keys.WEIGHTS in data.arrays
        else np.ones(len(data)),
        "features": np.array([part.name for part in seen]),
        "units": np.array([part.unit for part in seen]),
        "periods": np.array([part.period or np.nan for part in seen]),
    }
    for k, part in enumerate(seen):
        out |= {
            f"simulated_{k}": part.simulated.reshape(-1).astype(np.float32),
            f"reference_{k}": part.reference.reshape(-1).astype(np.float32),
        }
    return out
