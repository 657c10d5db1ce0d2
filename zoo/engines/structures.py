"""Inherent and cage positions of configurations: stored ones, or found when they are asked for."""

from __future__ import annotations

from concurrent.futures import as_completed
from concurrent.futures.process import BrokenProcessPool

import numpy as np

from zoo import keys
from zoo.data.catalog import cache_folder
from zoo.data.dataset import Frames
from zoo.engines.found import COLUMNS, Cache, CageOptions, Configuration, ShortRuns
from zoo.engines.lammps import load_lammps
from zoo.engines.pair_potential import PairPotential, shifted
from zoo.engines.pool import worker_pool
from zoo.engines.runs import cores
from zoo.errors import DataError, RunFailed, ZooError
from zoo.progress import progress

#: Array of each kind of positions.
ARRAYS = {
    "thermal": keys.POSITIONS,
    "inherent": keys.INHERENT,
    "cage": keys.CAGE,
    "averaged": keys.AVERAGED,
}

#: Averaged positions are refused unless all times that are predicted are longer than the runs by this.
LONGER = 10


def structures(frames: Frames, kind: str, cages: CageOptions | None = None) -> np.ndarray:
    """Return positions `[frames, particles, 3]` of one kind: "thermal", "inherent", "cage" or "averaged".

    Averaged positions have a fourth column, the mean local energy in ε.

    What the dataset does not hold is computed with LAMMPS, on all cores, and kept in the folder
    `structures` of the user's cache: the next time it is read from there.

    Args:
        frames: of any split; a configuration gives the same positions in all of them.
        kind: of positions.
        cages: how cage positions that are not stored are averaged.

    Raises:
        DataError: the dataset has none, and does not tell enough to find them.
        EntryError: LAMMPS is needed and not installed.
        RunFailed: the simulation failed; what was found before is kept.
    """
    if ARRAYS[kind] in frames.dataset.arrays:
        return frames.array(ARRAYS[kind])
    seen = configurations(frames, kind, cages or CageOptions())
    cache = Cache(cache_folder() / "structures")
    found = [cache.load(seen_at.key(kind), len(seen_at.types), COLUMNS[kind]) for seen_at in seen]
    missing = [i for i, positions in enumerate(found) if positions is None]
    if missing:
        load_lammps()
        _find(seen, missing, kind, cache, found)
    return np.stack([positions for positions in found if positions is not None])


def configurations(frames: Frames, kind: str, cages: CageOptions) -> list[Configuration]:
    """Return what is known of each frame. Raises `DataError` where that is not enough."""
    dataset, system = frames.dataset, frames.dataset.system
    if kind not in COLUMNS:
        raise DataError(f"{dataset.name} holds no {kind} positions; take another kind, such as inherent")
    lacking = f"{dataset.name} holds no {kind} positions, and they cannot be found"
    known = system.parameters
    species = int(system.types.max()) + 1
    if not {"epsilon", "sigma", "cutoff"} <= known.keys() or species > len(known["epsilon"]):
        raise DataError(
            f"{lacking} without its pair potential: import it under the name kob-andersen, "
            "or take positions = thermal"
        )
    if kind in ("cage", "averaged") and dataset.temperature is None:
        raise DataError(
            f"{lacking} without its temperature: import files whose names tell it, as in …T0.44…npz, "
            "or take positions = inherent"
        )
    short = min(dataset.target_times, default=np.inf)
    if kind == "averaged" and short < LONGER * ShortRuns().time:
        raise DataError(
            f"{lacking}: averaged over runs of {ShortRuns().time:g} τ, where motion within {short:g} τ is to "
            "be predicted, they would tell the answer; take positions = cage or inherent"
        )
    flat = system.pbc == (True, True, False)
    if not flat and not all(system.pbc):
        raise DataError(f"{lacking} in a box that is not periodic; take positions = thermal")
    cutoff = float(known["cutoff"])
    c0, c2, c4 = known.get("tail") or shifted(cutoff)
    potential = PairPotential(
        np.array(known["epsilon"], np.float64), np.array(known["sigma"], np.float64), cutoff,
        (float(c0), float(c2), float(c4)), str(known.get("potential", "")),
    )  # fmt: skip
    dimensions = 2 if flat else 3
    cells = np.asarray(dataset.array(keys.CELLS, frames.index), np.float64)[:, :dimensions, :dimensions]
    edges = cells[:, 0, 0]
    if not np.allclose(cells, edges[:, None, None] * np.eye(dimensions), rtol=1e-6, atol=1e-6):
        raise DataError(f"{lacking} in a cell that is not a cube or square; take positions = thermal")
    if len(edges) and edges.min() < 2 * potential.range:
        raise DataError(f"{lacking} in a box narrower than two ranges of the potential; take more particles")
    positions = frames.array(keys.POSITIONS)
    return [
        Configuration(
            np.asarray(x, np.float64), system.types, float(edge), potential, dimensions,
            dataset.temperature, cages,
        )
        for x, edge in zip(positions, edges, strict=True)
    ]  # fmt: skip


def _find(
    seen: list[Configuration],
    missing: list[int],
    kind: str,
    cache: Cache,
    found: list[np.ndarray | None],
) -> None:
    """Compute what is missing, one configuration on each core, and save each as soon as it is there."""
    pool = worker_pool(min(cores(), len(missing)))
    with progress(f"{kind} positions", len(missing), "configurations") as bar:
        try:
            running = {pool.submit(seen[i].find, kind): i for i in missing}
            for future in as_completed(running):
                i = running[future]
                for name, positions in future.result().items():
                    cache.save(seen[i].key(name), positions)
                    if name == kind:
                        found[i] = positions
                bar.advance(1)
        except BrokenProcessPool as error:
            raise RunFailed("a simulation process died (out of memory?); repeat the command") from error
        except (OSError, ZooError):
            raise
        except Exception as error:  # LAMMPS raises bare exceptions
            raise RunFailed(f"no {kind} positions: the simulation failed: {error}") from error
        finally:
            pool.shutdown(cancel_futures=True)
