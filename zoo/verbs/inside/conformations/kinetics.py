"""Slow processes of a time series: what TICA finds, VAMP-2, time scales, a Markov model and its test."""

from __future__ import annotations

import numpy as np

from zoo.analysis.clusters import k_means
from zoo.analysis.dependence import BINS, correlation_ratio, exchanged
from zoo.analysis.dynamics import slowest_timescale
from zoo.analysis.free_energy import blocks_of
from zoo.analysis.markov import (
    WHOLE,
    Markov,
    chapman_kolmogorov,
    crossings,
    markov_model,
    markov_timescales,
    metastable_sets,
)
from zoo.analysis.vamp import vamp2
from zoo.errors import DataError
from zoo.tasks.metrics import metric
from zoo.verbs.inside.conformations.found import Found
from zoo.verbs.inside.conformations.quantities import Quantity, values
from zoo.verbs.inside.conformations.sample import Sample
from zoo.verbs.inside.conformations.space import (
    COORDINATES,
    coordinates,
    fit,
    heavy_distances,
    lag_of,
    leading,
)

#: Lags at which time scales are found, time scales that are told, and metastable sets at most.
LAGS, TOLD, SETS = 6, 3, 4
#: The longest lag as a share of the longest run.
REACH = 3
#: Runs, or stretches of them, that errors are drawn from.
FEWEST = 8


def kinetics(found: Found) -> None:
    """All of it, or the reason why the frames are no time series."""
    own = found.own
    if own.spacing is None or found.space is None:
        found.leave_out("time scales", own.no_time or "nothing varies")
        return
    try:
        lag = lag_of(own, found.options.lag)
        function, text = coordinates(own.system)
        points = values(own.positions, function)
        slow = fit(own, points, found.options.lag)
    except DataError as error:
        found.leave_out("time scales", str(error))
        return
    unit = own.units.time
    found.record.facts["kinetics"] = {
        "lag": lag * own.spacing, "spacing": own.spacing, "unit": unit, "features": text,
    }  # fmt: skip
    projected = slow.project(points)
    _dependence(found, projected, text)
    _vamp(found, points, lag)
    _clocks(found, projected * np.clip(slow.eigenvalues, 0, 1), projected, lag)


# --- what the slow coordinate is ----------------------------------------------------------------------


def _dependence(found: Found, projected: np.ndarray, text: str) -> None:
    """η² of the slowest coordinate on each torsion and size, of these features and of bare distances."""
    own, record = found.own, found.record
    if len(own) < 4 * EACH_BIN:
        found.leave_out("what the slow coordinate is", f"{len(own)} frames cannot tell")
        return
    run = np.zeros(len(own), np.int64) if own.run is None else own.run
    observables = [q for q in found.quantities if q.torsion or q.name in ("Rg", "end-to-end", "diameter")]
    observables = [q for q in observables if q.own.shape[1] == 1]
    if not observables:
        return
    first = {"": projected[:, 0]}
    if text.startswith("sine"):
        distances = values(own.positions, heavy_distances(own.system))
        other = fit(own, distances, found.options.lag)
        first["distance_"] = other.project(distances)[:, 0]
    table = np.array([[_ratio(y, q, run) for q in observables] for y in first.values()])
    order = np.argsort(-table[0, :, 0])[:TOLD_OF]
    record.arrays["dependence"] = table[:, order]
    record.facts["dependence"] = {
        "features": [text, "distances of all pairs of heavy atoms"][: len(first)],
        "observables": [observables[i].name for i in order],
    }
    named = [i for i, q in enumerate(observables) if q.name[-1] in "φψ"]
    told = named if 0 < len(named) <= 4 else order[:2].tolist()
    for prefix, row in zip(first, table, strict=True):
        for i in told:
            value, error, _ = row[i]
            key = f"{prefix}tic1_depends_on_{observables[i].key}"
            record.numbers[key] = metric(value, "1", error)


#: Observables in the picture, at most; frames for each bin of one, at least: bins of few explain by chance.
TOLD_OF, EACH_BIN = 8, 10


def _ratio(y: np.ndarray, q: Quantity, run: np.ndarray) -> tuple[float, float, float]:
    x = q.own[:, 0]
    bins = min(BINS, len(y) // EACH_BIN)
    value = correlation_ratio(y, x, run, q.period, bins)
    null = correlation_ratio(y, exchanged(x, run), run, q.period, bins)
    return value.value, value.error, null.value


def _vamp(found: Found, points: np.ndarray, lag: int) -> None:
    own = found.own
    mean, axes = leading(points)
    stretches = _stretches(own, (points - mean) @ axes, lag)
    dimension = min(COORDINATES, axes.shape[1])
    try:
        score = vamp2(stretches, lag, dimension, seed=found.seed)
    except DataError as error:
        found.leave_out("VAMP-2", str(error))
        return
    found.record.numbers["vamp2"] = metric(score.value, "1", score.error)
    found.record.facts["kinetics"]["vamp2_most"] = dimension + 1


# --- time scales --------------------------------------------------------------------------------------


def _clocks(found: Found, weighed: np.ndarray, projected: np.ndarray, lag: int) -> None:
    own, record, options = found.own, found.record, found.options
    assert own.spacing is not None
    labels, centers = k_means(weighed, min(options.states, max(4, len(own) // 20)), found.seed)
    states = len(centers)
    paths = _stretches(own, labels, lag)
    longest = max(lag, max(len(p) for p in paths) // REACH)
    lags = sorted({*np.unique(np.geomspace(1, longest, LAGS).round().astype(int)).tolist(), lag})
    scales, errors = markov_timescales(paths, lags, states, TOLD, found.seed)
    long = _stretches(own, projected, lag)
    slowest = [slowest_timescale(long, k, found.seed) if max(map(len, long)) > k else None for k in lags]
    dt = own.spacing
    record.arrays |= {
        "lags": np.array(lags) * dt, "msm_timescales": scales * dt, "msm_timescales_error": errors * dt,
        "tica_timescale": np.array([np.nan if e is None else e.value for e in slowest]) * dt,
        "tica_timescale_error": np.array([np.nan if e is None else e.error for e in slowest]) * dt,
    }  # fmt: skip
    row = lags.index(lag)
    for k in range(TOLD):
        if np.isfinite(scales[row, k]):
            error = errors[row, k] * dt
            known = {} if np.isnan(error) else {"error": float(error)}
            record.numbers[f"timescale_{k + 1}"] = {**metric(scales[row, k] * dt, own.units.time), **known}
    try:
        model = markov_model(paths, lag, states)
        record.numbers["connected"] = metric(model.share, "1")
        if model.share < WHOLE:
            raise DataError(f"the Markov model has {100 * model.share:.2g} % of the transitions alone")
        sets = metastable_sets(model, _number_of_sets(model, scales[row], errors[row]))
        test = chapman_kolmogorov(paths, model, sets, states, seed=found.seed)
    except (DataError, ValueError) as error:
        found.leave_out("Chapman-Kolmogorov test", str(error))
        return
    record.numbers["ck_error"] = metric(test.deviation, "1")
    if np.isfinite(test.floor):
        record.numbers["ck_floor"] = metric(test.floor, "1")
    record.arrays |= {
        "ck_lags": test.lags * own.spacing, "ck_predicted": test.predicted, "ck_observed": test.observed,
        "ck_error": test.error, "set_populations": test.populations,
    }  # fmt: skip
    of_state = np.full(states, -1)
    of_state[model.active] = sets
    found.states["metastable set"] = (of_state[labels], None)
    record.arrays["set_crossings"] = crossings(own.series(of_state[labels]), int(sets.max()) + 1, lag)


def _number_of_sets(model: Markov, scales: np.ndarray, errors: np.ndarray) -> int:
    """One more than the time scales that are longer than the lag by more than their error."""
    known = scales - np.nan_to_num(errors) > model.lag
    slow = int(np.argmin(known)) if not known.all() else len(known)
    return min(max(2, 1 + slow), SETS, len(model.active))


def _stretches(sample: Sample, numbers: np.ndarray, lag: int) -> list[np.ndarray]:
    """Independent runs of numbers `[frames, …]`; cut where they are few, and much longer than a lag."""
    runs = sample.series(numbers)
    if len(runs) >= FEWEST or min(len(r) for r in runs) < 4 * lag * FEWEST:
        return runs
    run = np.zeros(len(sample), np.int64) if sample.run is None else sample.run
    return np.split(numbers, np.flatnonzero(np.diff(blocks_of(run, FEWEST))) + 1)
