"""`zoo data map`: a dataset of beads from a dataset of particles."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from zoo import keys
from zoo.coarse.beads import bead_system
from zoo.coarse.maps import CoarseMap
from zoo.coarse.schemes import SCHEMES, scheme
from zoo.data.catalog import is_registered, open_dataset
from zoo.data.dataset import Dataset
from zoo.data.store import Manifest, dataset_writer
from zoo.errors import ConfigError, DataError, UnknownName
from zoo.models.autoencoder import BeadAutoencoder
from zoo.progress import progress
from zoo.run import CONFIG
from zoo.version import __version__
from zoo.weights import load, pretrained

#: Numbers of one array that are held at once.
CHUNK = 4_000_000
FORCE_MAPS = ("sum", "optimal")
#: Arrays that belong to frames and not to particles.
FRAME_ARRAYS = (keys.RUN, keys.TIME, keys.WEIGHTS, keys.CELLS)


def map_dataset(
    name: str | Path,
    to: str,
    out: Path | None = None,
    *,
    beads: int | None = None,
    forces: str = "sum",
    seed: int = 0,
) -> Path:
    """Write the beads of a dataset as a dataset: positions C x, forces B f, masses, bonds, splits.

    The potential energy of the particles is no energy of the beads; it is kept as `energies_all_atoms`.

    Args:
        name: of a dataset, or its folder.
        to: a map of `zoo.coarse.schemes.SCHEMES`, or a run (or packaged model) that has learned one.
        out: folder to make; by default `data/NAME-TO[-BEADS]`.
        beads: of maps that take any number.
        forces: "sum" of a group's forces, or the "optimal" constant B of least noise
            (`zoo.coarse.force_maps`).
        seed: of the random map.

    Raises:
        UnknownName, ConfigError, DataError: no such map, or one that does not fit the system.
        RunError: no such run.
    """
    if forces not in FORCE_MAPS:
        raise UnknownName("force map", forces, FORCE_MAPS)
    data = open_dataset(name)
    coarse = _chosen(data, to, beads, seed)
    if data.system.periodic and (np.count_nonzero(coarse.positions, axis=1) > 1).any():
        raise DataError(
            f"{data.name} is periodic, and the centre of particles on both sides of a wall is nowhere near "
            "them; import the molecules whole with --set periodic=false, or take a map onto single particles"
        )
    if forces == "optimal":
        coarse = _optimal(data, coarse)
    _warn_of_cut_bonds(data, coarse)
    label = Path(to).name if Path(to).exists() else to
    stem = str(name) if is_registered(str(name)) else Path(name).name
    number = f"-{beads}" if beads is not None else ""
    out = out or Path("data") / f"{stem}-{label}{number}".replace("/", "-").replace(":", "-")
    return _written(data, coarse, label + number, out, forces)


def _chosen(data: Dataset, to: str, beads: int | None, seed: int) -> CoarseMap:
    if to in SCHEMES:
        return scheme(to, data.system, beads, seed)
    path = Path(to)
    if to not in pretrained() and not (path / CONFIG).is_file():
        known = ", ".join(SCHEMES)
        raise ConfigError(f"{to!r} is no map ({known}) and no run of an autoencoder")
    if beads is not None:
        raise ConfigError("a run's map has the beads that it has: leave --beads out")
    model = load(to if to in pretrained() else path)
    if not isinstance(model, BeadAutoencoder):
        raise ConfigError(f"{to} has learned no map; cg-autoencoder and cg-vae have one")
    coarse = model.coarse_map()
    if coarse.positions.shape[1] != data.system.num_particles:
        raise DataError(
            f"the map of {to} is of {coarse.positions.shape[1]} particles, {data.name} has "
            f"{data.system.num_particles}"
        )
    return coarse


def _optimal(data: Dataset, coarse: CoarseMap) -> CoarseMap:
    from zoo.coarse.force_maps import constraints_of, force_gram, optimal

    if keys.FORCES not in data.arrays:
        raise DataError(f"{data.name} has no forces to find their best map from; leave --forces out")
    return optimal(coarse, force_gram(data.split("train")), constraints_of(data.system))


def _warn_of_cut_bonds(data: Dataset, coarse: CoarseMap) -> None:
    """Say where a rigid bond of the simulation lies between the weights of two beads' forces."""
    from zoo.coarse.force_maps import constraints_of, respects

    constraints = constraints_of(data.system)
    cut = constraints[~respects(coarse, constraints)]
    if keys.FORCES not in data.arrays or not len(cut):
        return
    names = data.system.atom_names or tuple(str(i) for i in range(data.system.num_particles))
    shown = ", ".join(f"{names[i]}–{names[j]}" for i, j in cut[:4].tolist())
    more = f" and {len(cut) - 4} more" if len(cut) > 4 else ""
    print(
        f"forces on these beads are biased: the map cuts rigid bonds of the simulation ({shown}{more}); "
        "take --forces optimal, or a map that keeps hydrogens with their heavy atoms",
        file=sys.stderr,
    )


def _written(data: Dataset, coarse: CoarseMap, label: str, out: Path, forces: str) -> Path:
    units = data.units
    named = {
        keys.POSITIONS: units.length,
        keys.FORCES: units.force,
        keys.VELOCITIES: f"{units.length}/{units.time}",
    }
    mapped = {name: unit for name, unit in named.items() if name in data.arrays}
    kept = {name: data.manifest.arrays[name].unit for name in FRAME_ARRAYS if name in data.arrays}
    energy = {"energies_all_atoms": units.energy} if keys.ENERGIES in data.arrays else {}
    manifest = Manifest(
        name=f"{data.name}/{label}", version=f"mapped by zoo {__version__}", units=data.manifest.units,
        temperature=data.temperature, system=bead_system(data.system, coarse).to_json(),
        splits=data.manifest.splits,
        provenance={
            "mapped from": data.name, "positions sha256": data.manifest.arrays[keys.POSITIONS].sha256,
            "map": label, "forces": forces, "source": data.manifest.provenance,
        },
    )  # fmt: skip
    with dataset_writer(out, {**mapped, **kept, **energy}) as writer:
        for rows in _chunks(data):
            part = {name: data.array(name, rows) for name in kept}
            for name in mapped:
                apply = coarse.project if name == keys.FORCES else coarse.to_beads
                part[name] = apply(data.array(name, rows).astype(np.float64)).astype(np.float32)
            if energy:
                part["energies_all_atoms"] = data.array(keys.ENERGIES, rows)
            writer.append(part)
        writer.finish(manifest)
    return out


def _chunks(data: Dataset) -> Iterator[slice]:
    size = max(1, CHUNK // (3 * data.system.num_particles))
    with progress(f"mapping {data.name}", len(data), "frames") as bar:
        for start in range(0, len(data), size):
            stop = min(start + size, len(data))
            yield slice(start, stop)
            bar.advance(stop - start)
