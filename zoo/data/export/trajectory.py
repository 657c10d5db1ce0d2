"""xtc (GROMACS, 1e-3 nm) and dcd (CHARMM, float32), with a pdb beside them that names the atoms."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from zoo import keys
from zoo.data.dataset import Frames
from zoo.data.export import pdb
from zoo.data.export.chunks import chunks
from zoo.data.export.topology import to_nm
from zoo.units import ANGSTROM_PER_NM


def write(frames: Frames, path: Path) -> list[str]:
    """Write `path` and, beside it, a pdb of the first frame; see `zoo.data.export.export`."""
    from mdtraj.formats import DCDTrajectoryFile, XTCTrajectoryFile

    dataset, scale = frames.dataset, to_nm(frames.dataset)
    periodic = dataset.system.periodic
    kind = XTCTrajectoryFile if path.suffix.lower() == ".xtc" else DCDTrajectoryFile
    with kind(str(path), "w") as file:
        for index in chunks(frames, path.name):
            xyz = (dataset.array(keys.POSITIONS, index) * scale).astype(np.float32)
            cells = dataset.array(keys.CELLS, index) * scale if periodic else None
            if kind is XTCTrajectoryFile:
                time = _times(frames, index)
                file.write(xyz, time=time, step=np.arange(len(index)) + int(index[0]), box=_float(cells))
            else:
                file.write(xyz * ANGSTROM_PER_NM, **_lengths_and_angles(cells))
    companion = path.with_suffix(".pdb")
    pdb.write(Frames(dataset, frames.index[:1], frames.name), companion)
    return [path.name, companion.name]


def _times(frames: Frames, index: np.ndarray) -> np.ndarray:
    if keys.TIME in frames.dataset.arrays:
        return frames.dataset.array(keys.TIME, index).astype(np.float32)
    return index.astype(np.float32)


def _float(cells: np.ndarray | None) -> np.ndarray | None:
    return None if cells is None else cells.astype(np.float32)


def _lengths_and_angles(cells: np.ndarray | None) -> dict[str, np.ndarray]:
    if cells is None:
        return {}
    from mdtraj.utils import box_vectors_to_lengths_and_angles

    values = np.stack(box_vectors_to_lengths_and_angles(*np.moveaxis(cells, 1, 0)), axis=1)
    return {
        "cell_lengths": (values[:, :3] * ANGSTROM_PER_NM).astype(np.float32),
        "cell_angles": values[:, 3:].astype(np.float32),
    }
