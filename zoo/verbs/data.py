"""Datasets as verbs: make, import, check."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from zoo import keys
from zoo.config import nest, validated
from zoo.data import formats
from zoo.data.catalog import dataset_entry, is_registered, open_dataset
from zoo.data.dataset import Dataset
from zoo.data.entry import Check, NoOptions, RawData
from zoo.data.splits import Ranges, split_runs
from zoo.data.store import Manifest, dataset_writer
from zoo.errors import DataError, UnknownName
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


def import_dataset(
    name: str,
    paths: Sequence[Path],
    out: Path | None = None,
    *,
    format: str | None = None,
    options: Mapping[str, Any] | None = None,
) -> Path:
    """Read files of a public format into a dataset folder.

    Args:
        name: an entry's name, whose targets are then computed, or any new label.
        paths: files, or folders of them.
        out: folder to make, `data/NAME` by default.
        format: found by content if None.
        options: what the format cannot tell itself, such as `units`.

    Raises:
        DataError: the files are damaged, do not go together or are of no known format.
    """
    options = dict(options or {})
    for key in options:
        if key != "units":
            raise UnknownName("option of import", key, ["units"])
    raw = formats.read([Path(p) for p in paths], format, units=options.get("units"))
    return write_raw(raw, name, out or default_out(name))


def write_raw(raw: RawData, name: str, out: Path) -> Path:
    """Write what a reader found, with what the entry derives from it.

    Split as published, or else by run or by blocks of time.
    """
    entry = dataset_entry(name) if is_registered(name) else None
    complete = entry.complete if entry else lambda raw: raw
    more, raw = raw.more, complete(replace(raw, more=()))
    with dataset_writer(out, raw.array_units) as writer:
        writer.append(raw.arrays)
        for chunk in more:
            writer.append(complete(replace(raw, arrays=chunk)).arrays)
        written = writer.arrays()
        frames = len(written[keys.POSITIONS])
        run = written.get(keys.RUN, np.zeros(frames, np.int32))
        manifest = Manifest(
            name=name,
            version="1",
            units=raw.units,  # type: ignore[arg-type]
            temperature=raw.temperature,
            system=raw.system.to_json(),
            splits=raw.splits or _splits(run),
            target_names=raw.target_names,
            target_times=raw.target_times,
            provenance=raw.provenance,
        )
        writer.finish(manifest)
    return Path(out)


def _splits(run: np.ndarray) -> dict[str, Ranges]:
    return split_runs(run) if len(run) >= 3 else {"test": [(0, len(run))]}


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
