"""mdtraj's compiled readers (xtc, trr, dcd), each run in a process of its own.

They are C code that a damaged file can crash or make ask for all memory: here that ends a child
process, `compiled_child.py`, and the parent says one clear line.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import IO

import numpy as np

from zoo.data.formats.molecular import CHUNK_BYTES
from zoo.errors import DataError

CHILD = "zoo.data.formats.compiled_child"


def frames(format: str, path: Path) -> Iterator[dict[str, np.ndarray]]:
    """Yield chunks of a file's frames: `positions` and, where it has them, `cell`, `time`,
    `velocities`, `forces` (Å, ps, eV).

    Raises:
        DataError: the file is damaged, whatever the compiled reader does then.
    """
    command = [sys.executable, "-m", CHILD, format, str(path), str(CHUNK_BYTES)]
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
    child = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env=environment)
    assert child.stdout is not None
    try:
        while True:
            line = child.stdout.readline()
            if not line:
                raise DataError(f"{path} is damaged: reading it as {format} crashed the reader")
            told = json.loads(line)
            if told == "end":
                return
            if isinstance(told, str):
                raise DataError(f"{path} cannot be read as {format}: {told}")
            yield {name: _receive(child.stdout, path, kind, shape) for name, kind, shape in told}
    finally:
        child.stdout.close()
        child.kill()
        child.wait()


def _receive(stream: IO[bytes], path: Path, kind: str, shape: list[int]) -> np.ndarray:
    array = np.empty(shape, kind)
    if stream.readinto(array.data.cast("B")) < array.nbytes:  # type: ignore[attr-defined]
        raise DataError(f"{path} is damaged: reading it crashed the reader")
    return array
