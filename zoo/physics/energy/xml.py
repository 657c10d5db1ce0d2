"""Reading OpenMM's XML of a System, without OpenMM."""

from __future__ import annotations

from xml.etree import ElementTree
from xml.etree.ElementTree import Element

import numpy as np

from zoo.errors import DataError


def parse_system(text: str) -> Element:
    """Return the root of a System's XML. Raises `DataError` where it is none."""
    try:
        root = ElementTree.fromstring(text)
    except ElementTree.ParseError as error:
        raise DataError(f"this is no OpenMM System: its XML cannot be read ({error})") from error
    if root.tag != "System" or root.find("Forces") is None or root.find("Particles") is None:
        raise DataError(f"this is no OpenMM System: its XML holds {root.tag!r}, not 'System'")
    return root


def table(force: Element, path: str, *names: str) -> np.ndarray:
    """Return attributes of all elements at `path` as float64 `[rows, names]`."""
    rows = force.findall(path)
    try:
        values = [[float(row.attrib[name]) for name in names] for row in rows]
    except (KeyError, ValueError) as error:
        raise DataError(f"{label(force)}: {path} is not as OpenMM writes it ({error!r})") from error
    return np.array(values, np.float64).reshape(len(rows), len(names))


def atoms(force: Element, path: str, *names: str) -> np.ndarray:
    """Return attributes that are indices of atoms (or maps) as int64 `[rows, names]`."""
    return table(force, path, *names).astype(np.int64)


def label(force: Element) -> str:
    """Return a force's type, with its name where it has another one."""
    kind, name = force.attrib.get("type", force.tag), force.attrib.get("name")
    return f"{kind} {name!r}" if name not in (None, kind) else kind


def refuse(force: Element, why: str) -> DataError:
    """Return the error for a force that has no counterpart in torch."""
    return DataError(f"from_openmm cannot represent the {label(force)} of this System: {why}")


def require_open(force: Element) -> None:
    """Raise `DataError` for a force with a cutoff or with periodic boundaries."""
    if force.attrib.get("method", "0") != "0":
        raise refuse(force, "it has a cutoff; build the System with nonbondedMethod=NoCutoff")
    if force.attrib.get("usesPeriodic", "0") != "0" or force.attrib.get("exceptionsUsePeriodic", "0") != "0":
        raise refuse(force, "it uses periodic boundary conditions")


def require_empty(force: Element, *paths: str) -> None:
    """Raise `DataError` where a force has elements that mean more than its plain form."""
    for path in paths:
        if force.find(path) is not None:
            raise refuse(force, f"it has {path.split('/')[0]}")


def expression(text: str) -> str:
    """Return an expression of a custom force without blanks and without a semicolon at its end."""
    return "".join(text.split()).rstrip(";")
