"""The constant part of a dataset: what the particles are."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from zoo.errors import DataError


@dataclass(frozen=True)
class System:
    """Particles and topology, the same in every frame.

    Args:
        types: `[particles]` atomic numbers (molecules) or species indices from 0.
        masses: `[particles]` in the dataset's unit of mass.
        type_names: name of each type that occurs, `{6: "C"}` or `{0: "A"}`.
        pbc: whether space is periodic along each lattice vector.
        bonds: `[bonds, 2]` indices of bonded particles.
        atom_names, residue_names: one per particle, or empty.
        residues: `[particles]` residue number from 0, or empty.
        chains: `[particles]` number of the chain or molecule from 0, or empty.
        parameters: force field and whatever else the simulation needs, as plain JSON.
    """

    types: np.ndarray
    masses: np.ndarray
    type_names: dict[int, str]
    pbc: tuple[bool, bool, bool] = (False, False, False)
    bonds: np.ndarray = field(default_factory=lambda: np.zeros((0, 2), np.int64))
    atom_names: tuple[str, ...] = ()
    residue_names: tuple[str, ...] = ()
    residues: np.ndarray = field(default_factory=lambda: np.zeros(0, np.int64))
    chains: np.ndarray = field(default_factory=lambda: np.zeros(0, np.int64))
    parameters: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        object.__setattr__(self, "types", np.asarray(self.types, np.int64))
        object.__setattr__(self, "masses", np.asarray(self.masses, np.float64))
        object.__setattr__(self, "bonds", np.asarray(self.bonds, np.int64).reshape(-1, 2))
        object.__setattr__(self, "residues", np.asarray(self.residues, np.int64))
        object.__setattr__(self, "chains", np.asarray(self.chains, np.int64))
        n = len(self.types)
        for name in ("masses", "atom_names", "residue_names", "residues", "chains"):
            length = len(getattr(self, name))
            if length not in (0, n) or (name == "masses" and length != n):
                raise DataError(f"system: {length} {name} for {n} particles")
        if self.bonds.size and (self.bonds.min() < 0 or self.bonds.max() >= n):
            raise DataError(f"system: a bond names a particle outside 0..{n - 1}")
        unnamed = sorted(set(self.types.tolist()) - set(self.type_names))
        if unnamed:
            raise DataError(f"system: types {unnamed} have no name in type_names")

    @property
    def num_particles(self) -> int:
        """Number of particles."""
        return len(self.types)

    @property
    def elements(self) -> np.ndarray:
        """`[particles]` atomic numbers, 0 where a type is no element, such as a coarse bead's."""
        from ase.data import chemical_symbols

        known = {
            t
            for t, n in self.type_names.items()
            if 0 < t < len(chemical_symbols) and n == chemical_symbols[t]
        }
        return np.where(np.isin(self.types, list(known)), self.types, 0)

    @property
    def periodic(self) -> bool:
        """Whether space is periodic along any direction."""
        return any(self.pbc)

    def to_json(self) -> dict[str, Any]:
        """Return the system as plain JSON."""
        return {
            "types": self.types.tolist(),
            "masses": self.masses.tolist(),
            "type_names": {str(k): v for k, v in self.type_names.items()},
            "pbc": list(self.pbc),
            "bonds": self.bonds.tolist(),
            "atom_names": list(self.atom_names),
            "residue_names": list(self.residue_names),
            "residues": self.residues.tolist(),
            "chains": self.chains.tolist(),
            "parameters": self.parameters,
        }

    @classmethod
    def from_json(cls, record: dict[str, Any]) -> System:
        """Inverse of `to_json`. Raises `DataError` where a field is missing or does not fit."""
        try:
            return cls(
                types=record["types"],
                masses=record["masses"],
                type_names={int(k): str(v) for k, v in record["type_names"].items()},
                pbc=tuple(bool(b) for b in record["pbc"]),  # type: ignore[arg-type]
                bonds=record.get("bonds", []),
                atom_names=tuple(record.get("atom_names", ())),
                residue_names=tuple(record.get("residue_names", ())),
                residues=record.get("residues", []),
                chains=record.get("chains", []),
                parameters=dict(record.get("parameters", {})),
            )
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise DataError(f"the manifest's system is not valid: {error!r}") from error
