"""Datasets as verbs: make, check."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from zoo import keys
from zoo.config import nest, validated
from zoo.data.catalog import dataset_entry, is_registered, open_dataset
from zoo.data.dataset import Dataset
from zoo.data.entry import Check, NoOptions
from zoo.errors import DataError
from zoo.registry import REGISTRY
from zoo.units import SYSTEMS


def make_dataset(
    name: str,
    out: Path | None = None,
    *,
    frames: int | None = None,
    seed: int = 0,
    settings: Mapping[str, Any] | None = None,
) -> Path:
    """Simulate or generate a dataset; called again after a kill, it continues.

    Args:
        name: of the entry, or `name/variant`.
        out: folder to make, `data/NAME` by default.
        frames: number of frames; the entry's default if None.
        seed: of everything random.
        settings: options of the entry, see `zoo show NAME`.

    Raises:
        UnknownName, ConfigError: no such entry or option.
        EntryError: an extra is missing.
        DataError: the folder exists, or another process is making it.
    """
    entry = dataset_entry(name)
    REGISTRY.require(entry.spec)
    kind = REGISTRY.load_config(entry.spec) or NoOptions
    options = validated(kind, nest(settings or {}))
    if frames is not None and frames < 1:
        raise DataError(f"--frames takes a positive number, got {frames}")
    return entry.make(out or default_out(name), frames=frames, seed=seed, options=options)


def check_dataset(name: str | Path) -> list[Check]:
    """Compare a dataset with independent facts: of the store, of any system, of its entry's physics.

    Raises:
        DataError: the folder is no dataset, or an array was changed.
    """
    dataset = open_dataset(name, verify=True)
    return [*general_checks(dataset), *_entry_checks(dataset)]


def _entry_checks(dataset: Dataset) -> list[Check]:
    return dataset_entry(dataset.name).checks(dataset) if is_registered(dataset.name) else []


def general_checks(dataset: Dataset) -> list[Check]:
    """What must hold for any dataset."""
    arrays = {k: v for k, v in dataset.arrays.items() if np.issubdtype(v.dtype, np.floating)}
    chunk = 4096
    bad = sum(
        int((~np.isfinite(array[i : i + chunk])).sum())
        for array in arrays.values()
        for i in range(0, len(array), chunk)
    )
    sizes = {name: len(dataset.split(name)) for name in dataset.manifest.splits}
    checks = [
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
    if keys.FORCES in dataset.arrays and not dataset.system.periodic:
        forces = np.asarray(dataset.array(keys.FORCES, slice(0, 1000)), np.float64)
        net = np.abs(forces.sum(1)).max() / np.sqrt((forces**2).mean())
        checks.append(
            Check(
                "largest net force over rms force",
                "< 1e-3",
                "Newton's third law",
                float(net),
                ok=bool(net < 1e-3),
            )
        )
    return checks


def default_out(name: str) -> Path:
    """`data/NAME`."""
    return Path("data") / name.replace(":", "-")


def describe(folder: Path) -> str:
    """One line on a dataset that was just made."""
    dataset = Dataset(folder)
    units = SYSTEMS[dataset.manifest.units]
    warm = "" if dataset.temperature is None else f", T = {dataset.temperature:g} {units.temperature}"
    return f"{folder}: {len(dataset)} frames × {dataset.system.num_particles} particles{warm}"
