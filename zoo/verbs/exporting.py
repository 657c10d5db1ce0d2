"""`export`: frames of a dataset into a file that other programs read."""

from __future__ import annotations

from pathlib import Path

from zoo.data.catalog import open_dataset
from zoo.data.dataset import Frames
from zoo.data.export import export
from zoo.errors import ConfigError


def export_dataset(
    name: str | Path, out: Path, *, split: str = "all", stride: int = 1, overwrite: bool = False
) -> list[Path]:
    """Write frames of a dataset to a file.

    Args:
        name: of a dataset, or its folder.
        out: file to make; its ending names the format: extxyz (or xyz), pdb, xtc, dcd, npz.
        split: "train", "val", "test" or "all".
        stride: keep every so many frames.
        overwrite: replace files that are there.

    Returns:
        The files made: with xtc and dcd a pdb beside them.

    Raises:
        UnknownName: no such dataset, split or format.
        DataError: the file exists, or the format cannot hold the system.
    """
    if stride < 1:
        raise ConfigError(f"--stride takes a positive number, got {stride}")
    frames = open_dataset(name).split(split)
    return export(Frames(frames.dataset, frames.index[::stride], frames.name), out, overwrite=overwrite)
