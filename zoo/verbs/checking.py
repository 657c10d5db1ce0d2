"""`zoo data check`: a dataset against independent facts."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from zoo import keys
from zoo.analysis.averages import SIGMAS, mean_and_error
from zoo.data.catalog import dataset_entry, is_registered, open_dataset
from zoo.data.dataset import Dataset
from zoo.data.entry import Check
from zoo.units import ANGSTROM_PER_NM, EV_PER_KJ_MOL

#: Frames that forces and velocities are looked at, evenly spaced.
FRAMES = 1000


def check_dataset(name: str | Path) -> list[Check]:
    """Compare a dataset with independent facts: of the store, of any system, of its entry's physics.

    Raises:
        DataError: the folder is no dataset, or an array was changed.
    """
    dataset = open_dataset(name, verify=True)
    found = [*store_checks(dataset), *newton(dataset)]
    if is_registered(dataset.name):
        return found + dataset_entry(dataset.name).checks(dataset)
    return found + equipartition(dataset)


def store_checks(dataset: Dataset) -> list[Check]:
    """What must hold for any dataset."""
    arrays = {k: v for k, v in dataset.arrays.items() if np.issubdtype(v.dtype, np.floating)}
    chunk = 4096
    bad = sum(
        int((~np.isfinite(array[i : i + chunk])).sum())
        for array in arrays.values()
        for i in range(0, len(array), chunk)
    )
    sizes = {name: len(dataset.split(name)) for name in dataset.manifest.splits}
    return [
        Check("arrays equal their sha256", "all", "manifest", len(dataset.arrays), "arrays", ok=True),
        Check("numbers that are NaN or infinite", "0", "any dataset", bad, ok=bad == 0),
        Check(
            "frames in splits, disjoint",
            f"≤ {len(dataset)}",
            "manifest",
            sum(sizes.values()),
            "frames",
            ok=0 < sum(sizes.values()) <= len(dataset),
            note=", ".join(f"{k} {v}" for k, v in sizes.items()),
        ),
    ]


def newton(dataset: Dataset) -> list[Check]:
    """The forces of all particles sum to zero; not judged for files that others wrote."""
    if keys.FORCES not in dataset.arrays:
        return []
    forces = np.asarray(dataset.array(keys.FORCES, _spread(len(dataset))), np.float64)
    net = float(np.abs(forces.sum(1)).max() / max(np.sqrt((forces**2).mean()), 1e-300))
    note = ""
    ok: bool | None = net < 1e-3
    if not ok and "format" in dataset.manifest.provenance:
        ok, note = None, "not judged: particles left out, walls or fields act on these"
    return [Check("largest net force over rms force", "< 1e-3", "Newton's third law", net, ok=ok, note=note)]


def equipartition(dataset: Dataset) -> list[Check]:
    """Temperature of an imported dataset's velocities beside the one that was stated."""
    target, units = dataset.temperature, dataset.units
    if keys.VELOCITIES not in dataset.arrays or not target:
        return []
    frames = _spread(len(dataset))
    velocities = np.asarray(dataset.array(keys.VELOCITIES, frames), np.float64)
    energy = EV_PER_KJ_MOL / ANGSTROM_PER_NM**2 if units.name == "ase" else 1.0  # of amu (Å/ps)²
    dimensions = int(dataset.system.parameters.get("dimensions", 3))
    freedom = dimensions * dataset.system.num_particles
    twice = (velocities**2 * dataset.system.masses[:, None]).sum((1, 2)) * energy
    run = dataset.runs()[frames]
    value, error = mean_and_error(twice / (freedom * units.boltzmann), run)
    ok = abs(value - target) < SIGMAS * error or None
    note = "" if ok else "not judged: constraints, or a centre of mass at rest, take degrees of freedom"
    source = f"equipartition, {dimensions}N degrees of freedom"
    name = "temperature of the velocities"
    return [Check(name, f"{target:g}", source, value, units.temperature, error, ok, note)]


def _spread(frames: int) -> np.ndarray:
    return np.unique(np.linspace(0, frames - 1, FRAMES).astype(int))
