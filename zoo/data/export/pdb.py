"""pdb: one model for each frame, names, chains and bonds; positions to 0.001 Å."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from zoo import keys
from zoo.data.dataset import Frames
from zoo.data.export.chunks import chunks
from zoo.data.export.topology import to_nm, topology
from zoo.errors import DataError
from zoo.units import ANGSTROM_PER_NM

#: Columns 31 to 54 hold numbers of 8 characters.
LARGEST = 9999.0


def write(frames: Frames, path: Path) -> list[str]:
    """Write one file; see `zoo.data.export.export`. Raises `DataError` beyond what the columns hold."""
    from mdtraj.formats import PDBTrajectoryFile
    from mdtraj.utils import box_vectors_to_lengths_and_angles

    dataset, scale = frames.dataset, to_nm(frames.dataset) * ANGSTROM_PER_NM
    atoms = topology(dataset.system, dataset.units.name)
    with PDBTrajectoryFile(str(path), "w") as file:
        model = 0
        for index in chunks(frames, path.name):
            positions = dataset.array(keys.POSITIONS, index).astype(np.float64) * scale
            if np.abs(positions).max() > LARGEST:
                raise DataError("positions beyond 9999 Å do not fit into a pdb; write xtc or npz")
            cells = dataset.array(keys.CELLS, index) * scale if dataset.system.periodic else None
            for k, frame in enumerate(positions):
                box = {}
                if cells is not None:
                    values = box_vectors_to_lengths_and_angles(*cells[k])
                    box = {"unitcell_lengths": values[:3], "unitcell_angles": values[3:]}
                file.write(frame, atoms, modelIndex=model, **box)
                model += 1
    return [path.name]
