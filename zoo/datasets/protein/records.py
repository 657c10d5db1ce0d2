"""Atoms as a structure file lists them: PDB's fixed columns or mmCIF's table, nothing decided yet."""

from __future__ import annotations

import io
import math
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from zoo.errors import DataError


@dataclass(frozen=True)
class Record:
    """One line of a structure file.

    Args:
        name, residue, element: as the file spells them, without blanks.
        chain, number, insertion: the residue's place; `segment` counts the TER lines before it.
        alternate: label of the alternate location, "" where there is one only.
        hetero: whether the line is a HETATM.
        model: number of the model, from 1.
        position: Å.
    """

    name: str
    residue: str
    element: str
    chain: str
    segment: int
    number: int
    insertion: str
    alternate: str
    hetero: bool
    model: int
    position: tuple[float, float, float]
    occupancy: float

    @property
    def place(self) -> str:
        """The residue's place, such as "A 12"."""
        return f"{self.chain} {self.number}{self.insertion}".strip()


def read_records(path: Path) -> list[Record]:
    """Read all atoms of a PDB or mmCIF file.

    Raises:
        DataError: there is no such file, it is neither format, or a line is damaged; the line says which.
    """
    try:
        text = Path(path).read_text(encoding="utf-8")
    except FileNotFoundError as error:
        raise DataError(f"no structure file at {path}") from error
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(f"{path} cannot be read as text ({error}); give a PDB or mmCIF file") from error
    if not text.strip():
        raise DataError(f"{path} is empty; give a PDB or mmCIF file")
    cif = any(line.startswith("_atom_site.") for line in text.splitlines())
    records = list(_mmcif(text, path) if cif else _pdb(text, path))
    if not records:
        raise DataError(f"{path} is no PDB or mmCIF file: it has no ATOM lines and no _atom_site table")
    return records


def _pdb(text: str, path: Path) -> Iterator[Record]:
    """Fixed columns of the PDB format, version 3.3."""
    model, segment = 1, 0
    for number, line in enumerate(text.splitlines(), 1):
        kind = line[:6].strip()
        if kind == "TER":
            segment += 1
        elif kind == "MODEL":
            model, segment = _whole(line[6:].split()[0] if line[6:].split() else "", path, number), 0
        elif kind in ("ATOM", "HETATM"):
            if len(line) < 54:
                raise DataError(f"{path}, line {number} is cut off: {line.strip()!r}; get the file again")
            name = line[12:16]
            yield Record(
                name=name.strip(),
                residue=line[17:21].strip(),
                element=line[76:78].strip().capitalize() or _guess(name),
                chain=line[21].strip(),
                segment=segment,
                number=_whole(line[22:26], path, number),
                insertion=line[26].strip(),
                alternate=line[16].strip(),
                hetero=kind == "HETATM",
                model=model,
                position=_point([line[30:38], line[38:46], line[46:54]], path, number),
                occupancy=_occupancy(line[54:60]),
            )


def _guess(name: str) -> str:
    """Element of an old file without that column: PDB names begin in the second column for C, N, O, H."""
    letters = "".join(c for c in name[:2] if c.isalpha()) or "".join(c for c in name if c.isalpha())
    return "H" if name.strip("0123456789 ")[:1] == "H" else letters.capitalize()


def _mmcif(text: str, path: Path) -> Iterator[Record]:
    """The `_atom_site` table; authors' numbering, as in the PDB file of the same entry."""
    from openmm.app.internal.pdbx.reader.PdbxReader import PdbxReader

    blocks: list = []
    try:
        PdbxReader(io.StringIO(text)).read(blocks)
        table = blocks[0].getObj("atom_site")
        names, rows = table.getAttributeList(), table.getRowList()
    except Exception as error:  # the reader raises whatever it stumbles on
        raise DataError(f"{path} is not valid mmCIF ({error or type(error).__name__})") from error

    for number, row in enumerate(rows, 1):
        if len(row) != len(names):
            raise DataError(f"{path}, row {number} of _atom_site is cut off; get the file again")
        values = dict(zip(names, ("" if v in (".", "?") else v for v in row), strict=True))

        def get(*choices: str, values: dict[str, str] = values) -> str:
            return next((values[c] for c in choices if values.get(c)), "")

        yield Record(
            name=get("auth_atom_id", "label_atom_id"),
            residue=get("auth_comp_id", "label_comp_id"),
            element=get("type_symbol").capitalize(),
            chain=get("auth_asym_id", "label_asym_id"),
            segment=0,
            number=_whole(get("auth_seq_id", "label_seq_id"), path, number),
            insertion=get("pdbx_PDB_ins_code"),
            alternate=get("label_alt_id"),
            hetero=get("group_PDB") == "HETATM",
            model=_whole(get("pdbx_PDB_model_num") or "1", path, number),
            position=_point([get(f"Cartn_{axis}") for axis in "xyz"], path, number),
            occupancy=_occupancy(get("occupancy")),
        )


def _whole(text: str, path: Path, line: int) -> int:
    try:
        return int(text)
    except ValueError as error:
        raise DataError(f"{path}, line {line}: {text.strip()!r} is no whole number") from error


def _point(texts: list[str], path: Path, line: int) -> tuple[float, float, float]:
    try:
        x, y, z = (float(t) for t in texts)
    except ValueError as error:
        raise DataError(f"{path}, line {line}: {' '.join(texts).strip()!r} are no coordinates") from error
    if not all(map(math.isfinite, (x, y, z))):
        raise DataError(f"{path}, line {line}: a coordinate is NaN or infinite")
    return x, y, z


def _occupancy(text: str) -> float:
    try:
        return float(text)
    except ValueError:  # often left blank by programs
        return 1.0
