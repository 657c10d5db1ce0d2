"""A dataset in memory-mapped arrays: frames, the system, splits."""

from __future__ import annotations

from functools import cached_property
from pathlib import Path

import numpy as np
import torch

from zoo import keys
from zoo.data import splits as splitting
from zoo.data.consistency import check_consistency
from zoo.data.graph import Graph
from zoo.data.store import Manifest, open_array, read_manifest
from zoo.data.system import System
from zoo.errors import DataError, UnknownName
from zoo.graphs import neighbor_list
from zoo.units import SYSTEMS, UnitSystem

#: Arrays up to this size are hashed whenever the dataset is opened; larger ones by `zoo data check`.
VERIFY_BYTES = 64 << 20


class Dataset:
    """Frames of one system.

    `len(dataset)` frames; `dataset[i]` is a PyG `Data` with positions, types and whatever the
    frame has of energy, forces, targets and cell; `graph(i, cutoff)` has the edges too.

    Args:
        folder: the dataset's folder.
        verify: compare each array's SHA-256; None means only small arrays.

    Raises:
        DataError: the folder is no dataset, or an array is missing, truncated or changed.
    """

    def __init__(self, folder: Path, *, verify: bool | None = None) -> None:
        self.path = Path(folder)
        self.manifest: Manifest = read_manifest(self.path)
        self.system = System.from_json(self.manifest.system)
        self.units: UnitSystem = SYSTEMS[self.manifest.units]
        self.arrays: dict[str, np.ndarray] = {}
        for name, record in self.manifest.arrays.items():
            size = int(np.prod(record.shape)) * np.dtype(record.dtype).itemsize
            check = size <= VERIFY_BYTES if verify is None else verify
            self.arrays[name] = open_array(self.path, name, record, verify=check)
        manifest = self.manifest
        check_consistency(
            self.path, self.system, self.arrays, manifest.splits,
            manifest.target_names, manifest.target_times,
        )  # fmt: skip

    @property
    def name(self) -> str:
        """Name of the entry it was made by, or the label it was imported under."""
        return self.manifest.name

    @property
    def temperature(self) -> float | None:
        """Temperature in the unit system's unit, None where it has no meaning."""
        return self.manifest.temperature

    @property
    def target_names(self) -> list[str]:
        """Name of each per-particle target; numbered where the manifest names none."""
        if self.manifest.target_names or keys.TARGETS not in self.arrays:
            return self.manifest.target_names
        return [f"target {i}" for i in range(self.arrays[keys.TARGETS].shape[-1])]

    @property
    def target_times(self) -> list[float]:
        """Time of each per-particle target, in the unit system's unit."""
        return self.manifest.target_times

    def __len__(self) -> int:
        return len(self.arrays[keys.POSITIONS])

    def __repr__(self) -> str:
        return f"Dataset({self.name!r}, {len(self)} frames × {self.system.num_particles} particles)"

    def array(self, name: str, frames: np.ndarray | slice | None = None) -> np.ndarray:
        """Return one array, memory-mapped when whole. Raises `UnknownName` if there is none."""
        if name not in self.arrays:
            raise UnknownName(f"array in dataset {self.name!r}", name, self.arrays)
        array = self.arrays[name]
        return array if frames is None else np.asarray(array[frames])

    def runs(self) -> np.ndarray:
        """Return `[frames]` the number of each frame's independent run; 0 where none is stored."""
        if keys.RUN in self.arrays:
            return np.asarray(self.arrays[keys.RUN])
        return np.zeros(len(self), np.int32)

    def split(self, name: str) -> Frames:
        """Return the frames of a split: "train", "val", "test", or "all"."""
        if name == "all":
            return Frames(self, [(0, len(self))], "all")
        if name not in self.manifest.splits:
            known = [*self.manifest.splits, "all"]
            if name in splitting.SPLITS:
                raise DataError(f"{self.path} has no {name} split, only {', '.join(known)}")
            raise UnknownName("split", name, known)
        return Frames(self, self.manifest.splits[name], name)

    def __getitem__(self, frame: int) -> Graph:
        frame = range(len(self))[frame]
        graph = Graph(
            pos=_float(self.arrays[keys.POSITIONS][frame]),
            z=torch.from_numpy(self.system.types.copy()),
            frame=torch.tensor([frame]),
        )
        if self.system.periodic:
            graph.cell = _float(self.arrays[keys.CELLS][frame])[None]
        if keys.ENERGIES in self.arrays:
            graph.energy = _float(self.arrays[keys.ENERGIES][frame : frame + 1])
        if keys.FORCES in self.arrays:
            graph.forces = _float(self.arrays[keys.FORCES][frame])
        if keys.TARGETS in self.arrays:
            graph.targets = _float(self.arrays[keys.TARGETS][frame])
        if keys.REARRANGES in self.arrays:
            graph.rearranges = torch.from_numpy(np.array(self.arrays[keys.REARRANGES][frame], np.int64))
        return graph

    def graph(self, frame: int, cutoff: float) -> Graph:
        """Return a frame with the edges of all pairs within `cutoff` (dataset's unit of length).

        Neighbours are found in float64 from the stored positions: particles near the box's edge
        do not change sides by rounding.
        """
        return self.connected(self[frame], self.arrays[keys.POSITIONS][frame], frame, cutoff)

    def connected(self, graph: Graph, positions: np.ndarray, frame: int, cutoff: float) -> Graph:
        """Give a frame's graph its edges, by `positions [particles, 3]`."""
        pos = torch.from_numpy(np.array(positions, np.float64))
        cell = None
        if self.system.periodic:
            cell = torch.from_numpy(np.array(self.arrays[keys.CELLS][frame], np.float64))
        edges = neighbor_list(pos, cutoff, cell=cell, pbc=self.system.pbc)
        graph.edge_index, graph.edge_pair, graph.pair_edge = (
            edges.edge_index,
            edges.edge_pair,
            edges.pair_edge,
        )
        if edges.edge_shift is not None:
            graph.edge_shift = edges.edge_shift.float()
        return graph


class Frames:
    """Some frames of a dataset, usually a split.

    Args:
        dataset: where they come from.
        frames: `[frames]` numbers of frames, or half-open ranges of them.
        name: of the split.
    """

    def __init__(self, dataset: Dataset, frames: np.ndarray | splitting.Ranges, name: str) -> None:
        self.dataset, self.name = dataset, name
        self._ranges = None if isinstance(frames, np.ndarray) else frames
        if isinstance(frames, np.ndarray):
            self.index = frames.astype(np.int64)

    @cached_property
    def index(self) -> np.ndarray:
        """`[frames]` numbers of the frames; made when it is asked for, as it may be long."""
        return splitting.indices(self._ranges or [])

    def __len__(self) -> int:
        if self._ranges is None:
            return len(self.index)
        return sum(stop - start for start, stop in self._ranges)

    def __getitem__(self, i: int) -> Graph:
        return self.dataset[int(self.index[i])]

    def __repr__(self) -> str:
        return f"Frames({self.dataset.name!r}, {self.name!r}, {len(self)} frames)"

    def graph(self, i: int, cutoff: float) -> Graph:
        """Return the frame with its edges; see `Dataset.graph`."""
        return self.dataset.graph(int(self.index[i]), cutoff)

    def positions_of(self, i: int) -> np.ndarray:
        """Return the positions `[particles, 3]` of a frame, as they are stored."""
        return np.asarray(self.dataset.arrays[keys.POSITIONS][int(self.index[i])])

    def array(self, name: str) -> np.ndarray:
        """Return one array of these frames, in memory."""
        return self.dataset.array(name, self.index)

    def at(self, positions: np.ndarray, energies: np.ndarray | None = None) -> Frames:
        """Return these frames with other positions `[frames, particles, 3]`, such as inherent ones.

        Args:
            positions: in the dataset's unit of length.
            energies: `[frames, particles]` of each particle, where they are more than the positions tell.
        """
        return _Moved(self, positions, energies)


class _Moved(Frames):
    """Frames elsewhere in space, whose graphs tell how far each particle was moved."""

    def __init__(self, frames: Frames, positions: np.ndarray, energies: np.ndarray | None) -> None:
        shape = (len(frames), frames.dataset.system.num_particles, 3)
        if positions.shape != shape:
            raise DataError(f"positions of shape {positions.shape}, not {shape}")
        super().__init__(frames.dataset, frames.index, frames.name)
        self.positions, self.energies = positions, energies

    def __getitem__(self, i: int) -> Graph:
        graph = super().__getitem__(i)
        graph.pos = _float(self.positions[i])
        if self.energies is not None:
            graph[keys.LOCAL_ENERGY] = _float(self.energies[i])
        graph[keys.OFFSET] = _float(self._offset(i))
        return graph

    def _offset(self, i: int) -> np.ndarray:
        arrays, frame, pbc = self.dataset.arrays, int(self.index[i]), self.dataset.system.pbc
        cell = arrays[keys.CELLS][frame] if any(pbc) else None
        return offsets(self.positions[i], arrays[keys.POSITIONS][frame], cell, pbc)

    def graph(self, i: int, cutoff: float) -> Graph:
        return self.dataset.connected(self[i], self.positions[i], int(self.index[i]), cutoff)

    def positions_of(self, i: int) -> np.ndarray:
        return self.positions[i]

    def array(self, name: str) -> np.ndarray:
        return self.positions if name == keys.POSITIONS else super().array(name)


def _float(array: np.ndarray) -> torch.Tensor:
    return torch.from_numpy(np.array(array, np.float32))


def offsets(
    there: np.ndarray, here: np.ndarray, cell: np.ndarray | None, pbc: tuple[bool, bool, bool]
) -> np.ndarray:
    """Return how far particles are from where they were, `[particles]` float64, of the nearest images.

    Args:
        there, here: positions `[particles, 3]`.
        cell: `[3, 3]`, rows are lattice vectors; None in open space.
        pbc: whether space is periodic along each of them.
    """
    moved = np.asarray(there, np.float64) - here
    if cell is not None and any(pbc):
        periodic = np.array(pbc)
        box = np.where(periodic[:, None], cell, np.eye(3))
        moved -= (np.round(moved @ np.linalg.inv(box)) * periodic) @ box
    return np.linalg.norm(moved, axis=1)
