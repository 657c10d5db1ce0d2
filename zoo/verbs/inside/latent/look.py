"""The look at a latent space: all that is measured, in one record."""

from __future__ import annotations

from typing import Any

import numpy as np

from zoo import keys
from zoo.analysis.latent.dimension import decimated, participation_ratio, spectrum
from zoo.analysis.latent.maps import neighbor_map, principal
from zoo.analysis.tica import tica
from zoo.errors import ConfigError, DataError
from zoo.models.density import DensityModel
from zoo.models.latents import Latent
from zoo.tasks.metrics import Metric, metric
from zoo.verbs.evaluate import data_digest
from zoo.verbs.inside.latent.comparison import compared, layer_matrix, other_layers
from zoo.verbs.inside.latent.dependence import apart, dependence
from zoo.verbs.inside.latent.flags import flags_of, inversion_flag
from zoo.verbs.inside.latent.listening import listening
from zoo.verbs.inside.latent.observables import of_structures
from zoo.verbs.inside.latent.options import Options
from zoo.verbs.inside.latent.paths import (
    far_apart,
    interpolation,
    inversion_residual,
    points_of,
    traversals,
)
from zoo.verbs.inside.latent.samples import Samples, samples_of
from zoo.verbs.inside.record import Inside
from zoo.verbs.inside.subject import Subject

#: Samples in the map of neighbours, at most: its cost grows faster than their number.
MAPPED = 600
#: Eigenvalues that are kept.
KEPT = 64


def look(
    subject: Subject, options: Options, *, against: Subject | None, frames: int | None, seed: int
) -> Inside:
    """Look at the latent space of a run, or at a layer of its network.

    Args:
        subject: a run.
        options: see `Options`.
        against: a second run, whose latent of the same frames it is compared with.
        frames: how many at most, evenly spaced over the test split; by default 1000.
        seed: of maps, shuffles and resamplings.

    Raises:
        ConfigError: the subject is no run, or has neither latents nor layers.
        UnknownName: no such layer or observable.
        DataError: positions are not finite, or there is nothing to compare with.
    """
    samples, space = samples_of(subject, options, frames, seed)
    if len(samples.values) < 12:
        raise DataError(f"a latent space of {len(samples.values)} samples is too few: take 12 or more")
    if against is not None and against.task is None:
        raise ConfigError(f"--against takes a second run to compare latents with; {against.label} is none")
    ends = None if space is None else _ends(samples, options)  # before the work: it may be refused
    record = Inside("latent", subject.label, facts=_facts(subject, options, samples, seed))
    record.flags += flags_of(subject.model, samples.values, samples.names, samples.frames)
    _shape(record, samples, options, seed)
    _information(record, samples, options, seed)
    _likeness(record, samples, against, seed)
    if samples.rows is None and not samples.frames.dataset.system.periodic:
        found, names = listening(subject.trained, space, samples)
        record.arrays["sensitivity"] = found
        record.facts["sensitivity of"] = names
    if space is not None and ends is not None:
        _ways(record, space, samples, ends, options.steps)
    return record


def _facts(subject: Subject, options: Options, samples: Samples, seed: int) -> dict[str, Any]:
    data, system = subject.data, subject.data.system
    names = system.atom_names or tuple(system.type_names[int(t)] for t in system.types)
    return {
        "dataset": data.name,
        "digest": data_digest(data),
        "split": samples.frames.name,
        "frames": len(samples.frames),
        "samples": "frames" if samples.rows is None else "particles",
        "layer": samples.layer,
        "columns": samples.names[:KEPT],
        "width": samples.values.shape[1],
        "unit of length": data.units.length,
        "observables": {n: [o.unit, o.period] for n, o in samples.observables.items()},
        "parts": samples.part_names,
        "elements": system.elements.tolist() if not system.periodic else [],
        "bonds": system.bonds.tolist() if not system.periodic else [],
        "atoms": _distinct(names) if not system.periodic else [],
        "options": options.model_dump(mode="json"),
        "seed": seed,
        "weights": "not used, though the data have some" if _weighted(samples) else "none",
        "left out": {},
    }  # fmt: skip


def _distinct(names: tuple[str, ...]) -> list[str]:
    """Names of atoms, with their numbers where some are called alike."""
    if len(set(names)) == len(names):
        return list(names)
    return [f"{name} {number}" for number, name in enumerate(names, 1)]


def _weighted(samples: Samples) -> bool:
    return keys.WEIGHTS in samples.frames.dataset.arrays


def _shape(record: Inside, samples: Samples, options: Options, seed: int) -> None:
    """Spectrum, dimensions and maps."""
    x = samples.flat
    ratio, error = participation_ratio(x, samples.block)
    record.numbers["participation_ratio"] = metric(ratio, "1", error)
    record.arrays["spectrum"] = spectrum(x)[:KEPT]
    try:
        found = decimated(x, samples.block, seed=seed)
    except DataError as reason:
        record.facts["left out"]["intrinsic dimension"] = str(reason)
    else:
        record.numbers["intrinsic_dimension"] = metric(found[0].dimension, "1", found[0].error)
        record.arrays["log_ratio"] = found[0].log_ratio
        record.arrays["decimated"] = np.array([[f.points, f.dimension, f.error] for f in found])
        record.facts["fitted ratios"] = found[0].fitted
    axes = principal(x, 2)
    place = axes.project(x)
    record.arrays["map_pca"] = np.pad(place, ((0, 0), (0, 2 - place.shape[1])))
    record.arrays["map_axes"] = x[:, :2] if x.shape[1] >= 2 else np.pad(x, ((0, 0), (0, 1)))
    rows = np.unique(np.linspace(0, len(x) - 1, min(MAPPED, len(x))).astype(int))
    scaled = x[rows] if samples.names[0].startswith(("z", "d")) else _whitened(x[rows])
    near, kept = neighbor_map(scaled, seed=seed)
    record.arrays["map_neighbors"], record.arrays["map_neighbors_rows"] = near, rows
    record.numbers["map_trustworthiness"] = metric(kept, "1")
    if samples.rows is None:
        runs = [x[samples.run == r] for r in np.unique(samples.run)]
        try:
            slow = tica(runs, options.lag, 2)
        except DataError as reason:
            record.facts["left out"]["slow coordinates"] = str(reason)
        else:
            place = slow.project(x)
            record.arrays["map_tica"] = np.pad(place, ((0, 0), (0, 2 - place.shape[1])))
            record.facts["autocorrelation"] = slow.eigenvalues[:2].tolist()
    for number, observable in enumerate(samples.observables.values()):
        record.arrays[f"observable_{number}"] = observable.values
    if samples.part is not None:
        record.arrays["part"] = samples.part


def _whitened(x: np.ndarray) -> np.ndarray:
    return (x - x.mean(0)) / np.maximum(x.std(0), 1e-12 + 1e-3 * x.std(0).max())


def _information(record: Inside, samples: Samples, options: Options, seed: int) -> None:
    found = dependence(samples, options.nulls, seed)
    record.arrays["information"] = np.array([[f.value for f in row] for row in found.each.values()])
    record.arrays["information_error"] = np.array([[f.error for f in row] for row in found.each.values()])
    record.arrays["information_null"] = np.array([[f.null_high for f in row] for row in found.each.values()])
    record.facts["information columns"], record.facts["joint columns"] = found.columns, found.joint
    rows = []
    for name, one in found.together.items():
        key = f"information_{name}".replace(" (φ, ψ)", "_φψ").replace("(φ, ψ)", "φψ").replace(" ", "_")
        record.numbers[key] = metric(one.value, "nats", one.error)
        record.numbers[f"{key}_null"] = metric(one.null_high, "nats")
        rows.append([one.value, one.error, one.null, one.null_high])
    record.arrays["joint"] = np.array(rows)
    record.facts["joint of"] = list(found.together)
    told = apart(samples, seed)
    if told is not None:
        record.facts["told apart"] = samples.part_names
        for name, sep in told.latent.items():
            record.numbers[f"separation_{name}"] = metric(sep.auc, "AUC", sep.auc_error)
            record.numbers[f"accuracy_{name}"] = metric(sep.accuracy, "1", sep.accuracy_error)
        for name, sep in told.alone.items():
            record.numbers[f"separation_{name}_{told.size}"] = metric(sep.auc, "AUC", sep.auc_error)
        record.arrays["apart_times"] = told.times
        record.facts["unit of time"] = samples.frames.dataset.units.time
        for name, values in told.by_time.items():
            record.arrays[f"apart_by_time_{name}"] = values
            record.numbers[f"separation_first_{'latent' if name == 'latent' else told.size}"] = metric(
                float(values[0]), "AUC"
            )
        record.numbers["separation_chance"] = metric(told.chance, "AUC", told.chance_spread)


def _likeness(record: Inside, samples: Samples, against: Subject | None, seed: int) -> None:
    """CKA of the layers with each other, or with those of a second run."""
    every = {**samples.layers, samples.layer: samples.flat}
    own = {name: every[name] for name in sorted(every, key=lambda name: (len(name), name))}  # by depth
    if against is None:
        if len(own) > 1:
            record.arrays["cka"] = layer_matrix(own, own)
            record.facts["cka rows"] = record.facts["cka columns"] = list(own)
        return
    other = other_layers(against, samples)
    record.arrays["cka"] = layer_matrix(own, other)
    record.facts["cka rows"], record.facts["cka columns"] = list(own), list(other)
    record.facts["against"] = against.label
    last = samples.layer if samples.layer in other else next(reversed(other))
    for name, found in compared(samples, other[last], seed).items():
        record.numbers[name] = metric(found.value, "1", found.error)
        record.numbers[f"{name}_null"] = metric(found.null, "1", found.null_spread)


def _ways(record: Inside, space: Latent, samples: Samples, ends: tuple[int, int], steps: int) -> None:
    """Inversion, traversals and interpolation."""
    data = samples.frames.dataset
    x = np.asarray(samples.frames.array(keys.POSITIONS))
    residual = inversion_residual(space, x)
    record.numbers["inversion_residual"] = metric(residual, "1")
    record.flags += inversion_flag(residual, isinstance(space.model, DensityModel))
    points = points_of(space, samples.frames)
    along = traversals(space, points, steps)
    record.arrays |= {
        "traversal": along.x.astype(np.float32), "traversal_values": along.values,
        "traversal_shares": along.shares,
    }  # fmt: skip
    record.facts["traversals"] = along.names
    axes = len(along.x)
    changed = of_structures(
        along.x.reshape(axes * steps, *along.x.shape[2:]), data.system, samples.observables
    )
    record.facts["traversal observables"] = list(changed)
    record.arrays["traversal_observables"] = np.array([v.reshape(axes, steps) for v in changed.values()])
    found = interpolation(space, samples.frames, points, ends, steps)
    record.facts["interpolation"] = {"frames": list(found.frames), "ways": list(found.x)}
    for name, path in found.x.items():
        record.arrays[f"path_{name}"] = path.astype(np.float32)
        record.arrays[f"path_{name}_rmsd"] = found.rmsd[name]
        record.arrays[f"path_{name}_clashes"] = found.clashes[name]
        if name in found.energy:
            record.arrays[f"path_{name}_energy"] = found.energy[name]
        record.numbers |= _path_numbers(name, found.energy.get(name), found.clashes[name])


def _ends(samples: Samples, options: Options) -> tuple[int, int]:
    if options.path is None:
        return far_apart(samples.frames)
    place = {int(frame): row for row, frame in enumerate(samples.frames.index)}
    for frame in options.path:
        if frame not in place:
            raise ConfigError(
                f"path: frame {frame} is not among the {len(place)} frames looked at "
                f"({min(place)} to {max(place)} of the {samples.frames.name} split); raise --frames"
            )
    return place[options.path[0]], place[options.path[1]]


def _path_numbers(name: str, energy: np.ndarray | None, clashes: np.ndarray) -> dict[str, Metric]:
    """Highest energy between the ends above the higher of them, and most clashes on the way."""
    out = {f"path_clashes_{name}": metric(float(clashes.max()), "pairs")}
    if energy is not None:
        out[f"path_barrier_{name}"] = metric(float(energy.max() - max(energy[0], energy[-1])), "kT")
    return out
