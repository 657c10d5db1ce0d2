"""A LAMMPS data file, as the file has it: box, particles, masses, bonds, velocities.

Source: the `read_data` command of the LAMMPS manual (https://docs.lammps.org/read_data.html).
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from zoo.data.formats.lammps_box import Box, orthogonal
from zoo.data.formats.lammps_units import STYLES
from zoo.data.formats.text import Lines
from zoo.errors import DataError

#: Columns of the section Atoms; three image flags may follow.
ATOM_STYLES = {
    "atomic": "id type x y z",
    "charge": "id type q x y z",
    "bond": "id mol type x y z",
    "angle": "id mol type x y z",
    "molecular": "id mol type x y z",
    "full": "id mol type q x y z",
    "dipole": "id type q x y z mux muy muz",
    "sphere": "id type diameter density x y z",
}
_KINDS = ("Atom", "Bond", "Angle", "Dihedral", "Improper")
_COEFFICIENTS = (
    "Pair", "PairIJ", "Bond", "Angle", "Dihedral", "Improper", "BondBond", "BondAngle", "MiddleBondTorsion",
    "EndBondTorsion", "AngleTorsion", "AngleAngleTorsion", "BondBond13", "AngleAngle",
)  # fmt: skip
READ = ("Atoms", "Velocities", "Masses", "Bonds", "Atom Type Labels")
SECTIONS = {
    *READ,
    *("Angles", "Dihedrals", "Impropers", "Ellipsoids", "Lines", "Triangles", "Bodies", "CMAP"),
    *(f"{kind} Coeffs" for kind in _COEFFICIENTS),
    *(f"{kind} Type Labels" for kind in _KINDS),
}
_COUNTS = {
    *("atoms", "bonds", "angles", "dihedrals", "impropers", "ellipsoids", "lines", "triangles", "bodies"),
    *(f"{kind.lower()} types" for kind in _KINDS),
    "crossterms",
}
_EXTRA = re.compile(r"extra (bond|angle|dihedral|improper|special) per atom")
_BOUNDS = {"xlo xhi": 2, "ylo yhi": 2, "zlo zhi": 2, "xy xz yz": 3,
           "avec": 3, "bvec": 3, "cvec": 3, "abc origin": 3}  # fmt: skip


@dataclass
class DataFile:
    """What a data file says, in its own units; particles sorted by id.

    Args:
        path: of the file.
        units: unit style, where the file was written by `write_data`, which notes it.
        box: without boundary flags, which no data file tells.
        columns: `[atoms]` by name as in a dump: `id type x y z`, and `mol q ix iy iz vx vy vz` if told.
        masses: by type, empty if not told.
        labels: name of each type, from its labels or the comments of its masses; may be empty.
        bonds: `[bonds, 2]` ids of bonded particles.
    """

    path: Path
    units: str | None
    box: Box
    columns: dict[str, np.ndarray]
    masses: dict[int, float] = field(default_factory=dict)
    labels: dict[int, str] = field(default_factory=dict)
    bonds: np.ndarray = field(default_factory=lambda: np.zeros((0, 2), np.int64))


def read_data_file(path: Path, atom_style: str | None = None) -> DataFile:
    """Read a data file.

    Args:
        path: text, or gzipped.
        atom_style: one of `ATOM_STYLES`, where the file does not tell (`Atoms # full`).

    Raises:
        DataError: damaged, or of a kind that is not known here.
    """
    with Lines(path) as lines:
        return _Reader(lines, atom_style).read()


class _Reader:
    def __init__(self, lines: Lines, atom_style: str | None) -> None:
        self.lines, self.atom_style = lines, atom_style
        self.counts: dict[str, int] = {}
        self.bounds: dict[str, list[float]] = {}
        self.types: dict[str, int] = {}  # by label
        self.tables: dict[str, dict[str, np.ndarray]] = {}
        self.comments: dict[int, str] = {}

    def read(self) -> DataFile:
        title = self.lines.next()
        if title is None:
            raise DataError(f"{self.lines.path} is empty")
        told = re.search(r"units = (\w+)", title)
        units = told[1] if told and told[1] in STYLES else None
        section = self._header()
        box = self._box()
        seen = set()
        while section is not None:
            name, _, hint = (part.strip() for part in section.partition("#"))
            if name not in SECTIONS:
                raise self.lines.wrong(f"{name[:60]!r} is no section of a data file")
            if name in seen:
                raise self.lines.wrong(f"a second section {name}")
            seen.add(name)
            section = self._section(name, hint)
        return self._whole(units, box)

    def _header(self) -> str | None:
        """Read up to the first section, and return its line."""
        while (line := self.lines.filled()) is not None:
            text = line.partition("#")[0].strip()
            if not text:
                continue
            if text in SECTIONS:
                return line
            found = re.fullmatch(r"((?:[-+.\deE]+\s+)+)([a-zA-Z].*)", text)
            words, key = (found[1].split(), " ".join(found[2].split())) if found else ([], text)
            if _EXTRA.fullmatch(key):
                continue
            try:
                if key in _COUNTS and len(words) == 1 and key not in self.counts:
                    self.counts[key] = int(words[0])
                    continue
                if key in _BOUNDS and len(words) == _BOUNDS[key] and key not in self.bounds:
                    self.bounds[key] = [float(word) for word in words]
                    continue
            except ValueError:
                pass
            raise self.lines.wrong(f"{text[:60]!r} is no line of a data file's header")
        return None

    def _box(self) -> Box:
        try:
            if "avec" in self.bounds:
                cell = np.array([self.bounds[key] for key in ("avec", "bvec", "cvec")])
                return Box(np.array(self.bounds["abc origin"]), cell, None)
            low, high = np.array([self.bounds[f"{a}lo {a}hi"] for a in "xyz"]).T
        except KeyError as error:
            raise DataError(f"{self.lines.path}: the header lacks the line {error}") from error
        try:
            return orthogonal(low, high, np.array(self.bounds.get("xy xz yz", [0.0] * 3)), None)
        except DataError as error:
            raise DataError(f"{self.lines.path}: {error}") from error

    def _section(self, name: str, hint: str) -> str | None:
        """Read or pass over one section; return the line of the next."""
        if name == "Atoms":
            self._atoms(hint)
        elif name == "Velocities":
            rows = self._rows(name, "atoms")
            more = " wx wy wz" if len(rows[0].split()) == 7 else ""
            self.tables[name] = self._table(name, rows, "id vx vy vz" + more)
        elif name == "Bonds":
            self.tables[name] = self._table(name, self._rows(name, "bonds"), "id kind first second")
        elif name == "Masses":
            table = self._table(name, self._rows(name, "atom types"), "type mass")
            self.tables[name] = table
        elif name == "Atom Type Labels":
            table = self._table(name, self._rows(name, "atom types"), "number label")
            self.types = dict(zip(table["label"].tolist(), table["number"].tolist(), strict=True))
            if sorted(self.types.values()) != list(range(1, len(table["label"]) + 1)):
                raise self.lines.wrong("the type labels do not name each type once")
        else:
            while (line := self.lines.filled()) is not None:
                if line.partition("#")[0].strip() in SECTIONS:
                    break
            return line
        return self.lines.filled()

    def _rows(self, name: str, count: str) -> list[str]:
        number = self.counts.get(count, 0)
        if number < 1:
            raise self.lines.wrong(f"section {name}, but the header has no `N {count}`")
        rows: list[str] = []
        while len(rows) < number:
            line = self.lines.filled()
            text, _, comment = (line or "").partition("#")
            if line is None or text.strip() in SECTIONS:
                raise self.lines.wrong(
                    f"section {name} has {len(rows)} lines, the header says {number} {count}"
                )
            if name == "Masses" and comment.split() and text.split():
                self._comment(text.split()[0], comment.split()[0])
            if text.strip():
                rows.append(text)
        return rows

    def _comment(self, kind: str, word: str) -> None:
        """Keep the first word of a comment in Masses: many programs put the type's name there."""
        number = self.types.get(kind, int(kind) if kind.isdecimal() and len(kind) < 9 else None)
        if number is not None:
            self.comments[number] = word

    def _table(self, name: str, rows: list[str], columns: str) -> dict[str, np.ndarray]:
        whole = ("id", "mol", "ix", "iy", "iz", "kind", "first", "second", "number", "type")
        kinds = {c: "i8" if c in whole else "U32" if c == "label" else "f8" for c in columns.split()}
        if self.types and "type" in kinds:
            kinds["type"] = "U32"
        try:
            table = np.loadtxt(rows, dtype=list(kinds.items()), comments=None, ndmin=1)
        except ValueError as error:
            raise DataError(f"{self.lines.path}, section {name}: {str(error)[:160]}") from error
        out = {column: np.ascontiguousarray(table[column]) for column in kinds}
        for column, values in out.items():
            if values.dtype.kind == "f" and not np.isfinite(values).all():
                raise DataError(f"{self.lines.path}, section {name}: {column} holds NaN or infinity")
        if self.types and "type" in out:
            out["type"] = self._numbers(name, out["type"])
        if (
            "type" in out
            and not ((out["type"] >= 1) & (out["type"] <= self.counts.get("atom types", 0))).all()
        ):
            raise DataError(
                f"{self.lines.path}, section {name}: a type is not in 1..{self.counts.get('atom types')}"
            )
        return out

    def _numbers(self, name: str, types: np.ndarray) -> np.ndarray:
        """Numbers of types that are given by label or by number."""
        try:
            return np.array([self.types[t] if t in self.types else int(t) for t in types.tolist()], np.int64)
        except ValueError as error:
            raise DataError(
                f"{self.lines.path}, section {name}: a type that no label names: {error}"
            ) from error

    def _atoms(self, hint: str) -> None:
        if hint and self.atom_style and hint != self.atom_style:
            raise self.lines.wrong(f"Atoms # {hint[:20]}, but --set atom_style={self.atom_style} was given")
        style = hint or self.atom_style
        known = ", ".join(ATOM_STYLES)
        if not style:
            raise self.lines.wrong(
                f"the file does not tell its atom style: say --set atom_style=…, one of {known}"
            )
        if style not in ATOM_STYLES:
            raise self.lines.wrong(f"atom style {style[:40]!r} cannot be read; those can: {known}")
        rows = self._rows("Atoms", "atoms")
        columns = ATOM_STYLES[style]
        if len(rows[0].split()) == len(columns.split()) + 3:
            columns += " ix iy iz"
        self.tables["Atoms"] = self._table("Atoms", rows, columns)

    def _whole(self, units: str | None, box: Box) -> DataFile:
        path = self.lines.path
        if "Atoms" not in self.tables:
            raise DataError(f"{path} has no section Atoms")
        atoms = self.tables["Atoms"]
        order = _order(path, "Atoms", atoms["id"])
        drop = {"diameter", "density", "mux", "muy", "muz"}
        columns = {name: values[order] for name, values in atoms.items() if name not in drop}
        if velocities := self.tables.get("Velocities"):
            order = _order(path, "Velocities", velocities["id"])
            if not np.array_equal(velocities["id"][order], columns["id"]):
                raise DataError(f"{path}: Velocities and Atoms name different ids")
            columns |= {name: velocities[name][order] for name in ("vx", "vy", "vz")}
        masses: dict[int, float] = {}
        if found := self.tables.get("Masses"):
            masses = dict(zip(found["type"].tolist(), found["mass"].tolist(), strict=True))
            if not all(mass > 0 for mass in masses.values()) or len(masses) != len(found["type"]):
                raise DataError(f"{path}: Masses must give one positive mass to each type")
        labels = {number: label for label, number in self.types.items()} or self.comments
        return DataFile(path, units, box, columns, masses, labels, self._bonds(columns["id"]))

    def _bonds(self, ids: np.ndarray) -> np.ndarray:
        path, table = self.lines.path, self.tables.get("Bonds")
        if table is None:
            if self.counts.get("bonds", 0) > 0:
                raise DataError(
                    f"{path}: the header says {self.counts['bonds']} bonds, there is no section Bonds"
                )
            return np.zeros((0, 2), np.int64)
        ends = np.stack([table["first"], table["second"]], axis=1)[table["kind"] != 0]  # 0: a broken bond
        if not np.isin(ends, ids).all() or (ends[:, 0] == ends[:, 1]).any():
            raise DataError(f"{path}: a bond names an atom that is not there, or one atom twice")
        return np.unique(np.sort(ends, axis=1), axis=0)


def _order(path: Path, section: str, ids: np.ndarray) -> np.ndarray:
    order = np.argsort(ids, kind="stable")
    if (np.diff(ids[order]) == 0).any() or ids[order[0]] < 1:
        raise DataError(f"{path}, section {section}: ids must be positive and occur once each")
    return order
