"""Snapshots of one LAMMPS dump, as the file has them: no conversion, no sorting.

Source: the `dump` and `dump_modify` commands of the LAMMPS manual (https://docs.lammps.org/dump.html).
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from zoo.data.formats.lammps_box import Box, from_dump
from zoo.data.formats.text import Cut, Lines
from zoo.errors import DataError

#: Columns of whole numbers, of names, and of numbers; all others are passed over.
INTEGERS = ("id", "type", "mol", "ix", "iy", "iz")
NAMES = ("element",)
AXES = "xyz"
TRIPLES = {
    kind: tuple(kind.format(axis) for axis in AXES) for kind in ("{}", "{}u", "{}s", "{}su", "v{}", "f{}")
}


@dataclass(frozen=True)
class Snapshot:
    """One snapshot.

    Args:
        path: of its file.
        step: number of the timestep.
        time: in the units of the file, where it says so (`dump_modify time yes`).
        units: of the file (`dump_modify units yes`), None if it does not say.
        box: of this snapshot.
        columns: name to `[atoms]`, in the order of the file.
    """

    path: Path
    step: int
    time: float | None
    units: str | None
    box: Box
    columns: dict[str, np.ndarray]

    def triple(self, kind: str) -> np.ndarray:
        """Return `[atoms, 3]` of a kind of column such as `"v{}"`."""
        return np.stack([self.columns[name] for name in TRIPLES[kind]], axis=1)

    def has(self, kind: str) -> bool:
        """Whether all three columns of a kind are there."""
        return all(name in self.columns for name in TRIPLES[kind])


def snapshots(path: Path, numbers: tuple[str, ...] = (), *, partial: bool = False) -> Iterator[Snapshot]:
    """Read a dump, one snapshot after the other.

    Args:
        path: dump in text, or gzipped.
        numbers: further columns to read, such as `c_pe`.
        partial: leave out a last snapshot that is cut, as a killed run leaves it.

    Raises:
        DataError: the file is damaged or is no dump.
    """
    with Lines(path) as lines:
        units: str | None = None
        while True:
            try:
                head = lines.filled()
                if head is None:
                    return
                lines.back(head)
                shot = _snapshot(lines, units, numbers)
            except Cut as cut:
                if partial:
                    return
                raise DataError(
                    f"{cut}; `--set partial=true` leaves out what a killed run wrote last"
                ) from cut
            units = shot.units
            yield shot


def _snapshot(lines: Lines, units: str | None, numbers: tuple[str, ...]) -> Snapshot:
    step: int | None = None
    atoms: int | None = None
    time: float | None = None
    box: Box | None = None
    while True:
        head = lines.next()
        if head is None:
            raise lines.cut()
        item = head.removeprefix("ITEM: ")
        if item == head:
            raise lines.wrong(f"expected `ITEM: …`, got {head[:60]!r}")
        if item.startswith("ATOMS"):
            break
        if item == "UNITS":
            units = _value(lines)
        elif item == "TIME":
            time = _real(lines, _value(lines))
        elif item == "TIMESTEP":
            if step is not None:
                raise lines.wrong("a second TIMESTEP within one snapshot")
            step = _count(lines, _value(lines))
        elif item == "NUMBER OF ATOMS":
            atoms = _count(lines, _value(lines))
        elif item.startswith("BOX BOUNDS"):
            rows = tuple(_value(lines) for _ in range(3))
            try:
                box = from_dump(item, rows)
            except DataError as error:
                raise lines.wrong(str(error)) from error
        else:
            raise lines.wrong(f"unknown item {item[:60]!r}")
    if step is None or atoms is None or box is None:
        raise lines.wrong("the snapshot lacks its TIMESTEP, NUMBER OF ATOMS or BOX BOUNDS")
    if atoms < 1:
        raise lines.wrong(f"a snapshot without atoms at step {step}")
    columns = _table(lines, item.split()[1:], atoms, step, numbers)
    return Snapshot(lines.path, step, time, units, box, columns)


def _value(lines: Lines) -> str:
    line = lines.next()
    if line is None:
        raise lines.cut()
    return line.strip()


def _count(lines: Lines, text: str) -> int:
    if not text.isdecimal() or len(text) > 18:
        raise lines.wrong(f"expected a whole number, got {text[:40]!r}")
    return int(text)


def _real(lines: Lines, text: str) -> float:
    try:
        value = float(text)
    except ValueError as error:
        raise lines.wrong(f"expected a number, got {text[:40]!r}") from error
    if not math.isfinite(value):
        raise lines.wrong(f"expected a number, got {text[:40]!r}")
    return value


def _table(
    lines: Lines, names: list[str], atoms: int, step: int, numbers: tuple[str, ...]
) -> dict[str, np.ndarray]:
    """Read the rows of a snapshot. Rows are counted as they come: a wrong count takes no memory."""
    if len(set(names)) != len(names):
        raise lines.wrong("two columns have one name")
    wanted = {name for triple in TRIPLES.values() for name in triple} | {"q", "mass", *numbers}
    kinds = {name: "i8" if name in INTEGERS else "f8" if name in wanted else "U16" for name in names}
    if missing := [name for name in numbers if name not in kinds]:
        raise lines.wrong(f"there is no column {', '.join(missing)}; there are {', '.join(names)[:200]}")
    rows = lines.block(atoms, "ITEM:")
    if len(rows) < atoms:
        if lines.next() is None:
            raise lines.cut()
        raise lines.wrong(f"{len(rows)} atoms at step {step}, NUMBER OF ATOMS says {atoms}")
    first = lines.number - atoms + 1
    dtype = [(f"f{i}", kinds[name]) for i, name in enumerate(names)]
    try:
        table = np.loadtxt(rows, dtype=dtype, comments=None, ndmin=1)
    except ValueError as error:
        raise DataError(f"{lines.path}, after line {first - 1}: {str(error)[:160]}") from error
    if len(table) != atoms:
        raise DataError(f"{lines.path}, after line {first - 1}: blank lines among the {atoms} atoms")
    kept = {name: table[f"f{i}"] for i, name in enumerate(names) if kinds[name] != "U16" or name in NAMES}
    for name, values in kept.items():
        if values.dtype.kind == "f" and not np.isfinite(values).all():
            raise DataError(f"{lines.path}: column {name} holds NaN or infinity at step {step}")
    return kept
