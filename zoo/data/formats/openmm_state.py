"""States of OpenMM, as `XmlSerializer.serialize(state)` or `Simulation.saveState` writes them.

Each file is one frame. Units: nm, ps, kJ/mol. A state always tells box vectors, also of a system that has
no periodic boundary: whether it has one is said with `--set periodic=true` or `false`.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from pathlib import Path
from xml.etree import ElementTree

import numpy as np

from zoo import keys
from zoo.data.entry import RawData
from zoo.data.formats.extraction import Chunk
from zoo.data.formats.files import Content
from zoo.data.formats.molecular import KnownUnits, assemble, needed_topology
from zoo.errors import ConfigError, DataError
from zoo.units import ANGSTROM_PER_NM, EV_PER_KJ_MOL

Options = KnownUnits
#: Element of the file: its name here, factor to Å, eV, ps.
_VECTORS = {
    "Positions": (keys.POSITIONS, ANGSTROM_PER_NM),
    "Velocities": (keys.VELOCITIES, ANGSTROM_PER_NM),
    "Forces": (keys.FORCES, EV_PER_KJ_MOL / ANGSTROM_PER_NM),
}


def matches(content: Content) -> bool:
    """XML whose first element is a State."""
    return b"<State " in content.head[:500]


def read(paths: list[Path], options: KnownUnits) -> RawData:
    """Read states, one frame each; see `zoo.data.formats.read`."""
    topology = needed_topology(options, "OpenMM state")
    if options.periodic is None:
        raise ConfigError(
            "an OpenMM state tells a box also where there is none: "
            "say `--set periodic=true` or `periodic=false`"
        )
    return assemble(
        paths, partial(_frame, periodic=options.periodic), topology, options, format="openmm-state"
    )


def _frame(path: Path, periodic: bool) -> Iterator[Chunk]:
    try:
        state = ElementTree.parse(path).getroot()
    except ElementTree.ParseError as error:
        raise DataError(f"{path} is no whole XML file: {error}") from error
    if state.tag != "State":
        raise DataError(f"{path} holds a {state.tag[:40]} of OpenMM, not a State")
    chunk: Chunk = {}
    for tag, (name, factor) in _VECTORS.items():
        rows = state.find(tag)
        if rows is not None:
            values = np.array([_vector(path, row) for row in rows], np.float64).reshape(-1, 3)
            chunk[name] = (values * factor).astype(np.float32)[None]
    if keys.POSITIONS not in chunk:
        raise DataError(f"{path} holds no positions: take the state with getState(getPositions=True, …)")
    shapes = {name: array.shape[1] for name, array in chunk.items()}
    if len(set(shapes.values())) > 1:
        raise DataError(f"{path}: {', '.join(f'{n} of {k} particles' for n, k in shapes.items())}")
    energies = state.find("Energies")
    if energies is not None:
        chunk[keys.ENERGIES] = np.array([_number(path, energies, "PotentialEnergy") * EV_PER_KJ_MOL])
    chunk[keys.TIME] = np.array([_number(path, state, "time")])
    box = state.find("PeriodicBoxVectors")
    if periodic:
        if box is None or len(box) != 3:
            raise DataError(f"{path} tells no three box vectors, which periodic=true needs")
        chunk[keys.CELLS] = np.array([[_vector(path, row) for row in box]]) * ANGSTROM_PER_NM
    yield chunk


def _vector(path: Path, row: ElementTree.Element) -> tuple[float, float, float]:
    return _number(path, row, "x"), _number(path, row, "y"), _number(path, row, "z")


def _number(path: Path, row: ElementTree.Element, name: str) -> float:
    try:
        return float(row.attrib[name])
    except KeyError as error:
        raise DataError(f"{path}: a {row.tag[:40]} without {name}") from error
    except ValueError as error:
        raise DataError(f"{path}: {name} of a {row.tag[:40]} is {row.attrib[name][:40]!r}") from error
