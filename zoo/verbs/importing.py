"""`zoo data import`: files of a public format become a dataset folder."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from zoo import keys
from zoo.data import formats
from zoo.data.catalog import dataset_entry, is_registered
from zoo.data.entry import RawData
from zoo.data.splits import Ranges, split_runs
from zoo.data.store import Manifest, dataset_writer, read_manifest
from zoo.verbs.data import default_out


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
        name: an entry's name, which then adds what it derives, or any new label.
        paths: files, or folders of them.
        out: folder to make, `data/NAME` by default.
        format: found by content if None.
        options: of the format: what its files cannot tell themselves, such as `units`.

    Raises:
        UnknownName: no such format or option.
        ConfigError: an option's value does not fit, or the label is no plain name.
        DataError: the files are damaged, do not go together or are of no known format.
    """
    target = default_out(name)
    raw = formats.read([Path(p) for p in paths], format, **dict(options or {}))
    return write_raw(raw, name, out or target)


def write_raw(raw: RawData, name: str, out: Path) -> Path:
    """Write what a reader found, with what the entry derives from it.

    Split as published, or else by run or by blocks of time.
    """
    entry = dataset_entry(name) if is_registered(name) else None

    def completed(arrays: dict[str, np.ndarray]) -> RawData:
        chunk = replace(raw, arrays=arrays, more=())
        return entry.complete(chunk) if entry else chunk

    first = completed(raw.arrays)
    with dataset_writer(out, first.array_units) as writer:
        writer.append(first.arrays)
        for arrays in raw.more:
            writer.append(completed(arrays).arrays)
        written = writer.arrays()
        frames = len(written[keys.POSITIONS])
        run = written.get(keys.RUN, np.zeros(frames, np.int32))
        manifest = Manifest(
            name=name,
            version="1",
            units=first.units,  # type: ignore[arg-type]
            temperature=first.temperature,
            system=first.system.to_json(),
            splits=first.splits or _splits(run),
            target_names=first.target_names,
            target_times=first.target_times,
            provenance=first.provenance,
        )
        writer.finish(manifest)
    return Path(out)


def notes(folder: Path) -> list[str]:
    """What the readers changed or left out, one line each."""
    return [str(text) for text in read_manifest(folder).provenance.get("notes", [])]


def _splits(run: np.ndarray) -> dict[str, Ranges]:
    return split_runs(run) if len(run) >= 3 else {"test": [(0, len(run))]}
