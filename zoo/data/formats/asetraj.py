"""ASE's own trajectories (`.traj`, an ULM file: JSON and plain arrays). Å, eV; momenta in ASE's units.

Only numbers are taken out: constraints and calculators that a file names are never built. The pickles
that ASE wrote before 2016 are not of this format and are refused.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import numpy as np
from pydantic import Field

from zoo.data.entry import RawData
from zoo.data.formats.ase_frames import AtomsOptions, read_images
from zoo.data.formats.files import Content
from zoo.errors import DataError, ZooError

if TYPE_CHECKING:
    from ase import Atoms


class Options(AtomsOptions):
    """Options of the reader of ASE's trajectories."""

    units: Literal["ase"] = Field("ase", description="Å, eV, as these files are in")


def matches(content: Content) -> bool:
    """The signature of an ULM file."""
    return content.head[:8] == b"- of Ulm"


def read(paths: list[Path], options: Options) -> RawData:
    """Read .traj files one after the other; see `zoo.data.formats.read`."""
    return read_images(paths, _images, options, format="ase-traj")


def _images(path: Path) -> Iterator[Atoms]:
    from ase import Atoms
    from ase.calculators.singlepoint import SinglePointCalculator
    from ase.io import ulm

    try:
        with ulm.open(path) as file:
            if file.get_tag() != "ASE-Trajectory":
                raise DataError(f"{path} is an ULM file of {file.get_tag()!r}, not ASE's trajectory")
            _check_count(path)
            header = {name: file.get(name) for name in ("numbers", "pbc", "masses")}
            for i in range(len(file)):
                found = file[i]
                constant = {name: found.get(name, header[name]) for name in header}
                atoms = Atoms(
                    positions=found.positions, cell=found.cell, momenta=found.get("momenta"), **constant
                )
                results = found.get("calculator", {})
                told = {name: results.get(name) for name in ("energy", "forces") if name in results}
                atoms.calc = SinglePointCalculator(atoms, **told)
                yield atoms
    except ZooError:
        raise
    except Exception as error:  # whatever ASE makes of a damaged file
        text = (str(error).strip().splitlines() or [repr(error)])[0][:200]
        raise DataError(f"{path} cannot be read as ASE's trajectory: {text}") from error


def _check_count(path: Path) -> None:
    """Raise where the table of frames goes on behind the number of frames that the header tells.

    Byte 32 holds the number, byte 40 the place of the table: first one entry at byte 48, which when
    full is copied behind the data with 42 times the room, unused entries being 0 (ase.io.ulm). An
    entry is the place of a frame's JSON, with its length before it.
    """
    with path.open("rb") as file:
        file.seek(32)
        number, place = np.frombuffer(file.read(16), "<i8").tolist()
        if place == 48:
            return
        file.seek(place + 8 * number)
        entry = int.from_bytes(file.read(8), "little")
        if 56 <= entry < path.stat().st_size:
            file.seek(entry)
            if file.read(9)[8:] == b"{":
                raise DataError(f"{path} holds more frames than the {number} of its header: it is damaged")
