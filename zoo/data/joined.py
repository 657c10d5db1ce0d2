"""Several datasets of one system as one: `zoo train MODEL A+B`."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from zoo import keys
from zoo.data.dataset import Dataset
from zoo.data.splits import merge
from zoo.data.store import ArrayRecord
from zoo.errors import DataError
from zoo.units import SYSTEMS


class Chained:
    """Arrays one behind the other along the first axis, read where they are asked for.

    Args:
        parts: memory-mapped arrays that differ in length, and perhaps along the second axis, where −1
            follows the end of the shorter ones: numbers of pairs.
        shift: `[parts]` added to each part's numbers; 0 leaves them alone.
    """

    def __init__(self, parts: Sequence[np.ndarray], shift: Sequence[int] | None = None) -> None:
        self.parts, self.shift = list(parts), list(shift or [0] * len(parts))
        self.ends = np.cumsum([len(part) for part in parts])
        largest = (max(sizes) for sizes in zip(*(part.shape[1:] for part in parts), strict=True))
        self.shape = (int(self.ends[-1]), *largest)
        self.dtype, self.ndim = parts[0].dtype, parts[0].ndim

    def __len__(self) -> int:
        return self.shape[0]

    def __iter__(self) -> Iterator[np.ndarray]:
        return (self[i] for i in range(len(self)))

    def __getitem__(self, key: Any) -> np.ndarray:
        index = np.arange(len(self))[key[0] if isinstance(key, tuple) else key]
        rest = key[1:] if isinstance(key, tuple) else ()
        which = np.searchsorted(self.ends, np.atleast_1d(index), side="right")
        out = np.empty((len(which), *self.shape[1:]), self.dtype)
        for number, part in enumerate(self.parts):
            mine = np.flatnonzero(which == number)
            if len(mine):
                start = int(self.ends[number]) - len(part)
                rows = part[np.atleast_1d(index)[mine] - start]
                if rows.shape[1:] != self.shape[1:]:
                    out[mine] = -1
                    out[mine, : rows.shape[1]] = rows
                else:
                    out[mine] = rows
                if self.shift[number]:
                    out[mine] += self.shift[number]
        found = out[0] if np.ndim(index) == 0 else out
        return found[rest if np.ndim(index) == 0 else (slice(None), *rest)] if rest else found

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray:
        return np.asarray(self[:], dtype)


class JoinedDataset(Dataset):
    """Datasets of one system, one behind the other: splits joined with splits, runs kept apart.

    Arrays that not all of them have are left out. The temperature is theirs where it is the same.

    Args:
        parts: the datasets, in order.

    Raises:
        DataError: they are not of one system: other particles, bonds, units or targets.
    """

    def __init__(self, parts: Sequence[Dataset]) -> None:
        first = parts[0]
        for other in parts[1:]:
            _check_same(first, other)
        self.parts = list(parts)
        self.path, self.system = first.path, first.system
        self.units = SYSTEMS[first.manifest.units]
        common = [name for name in first.arrays if all(name in part.arrays for part in parts)]
        shifts = np.cumsum([0, *(_runs(part) for part in parts[:-1])]).tolist()
        self.arrays = {
            name: Chained([part.arrays[name] for part in parts], shifts if name == keys.RUN else None)  # type: ignore[misc]
            for name in common
        }
        starts = np.cumsum([0, *(len(part) for part in parts[:-1])]).tolist()
        manifest = first.manifest.model_copy(deep=True)
        manifest.name = "+".join(part.name for part in parts)
        if any(part.temperature != first.temperature for part in parts):
            manifest.temperature = None
        manifest.splits = {
            split: merge(
                [
                    (a + start, b + start)
                    for part, start in zip(parts, starts, strict=True)
                    for a, b in part.manifest.splits.get(split, [])
                ]
            )
            for split in dict.fromkeys(s for part in parts for s in part.manifest.splits)
        }
        manifest.arrays = {name: _record(name, self.arrays[name], parts) for name in common}
        manifest.provenance = {part.name: part.manifest.provenance for part in parts}
        self.manifest = manifest

    def part_of(self, frames: np.ndarray) -> np.ndarray:
        """Return `[frames]` the number of the dataset that each frame comes from."""
        return np.searchsorted(np.cumsum([len(p) for p in self.parts]), frames, side="right")


def _check_same(first: Dataset, other: Dataset) -> None:
    def differ(what: str) -> DataError:
        return DataError(
            f"{first.name} and {other.name} cannot be joined: they differ in {what}; "
            "A+B takes datasets of one system"
        )

    if first.manifest.units != other.manifest.units:
        raise differ(f"units ({first.manifest.units}, {other.manifest.units})")
    a, b = first.system, other.system
    if a.types.tolist() != b.types.tolist() or a.type_names != b.type_names:
        raise differ(f"their particles ({a.num_particles}, {b.num_particles})")
    if a.pbc != b.pbc:
        raise differ("periodicity")
    if a.atom_names and b.atom_names and a.atom_names != b.atom_names:
        raise differ("the names of their atoms")
    if {frozenset(x) for x in a.bonds.tolist()} != {frozenset(x) for x in b.bonds.tolist()}:
        raise differ("their bonds")
    if keys.TARGETS in first.arrays and keys.TARGETS in other.arrays:
        if first.target_times != other.target_times or first.target_names != other.target_names:
            raise differ(f"their targets ({first.target_names}, {other.target_names})")
    for name in first.arrays.keys() & other.arrays.keys():
        axis = 2 if name in (keys.PAIRS, keys.PAIR_CHANGES) else 1  # each has as many pairs as it needs
        if first.arrays[name].shape[axis:] != other.arrays[name].shape[axis:]:
            raise differ(f"the shape of {name}")


def _runs(part: Dataset) -> int:
    return int(np.max(part.arrays[keys.RUN])) + 1 if keys.RUN in part.arrays else 1


def _record(name: str, array: Any, parts: Sequence[Dataset]) -> ArrayRecord:
    first = parts[0].manifest.arrays[name]
    digests = "".join(part.manifest.arrays[name].sha256 for part in parts)
    return ArrayRecord(
        file=first.file,
        shape=list(array.shape),
        dtype=first.dtype,
        unit=first.unit,
        sha256=hashlib.sha256(digests.encode()).hexdigest(),
    )
