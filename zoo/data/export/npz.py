"""npz: every array of the dataset under its own name, and the system; `zoo data import` reads it back."""

from __future__ import annotations

import zipfile
from pathlib import Path

import numpy as np
from numpy.lib import format as npy

from zoo.data.dataset import Frames
from zoo.progress import progress

#: Bytes written at a time.
BLOCK = 32 << 20


def write(frames: Frames, path: Path) -> list[str]:
    """Write one file; see `zoo.data.export.export`. No array is in memory as a whole."""
    dataset, system = frames.dataset, frames.dataset.system
    constant = {
        "types": system.types,
        "masses": system.masses,
        "pbc": np.array(system.pbc),
        "bonds": system.bonds,
        "units": np.array(dataset.units.name),
    }
    if dataset.temperature is not None:
        constant["temperature"] = np.array(dataset.temperature)
    if dataset.target_times:
        constant["target_times"] = np.array(dataset.target_times)
    total = float(sum(len(frames) * a[0].nbytes for a in dataset.arrays.values()))
    with (
        zipfile.ZipFile(path, "w", allowZip64=True) as archive,
        progress(f"writing {path.name}", total, "bytes") as bar,
    ):
        for name, array in constant.items():
            with archive.open(f"{name}.npy", "w") as file:
                npy.write_array(file, np.asarray(array), allow_pickle=False)
        for name, array in dataset.arrays.items():
            shape = (len(frames), *array.shape[1:])
            step = max(1, BLOCK // max(1, array[0].nbytes))
            with archive.open(f"{name}.npy", "w", force_zip64=True) as file:
                npy.write_array_header_1_0(
                    file,
                    {"descr": npy.dtype_to_descr(array.dtype), "fortran_order": False, "shape": shape},
                )
                for start in range(0, len(frames), step):
                    block = np.ascontiguousarray(array[frames.index[start : start + step]])
                    file.write(block.tobytes())
                    bar.advance(block.nbytes)
    return [path.name]
