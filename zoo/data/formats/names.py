"""Atoms matched by name: two files of one molecule may list its atoms in other orders and spellings."""

from __future__ import annotations

import re
from dataclasses import replace
from itertools import pairwise

import numpy as np

from zoo import keys
from zoo.data.entry import RawData
from zoo.data.system import System
from zoo.errors import DataError

#: Other names of atoms by residue, in PDB, CHARMM and older AMBER files → those of AMBER and mdtraj.
_SYNONYMS: dict[str, dict[str, str]] = {
    "ACE": {
        "CA": "CH3", "CAY": "CH3", "CY": "C", "OY": "O",
        "H1": "HH31", "H2": "HH32", "H3": "HH33", "HY1": "HH31", "HY2": "HH32", "HY3": "HH33",
        "HA1": "HH31", "HA2": "HH32", "HA3": "HH33",
    },
    "NME": {
        "NT": "N", "HNT": "H", "HN2": "H", "C": "CH3", "CA": "CH3", "CAT": "CH3",
        "H1": "HH31", "H2": "HH32", "H3": "HH33", "HT1": "HH31", "HT2": "HH32", "HT3": "HH33",
        "HA1": "HH31", "HA2": "HH32", "HA3": "HH33",
    },
}  # fmt: skip
_RESIDUES = {"NMA": "NME", "CT3": "NME", "HSD": "HIS", "HSE": "HIS", "HID": "HIS", "HIE": "HIS", "CYX": "CYS"}
#: Arrays whose second axis counts particles.
_PER_PARTICLE = (keys.POSITIONS, keys.INHERENT, keys.VELOCITIES, keys.FORCES, keys.TARGETS)


def canonical(residue: str, atom: str) -> str:
    """Return an atom's usual name: `1HB` is HB1, `HN` is H, ACE's `H1` is HH31."""
    residue, atom = residue.upper(), atom.upper().replace("*", "'")
    turned = re.fullmatch(r"(\d)([A-Z].*)", atom)
    if turned:
        atom = turned[2] + turned[1]
    atom = "H" if atom == "HN" else atom
    return _SYNONYMS.get(_RESIDUES.get(residue, residue), {}).get(atom, atom)


def order_by_name(found: System, wanted: System, what: str, where: str) -> np.ndarray:
    """Return `[particles]` the place in `found` of each particle of `wanted`.

    Particles are the same if they are in the same residue by number, and of the same name and type.

    Args:
        found, wanted: systems with names of atoms and residues.
        what, where: names of both for the error.

    Raises:
        DataError: an atom of one is not in the other, or a name occurs twice in a residue.
    """
    have, want = _names(found), _names(wanted)
    for label, names in ((what, have), (where, want)):
        if len(set(names)) < len(names):
            twice = next(name for name in names if names.count(name) > 1)
            raise DataError(f"{label}: atom {_say(twice)} occurs twice, so atoms cannot be matched by name")
    if set(have) != set(want):
        extra = [_say(name) for name in have if name not in set(want)]
        lacking = [_say(name) for name in want if name not in set(have)]
        parts = [f"lacks {', '.join(lacking[:4])}"] * bool(lacking) + [f"has {', '.join(extra[:4])}"] * bool(
            extra
        )
        raise DataError(
            f"{what}: {len(have)} atoms, other ones than the {len(want)} of {where} ({'; '.join(parts)}). "
            "Leave out what is too much by `--set select=…`, or import under another NAME"
        )
    place = {name: i for i, name in enumerate(have)}
    return np.array([place[name] for name in want])


def into_order(raw: RawData, wanted: System, molecule: str) -> RawData:
    """Return data whose particles stand in an entry's order and have its names, residues and bonds.

    Particles without names are taken to stand in that order if their types do.

    Args:
        raw: what a reader found.
        wanted: types, names and bonds in the entry's order; masses stay those of the data.
        molecule: what the entry holds, for the error.

    Raises:
        DataError: the data hold other particles.
    """
    found = raw.system
    if found.atom_names:
        order = order_by_name(found, wanted, "the data", molecule)
    elif found.types.tolist() == wanted.types.tolist():
        order = np.arange(found.num_particles)
    else:
        raise DataError(
            f"the data hold {found.num_particles} particles without names, whose elements are not those of "
            f"{molecule} in its order: say `--set topology=FILE`, or import them under another NAME"
        )
    system = replace(
        found,
        types=wanted.types,
        masses=found.masses[order],
        bonds=wanted.bonds,
        atom_names=wanted.atom_names,
        residue_names=wanted.residue_names,
        residues=wanted.residues,
        chains=found.chains[order] if found.chains.size else found.chains,
    )
    arrays = {n: a[:, order] if n in _PER_PARTICLE else a for n, a in raw.arrays.items()}
    if keys.CLONES in arrays:
        arrays[keys.CLONES] = arrays[keys.CLONES][..., order]
    return replace(raw, system=system, arrays=arrays)


def _names(system: System) -> list[tuple[int, str, int]]:
    if not system.atom_names or not system.residue_names:
        raise DataError("atoms without names cannot be matched by name: say `--set topology=FILE`")
    numbers = system.residues if system.residues.size else _numbered(system.residue_names)
    atoms = zip(numbers.tolist(), system.residue_names, system.atom_names, system.types.tolist(), strict=True)
    first = int(numbers.min())
    return [(number - first, canonical(residue, atom), kind) for number, residue, atom, kind in atoms]


def _numbered(residues: tuple[str, ...]) -> np.ndarray:
    """Residue numbers where only names are known: a new one where the name changes."""
    changes = [a != b for a, b in pairwise(residues)]
    return np.concatenate([[0], np.cumsum(changes)]).astype(np.int64)


def _say(name: tuple[int, str, int]) -> str:
    return f"{name[1]} of residue {name[0] + 1}"
