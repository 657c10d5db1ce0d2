"""What is kept of a system of molecules, and what becomes of its periodic boundary.

Molecules torn by the boundary are made whole by their bonds, with all their atoms, before any atom is
left out: a Cα trace has no bonds of its own. Forces of what is kept stay those of the whole system;
the energy, which is no function of what is kept, is left out.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from scipy.sparse import csr_array

from zoo import keys
from zoo.data.formats.molecules import Molecules
from zoo.data.formats.topology import Topology
from zoo.data.formats.trajectory import TrajectoryOptions
from zoo.data.system import System
from zoo.errors import ConfigError, DataError

Chunk = dict[str, np.ndarray]
#: Without a cell, a longer bond (Å) is one that a boundary has torn.
LONGEST_BOND = 10.0
_PER_PARTICLE = (keys.POSITIONS, keys.VELOCITIES, keys.FORCES)


class Extraction:
    """Cuts chunks of frames to the selection, with whole molecules.

    Args:
        topology: of all particles in the files.
        options: `select` and `periodic` are used.
        first: the first chunk: whether there is a cell, forces, energies.
        notes: a line is added for whatever is changed or left out.
        pbc: directions along which the cell is periodic.
        elements: whether types must be those of atoms.

    Raises:
        ConfigError: the selection picks nothing, or `periodic` must be said.
        DataError: open space without whole molecules, or a kept particle without an element.
    """

    def __init__(
        self,
        topology: Topology,
        options: TrajectoryOptions,
        first: Chunk,
        notes: list[str],
        pbc: tuple[bool, bool, bool] = (True, True, True),
        elements: bool = True,
    ) -> None:
        system = topology.system
        self.notes, self._pbc, self._elements = notes, pbc, elements
        everything = np.arange(len(topology))
        self.kept = topology.select(options.select) if options.select else everything
        self.partly = len(self.kept) < len(topology)
        number = Molecules(len(topology), system.bonds).number
        self._touched = np.flatnonzero(np.isin(number, np.unique(number[self.kept])))
        self._inner = np.searchsorted(self._touched, self.kept)
        bonds = _restricted(system.bonds, self._touched, len(topology))
        self._molecules = Molecules(len(self._touched), bonds)
        self.periodic = self._is_periodic(options, first)
        self.system = self._system(system)
        if self.partly:
            self._note(f"kept {len(self.kept)} of {len(topology)} particles: {options.select}")

    def apply(self, chunk: Chunk) -> Chunk:
        """Return the arrays of what is kept. Raises `DataError` where a molecule cannot be made whole."""
        out = {n: a[:, self.kept] if n in _PER_PARTICLE else a for n, a in chunk.items()}
        out[keys.POSITIONS] = self._positions(chunk)
        if not self.periodic and keys.CELLS in out:
            del out[keys.CELLS]
            self._note("open space: the periodic cell of the files was left out")
        if self.partly and keys.ENERGIES in out:
            del out[keys.ENERGIES]
            self._note("energies left out: they are of the whole system, not of what is kept")
        if self.partly and keys.FORCES in out:
            self._note("forces are those in the whole system: what was left out still acts on what is kept")
        return out

    def _positions(self, chunk: Chunk) -> np.ndarray:
        positions = chunk[keys.POSITIONS]
        if len(self._touched) < positions.shape[1]:
            positions = positions[:, self._touched]
        bonds = self._molecules.bonds
        lengths = np.linalg.norm(positions[:, bonds[:, 0]] - positions[:, bonds[:, 1]], axis=-1)
        if keys.CELLS not in chunk:
            if bonds.size and lengths.max() > LONGEST_BOND:
                _, at = np.unravel_index(lengths.argmax(), lengths.shape)
                raise DataError(
                    f"the bond of atoms {self._touched[bonds[at, 0]]} and {self._touched[bonds[at, 1]]} is "
                    f"{lengths.max():.1f} Å long, and the files tell no box: the topology is of another "
                    "system, the units are wrong, or molecules are torn (unwrap them first)"
                )
            return positions[:, self._inner] if self.partly else positions
        cell = chunk[keys.CELLS]
        torn = bonds.size and (lengths > _half_height(cell)[:, None]).any()
        if torn:
            try:
                positions = self._molecules.whole(positions, cell, self._pbc).astype(positions.dtype)
                self._note("molecules that the periodic boundary had torn were made whole by their bonds")
            except DataError:
                if not self.periodic:
                    raise
                self._note("a molecule is bonded to its own image: positions stay as in the files")
        if not self.periodic and self._molecules.number.max() > 0:
            positions = _gathered(positions, cell, self._molecules.number)
            self._note("molecules after the first were put at their image nearest to it")
        return positions[:, self._inner] if self.partly else positions

    def _is_periodic(self, options: TrajectoryOptions, first: Chunk) -> bool:
        """Whether the dataset keeps the cell: said, or one molecule by itself does not need it."""
        if keys.CELLS not in first:
            if options.periodic:
                raise ConfigError("periodic=true needs a box, and the files tell none")
            return False
        if options.periodic is not None:
            return options.periodic
        molecules = int(self._molecules.number.max()) + 1
        labelled = keys.FORCES in first or keys.ENERGIES in first
        if molecules == 1:
            return labelled and not self.partly
        if not self.partly:
            return True
        raise ConfigError(
            f"the selection keeps {molecules} molecules (groups of bonded atoms) out of a periodic box: say "
            "`--set periodic=false` (open space, each at its image nearest to the first) or "
            "`--set periodic=true` (the box stays)"
        )

    def _system(self, system: System) -> System:
        def cut(values: tuple[str, ...]) -> tuple[str, ...]:
            return tuple(values[i] for i in self.kept) if values else ()

        types = system.types[self.kept]
        if self._elements and 0 in types:
            i = int(self.kept[np.flatnonzero(types == 0)[0]])
            name = f"{system.atom_names[i]} of {system.residue_names[i]}" if system.atom_names else str(i)
            raise DataError(
                f"particle {i} ({name}) has no element: leave it out by `select`, "
                "or name a topology that tells it"
            )
        return replace(
            system,
            types=types,
            masses=system.masses[self.kept],
            type_names={k: v for k, v in system.type_names.items() if k in set(types.tolist())},
            pbc=self._pbc if self.periodic else (False, False, False),
            bonds=_restricted(system.bonds, self.kept, system.num_particles),
            atom_names=cut(system.atom_names),
            residue_names=cut(system.residue_names),
            residues=_renumbered(system.residues, self.kept),
            chains=_renumbered(system.chains, self.kept),
        )

    def _note(self, text: str) -> None:
        if text not in self.notes:
            self.notes.append(text)


def _restricted(bonds: np.ndarray, kept: np.ndarray, particles: int) -> np.ndarray:
    """Bonds between kept particles, in their numbers."""
    place = np.full(particles, -1)
    place[kept] = np.arange(len(kept))
    bonds = place[bonds]
    return bonds[(bonds >= 0).all(1)]


def _renumbered(numbers: np.ndarray, kept: np.ndarray) -> np.ndarray:
    return np.unique(numbers[kept], return_inverse=True)[1] if numbers.size else numbers


def _half_height(cell: np.ndarray) -> np.ndarray:
    """`[frames]` half the smallest distance between opposite faces."""
    return 0.5 / np.linalg.norm(np.linalg.inv(cell), axis=1).max(-1)


def _gathered(positions: np.ndarray, cell: np.ndarray, number: np.ndarray) -> np.ndarray:
    """Move whole molecules to the images whose centres are nearest to the first one's."""
    frames, particles, _ = positions.shape
    share = 1.0 / np.bincount(number)[number]
    mean = csr_array((share, (number, np.arange(particles))))
    flat = positions.transpose(1, 0, 2).reshape(particles, -1)
    centres = (mean @ flat).reshape(-1, frames, 3).transpose(1, 0, 2)
    away = (centres - centres[:, :1]) @ np.linalg.inv(cell)
    return (positions - (np.round(away) @ cell)[:, number]).astype(positions.dtype)
