"""What the particles of a LAMMPS file are: types, elements, masses, molecules, bonds, the selection."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Literal

import numpy as np
from pydantic import Field

from zoo.data.formats.lammps_frames import Snapshot
from zoo.data.formats.lammps_topology import DataFile
from zoo.data.formats.lammps_units import Style
from zoo.data.formats.selection import select
from zoo.data.formats.trajectory import TrajectoryOptions
from zoo.data.system import System
from zoo.errors import ConfigError, DataError

#: A type's name in a file counts as an element where its mass is that of the element, within, amu.
MASS_TOLERANCE = 0.1
ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"


class LammpsOptions(TrajectoryOptions):
    """Options of both LAMMPS readers."""

    units: str | None = Field(None, description="LAMMPS's unit style: lj, real, metal, …")
    topology: Path | None = Field(None, description="data file: masses, molecules, bonds")
    elements: list[str] | None = Field(None, description="element of type 1, 2, …, as [C, H]")
    names: list[str] | None = Field(None, description="name of type 1, 2, … where types are no elements")
    atom_style: str | None = Field(None, description="of the data file, where it does not tell: full, …")
    unwrapped: bool | None = Field(None, description="true: across boundaries; false: wrapped into the cell")
    boundary: str | None = Field(None, description="as LAMMPS's command, `p p f`, where no file tells it")
    dimensions: Literal[2, 3] | None = Field(None, description="2: a plane, z = 0")


@dataclass(frozen=True)
class Particles:
    """Constant facts, sorted by id; `[particles]` arrays in the units of the file.

    Args:
        ids, types: LAMMPS's own numbers, from 1.
        molecules: molecule number as LAMMPS has it (0: none), None if not told.
        masses, charges, elements: None if not told.
        labels: names of types, from a data file.
        bonds: `[bonds, 2]` indices.
    """

    ids: np.ndarray
    types: np.ndarray
    molecules: np.ndarray | None = None
    masses: np.ndarray | None = None
    charges: np.ndarray | None = None
    elements: np.ndarray | None = None
    labels: dict[int, str] | None = None
    bonds: np.ndarray = field(default_factory=lambda: np.zeros((0, 2), np.int64))

    def picked(self, expression: str, names: np.ndarray) -> np.ndarray:
        """Return indices of the particles that a selection picks; keys `id type mol element`.

        `names [particles]` are those of the types: elements, or beads.
        """
        columns = {"id": self.ids, "type": self.types, "element": names}
        return select(expression, columns if self.molecules is None else columns | {"mol": self.molecules})

    def cut(self, index: np.ndarray) -> Particles:
        """Return some of the particles, and the bonds among them."""
        new = np.full(len(self.ids), -1)
        new[index] = np.arange(len(index))
        bonds = new[self.bonds]
        arrays = ("ids", "types", "molecules", "masses", "charges", "elements")
        changed = {n: getattr(self, n)[index] for n in arrays if getattr(self, n) is not None}
        return replace(self, **changed, bonds=bonds[(bonds >= 0).all(axis=1)])


def particles(shot: Snapshot, topology: DataFile | None) -> Particles:
    """Gather what the first snapshot (sorted by id) and the data file say.

    Raises:
        DataError: they do not agree, or neither tells the types.
    """
    columns = shot.columns
    ids = columns["id"]
    if topology is None:
        if "type" not in columns and "element" not in columns:
            raise DataError(f"{shot.path} has no column type: give a data file, `--set topology=FILE`")
        if "type" in columns:
            types, labels = columns["type"], None
        else:
            kinds, number = np.unique(columns["element"], return_inverse=True)
            types, labels = number + 1, {i + 1: str(kind) for i, kind in enumerate(kinds)}
        mol, mass, q, element = (columns.get(name) for name in ("mol", "mass", "q", "element"))
        return Particles(ids, types, mol, mass, q, element, labels)
    place = np.searchsorted(topology.columns["id"], ids)
    place = np.minimum(place, len(topology.columns["id"]) - 1)
    if strange := ids[topology.columns["id"][place] != ids].tolist():
        raise DataError(f"{topology.path} has no atom {strange[0]}, which the dump has")
    known = {name: values[place] for name, values in topology.columns.items()}
    for name in ("type", "mol"):
        if (
            name in columns
            and name in known
            and (differ := np.flatnonzero(columns[name] != known[name])).size
        ):
            i = int(differ[0])
            raise DataError(
                f"atom {ids[i]} has {name} {columns[name][i]} in {shot.path}, "
                f"{known[name][i]} in {topology.path}"
            )
    masses = columns.get("mass")
    if topology.masses:
        lacking = sorted(set(known["type"].tolist()) - set(topology.masses))
        if lacking:
            raise DataError(f"{topology.path} gives no mass to type {lacking[0]}")
        masses = np.array([topology.masses[t] for t in known["type"].tolist()])
    index = np.searchsorted(ids, topology.bonds)
    index = np.minimum(index, len(ids) - 1)
    bonds = index[(ids[index] == topology.bonds).all(axis=1)]
    charges = columns.get("q", known.get("q"))
    molecules = known.get("mol", columns.get("mol"))
    return Particles(
        ids, known["type"], molecules, masses, charges, columns.get("element"), topology.labels, bonds
    )


def make_system(
    who: Particles, style: Style, options: LammpsOptions, pbc: tuple[bool, bool, bool], chains: np.ndarray
) -> System:
    """Return the system in the units of the dataset.

    Raises:
        DataError: what the types are is neither told nor declared, or does not fit.
    """
    parameters: dict[str, object] = {}
    if options.dimensions == 2:
        parameters["dimensions"] = 2
    if who.charges is not None:
        parameters["charges"] = (who.charges * style.charge).tolist()
    if who.masses is not None and not (who.masses > 0).all():
        raise DataError("masses must be positive")
    kinds = _elements(who, options, style) if style.system.name == "ase" and options.names is None else None
    if kinds is None:
        types, names = _species(who, options)
        masses = np.ones(len(types)) if who.masses is None else who.masses * style.mass
        if who.masses is None and style.system.name == "ase":
            raise DataError("nothing tells the masses: give a data file (`--set topology=FILE`)")
    else:
        from ase.data import atomic_masses, chemical_symbols

        types, names = kinds, {int(z): chemical_symbols[z] for z in np.unique(kinds)}
        masses = atomic_masses[kinds] if who.masses is None else who.masses * style.mass
    return System(
        types=types,
        masses=masses,
        type_names=names,
        pbc=pbc,
        bonds=who.bonds,
        chains=chains,
        parameters=parameters,
    )


def _species(who: Particles, options: LammpsOptions) -> tuple[np.ndarray, dict[int, str]]:
    """Species from 0 and their names: declared, or the file's labels, or A, B, …"""
    names = _by_type(who, "names", options.names) if options.names else who.labels or {}
    kinds = np.unique(who.types).tolist()
    if kinds[0] < 1:
        raise DataError(f"type {kinds[0]}, but LAMMPS counts types from 1")
    if len(set(names.values())) < len(names) or any(k not in names for k in kinds):
        names = {k: ALPHABET[k - 1] if k <= len(ALPHABET) else f"T{k}" for k in kinds}
    return who.types - 1, {k - 1: names[k] for k in kinds}


def _by_type(who: Particles, option: str, values: list[str]) -> dict[int, str]:
    if len(values) < who.types.max():
        raise ConfigError(f"{option} names {len(values)} types, but there is a type {who.types.max()}")
    return {i + 1: value for i, value in enumerate(values)}


def _elements(who: Particles, options: LammpsOptions, style: Style) -> np.ndarray:
    """Atomic numbers `[particles]`."""
    from ase.data import atomic_numbers

    if options.elements is not None:
        symbols = _by_type(who, "elements", options.elements)
        each = np.array([symbols[t] for t in who.types.tolist()])
    elif who.elements is not None:
        each = who.elements
        if set(each.tolist()) == {"C"} and len(np.unique(who.types)) > 1:
            raise DataError(
                "column element says C for every type, as LAMMPS writes where `dump_modify element` was not "
                "given: say `--set elements=[…]`, one for each type"
            )
    else:
        symbols = {}
        for kind, label in (who.labels or {}).items():
            mass = who.masses[who.types == kind] if who.masses is not None else np.zeros(0)
            if mass.size and _is_element(label, float(mass[0] * style.mass)):
                symbols[kind] = label
        if lacking := sorted(set(who.types.tolist()) - set(symbols)):
            raise DataError(
                f"nothing tells the element of type {lacking[0]}: say `--set elements=[C, H, …]`, one for "
                "each type, or `names=[…]` where types are no elements but coarse-grained beads"
            )
        each = np.array([symbols[t] for t in who.types.tolist()])
    unknown = sorted(set(each.tolist()) - set(atomic_numbers) | {"X"} & set(each.tolist()))
    if unknown:
        raise DataError(f"{unknown[0]!r} is no element: say `--set elements=[…]`, one for each type")
    return np.array([atomic_numbers[symbol] for symbol in each.tolist()])


def _is_element(label: str, mass: float) -> bool:
    """Whether a type's name is an element's, and its mass (amu) too: `CA` may be calcium or a carbon."""
    from ase.data import atomic_masses, atomic_numbers

    number = atomic_numbers.get(label, 0)
    return number > 0 and abs(mass - atomic_masses[number]) < MASS_TOLERANCE
