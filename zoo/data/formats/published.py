"""Splits as a data set was published, in folders `train` and `test`: what is test stays test."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from zoo.data.splits import Ranges
from zoo.errors import DataError

_FOLDERS = {"train": "train", "val": "val", "valid": "val", "validation": "val", "test": "test"}
#: Share of the training configurations that becomes validation where none was published.
_VALIDATION = 0.15


def split_of(path: Path) -> str | None:
    """Return the split that a file was published in, by the folder in which it lies."""
    return _FOLDERS.get(path.resolve().parent.name)


def published_splits(paths: Sequence[Path]) -> tuple[list[int], dict[str, Ranges] | None, list[str]]:
    """Return the order of the files, train before val before test, the splits of frames, and notes.

    The splits are None where the folders tell none: of a train folder alone, all three are cut
    anew. Without a validation folder, the last 15 % of train become validation.

    Args:
        paths: one for each frame.

    Raises:
        DataError: some files lie in such folders, and some do not.
    """
    told = [split_of(path) for path in paths]
    order = list(range(len(paths)))
    if set(told) <= {"train"} or set(told) == {None}:
        return order, None, ["published as train: all three splits are cut from it"] if told[0] else []
    if None in told:
        outside = paths[told.index(None)]
        inside = next(path for path, split in zip(paths, told, strict=True) if split)
        raise DataError(
            f"{inside} lies in a folder {inside.parent.name}, {outside} in none: "
            "import the published folders as they are, or all files from one folder"
        )
    order = [i for name in ("train", "val", "test") for i in order if told[i] == name]
    counts = {name: told.count(name) for name in ("train", "val", "test")}
    notes = [
        "splits as published, by the folders " + ", ".join(sorted({paths[i].parent.name for i in order}))
    ]
    if not counts["val"] and counts["train"] > 1:
        counts["val"] = max(1, round(_VALIDATION * counts["train"]))
        counts["train"] -= counts["val"]
        notes.append(f"validation: the last {counts['val']} of train")
    splits: dict[str, Ranges] = {}
    start = 0
    for name, count in counts.items():
        if count:
            splits[name] = [(start, start + count)]
            start += count
    return order, splits, notes
