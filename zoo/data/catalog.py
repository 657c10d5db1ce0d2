"""From a dataset argument (name, name/variant, or folder) to a dataset or its entry."""

from __future__ import annotations

import os
from importlib import resources
from pathlib import Path

from zoo.config import validated
from zoo.data.dataset import Dataset
from zoo.data.entry import DatasetEntry
from zoo.data.joined import JoinedDataset
from zoo.data.store import MANIFEST
from zoo.errors import DataError, UnknownName
from zoo.registry import REGISTRY
from zoo.registry.spec import DatasetSpec


def dataset_entry(name: str) -> DatasetEntry:
    """Return the entry of `name` or `name/variant`. Raises `UnknownName` or `EntryError`."""
    spec, variant = REGISTRY.split_variant(name)
    return REGISTRY.load_target(spec)(spec, variant)


def is_registered(name: str) -> bool:
    """Whether `name`, less its variant, is an entry's name."""
    bare = name.partition("/")[0]
    entries = REGISTRY.entries("datasets")
    return any(bare in (entry.name, entry.qualified) for entry in entries)


def open_dataset(name: str | Path, *, verify: bool | None = None) -> Dataset:
    """Open a dataset by registry name (its packaged sample), `name/variant`, or folder.

    Several of them with `+` between, as in `data/langevin+data/nose-hoover`, are joined.

    Raises:
        UnknownName: neither an entry nor a folder.
        DataError: the folder is no dataset, or is damaged, or several are not of one system.
    """
    if isinstance(name, str) and "+" in name and not Path(name).exists():
        if not all(part.strip() for part in name.split("+")):
            raise DataError(f"{name!r} lacks a dataset before or after +; A+B names both")
        return JoinedDataset([open_dataset(part.strip(), verify=verify) for part in name.split("+")])
    if isinstance(name, str) and is_registered(name):
        return Dataset(sample_path(name), verify=verify)
    folder = Path(name)
    if folder.is_dir():
        return Dataset(folder, verify=verify)
    if folder.exists():
        raise DataError(f"{folder} is a file, not a dataset; `zoo data import NAME {folder}` makes one of it")
    if isinstance(name, Path) or os.sep in name:
        raise DataError(f"no dataset at {folder}: there is no such folder")
    raise UnknownName("dataset or folder", name, REGISTRY.names("datasets"))


def sample_path(name: str) -> Path:
    """Return the folder of an entry's packaged sample.

    A bare name whose entry packages samples of variants alone means the first variant's. An entry
    that packages none is made once, with default options, into the cache
    (`$XDG_CACHE_HOME/zoo`).
    """
    spec, variant = REGISTRY.split_variant(name)
    if spec.sample is not None:
        package, _, folder = spec.sample.partition(":")
        path = Path(str(resources.files(package))) / (folder + (f"-{variant}" if variant else ""))
        if variant is None and spec.variants and not path.exists():
            path = path.with_name(f"{folder}-{next(iter(spec.variants))}")
        if not (path / MANIFEST).is_file():
            raise DataError(
                f"{name} comes without a packaged sample; make one: `zoo data make {name}`, "
                f"then give its folder (data/{name}) in place of the name"
            )
        return path
    return _cached_sample(spec, name)


def cache_folder() -> Path:
    """Folder for what can be made again: `$XDG_CACHE_HOME/zoo`, usually `~/.cache/zoo`."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "zoo"


def _cached_sample(spec: DatasetSpec, name: str) -> Path:
    owner = REGISTRY.owner(spec)
    stem = f"{owner.distribution}-{owner.version}-{name}".replace("/", "-")
    path = cache_folder() / "samples" / stem
    if not (path / MANIFEST).is_file():
        entry = dataset_entry(name)
        config = REGISTRY.load_config(spec)
        options = validated(config, {}) if config else None
        entry.make(path, frames=None, seed=0, options=options)  # type: ignore[arg-type]
    return path
