"""`zoo data make`, and what making, importing and fetching share."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from zoo.config import nest, validated
from zoo.data.catalog import dataset_entry, is_registered
from zoo.data.dataset import Dataset
from zoo.data.entry import NoOptions
from zoo.errors import ConfigError, DataError
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


def default_out(name: str) -> Path:
    """`data/NAME`, where NAME is an entry's name, with its variant, or a label.

    Raises `ConfigError` for a label that is no plain name.
    """
    plain = name and name.isprintable() and not set(name) & set("/\\+") and name not in (".", "..")
    if not plain and not is_registered(name):
        raise ConfigError(
            f"{name!r} is no label for a dataset: take letters, digits, - and . "
            "(where it is written is said with --out)"
        )
    return Path("data") / name.replace(":", "-")


def describe(folder: Path) -> str:
    """One line on a dataset that was just made."""
    dataset = Dataset(folder)
    units = SYSTEMS[dataset.manifest.units]
    warm = "" if dataset.temperature is None else f", T = {dataset.temperature:g} {units.temperature}"
    return f"{folder}: {len(dataset)} frames × {dataset.system.num_particles} particles{warm}"
