"""Extended XYZ, as ASE writes it: Å, eV, cell and periodicity in each frame's comment line.

Momenta are in ASE's units; `time=` counts where `time_unit=` says ps, fs or ns. `units=lj` in the
comment, as `zoo data export` writes it, or `--set units=lj`, says that all numbers are in reduced
units. A plain xyz file, whose comment tells no `Properties`, has no unit of length: that is said with
`--set units=angstrom` or `units=nm`.
"""

from __future__ import annotations

import gzip
import re
from collections.abc import Iterator
from io import StringIO
from itertools import islice
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, Literal

import numpy as np
from pydantic import Field

from zoo.data.entry import RawData
from zoo.data.formats.ase_frames import AtomsOptions, read_images
from zoo.data.formats.files import Content, inspect
from zoo.errors import ConfigError, DataError, ZooError
from zoo.units import ANGSTROM_PER_NM, SYSTEMS

if TYPE_CHECKING:
    from ase import Atoms


class Options(AtomsOptions):
    """Options of the extxyz reader."""

    units: Literal["ase", "lj", "angstrom", "nm"] = Field(
        "ase",
        description="ase: what extended xyz is in, unless its comment says units=lj (reduced); "
        "angstrom or nm: of a plain xyz, which tells none",
    )


def matches(content: Content) -> bool:
    """A number, and a comment behind which comes a line of a symbol and three numbers."""
    lines = content.lines
    if len(lines) < 3 or not lines[0].strip().isdigit():
        return False
    return "Properties=" in lines[1] or _is_atom(lines[2])


def read(paths: list[Path], options: Options) -> RawData:
    """Read xyz files one after the other; see `zoo.data.formats.read`."""
    for path in paths:
        lines = inspect(path).lines
        extended = len(lines) > 1 and "Properties=" in lines[1]
        if extended != (options.units in ("ase", "lj")):
            raise ConfigError(
                f"{path} is extended xyz, which is in Å and eV: leave out `units`"
                if extended
                else f"{path} is a plain xyz, which tells no units: say `--set units=angstrom` or `units=nm`"
            )
    length = ANGSTROM_PER_NM if options.units == "nm" else 1.0
    reduced = {path: options.units == "lj" or _says_reduced(path) for path in paths}
    odd = next((path for path in paths if reduced[path] != reduced[paths[0]]), None)
    if odd is not None:
        raise DataError(f"{odd} and {paths[0]}: one says units=lj, the other does not; import them apart")
    units = SYSTEMS["lj" if reduced[paths[0]] else "ase"]
    return read_images(paths, _images, options, format="extxyz", units=units, length=length)


def _says_reduced(path: Path) -> bool:
    lines = inspect(path).lines
    return len(lines) > 1 and re.search(r"(^|\s)units=\"?lj\"?(\s|$)", lines[1]) is not None


def _images(path: Path) -> Iterator[Atoms]:
    """Yield a file's frames; whatever ASE makes of a damaged one is one clear error.

    Frames are cut out here, one at a time: ASE reads as many lines as a count says, also behind the end.
    """
    from ase.io import read as read_frame

    number = 0
    try:
        with _text(path) as file:
            while line := file.readline():
                if not line.strip():
                    continue
                count = int(line)
                if not 0 < count < 1 << 31:
                    raise ValueError(f"it counts {count:.3g} atoms")
                lines = [line, *islice(file, count + 1)]
                if len(lines) < count + 2:
                    raise ValueError(f"{len(lines) - 2} of {count} atoms are there: the file was cut")
                if not lines[-1].endswith("\n"):
                    raise ValueError("its last line has no end and may be cut: if it is whole, end it")
                atoms: Any = read_frame(StringIO("".join(lines)), index=0, format="extxyz")
                yield atoms
                number += 1
    except ZooError:
        raise
    except Exception as error:
        text = (str(error).strip().splitlines() or [repr(error)])[0][:200]
        raise DataError(f"{path} cannot be read as extxyz, in frame {number}: {text}") from error


def _text(path: Path) -> IO[str]:
    if path.suffix == ".gz":
        return gzip.open(path, "rt", encoding="utf-8")
    return path.open(encoding="utf-8")


def _is_atom(line: str) -> bool:
    words = line.split()
    try:
        return len(words) >= 4 and words[0].isalpha() and all(np.isfinite([float(x) for x in words[1:4]]))
    except ValueError:
        return False
