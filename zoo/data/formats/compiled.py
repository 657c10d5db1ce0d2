"""mdtraj's compiled readers (xtc, trr, dcd), each run in a process of its own.

They are C code that a damaged file can crash or make ask for all memory: here that ends a child
process with an address-space limit, and the parent says one clear line. The child writes to its standard
output, for each chunk of frames, a line of JSON (names, types, shapes) and the bytes of each array.
Units: xtc and trr nm, ps, kJ/mol (GROMACS); dcd Å, without times.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

import numpy as np

from zoo import keys
from zoo.data.formats.trajectory import CHUNK_BYTES
from zoo.errors import DataError
from zoo.units import ANGSTROM_PER_NM, EV_PER_KJ_MOL

#: Address space of the child; a chunk is 64 MB.
MEMORY = 8 << 30


def frames(format: str, path: Path) -> Iterator[dict[str, np.ndarray]]:
    """Yield chunks of a file's frames: `positions` and, where it has them, `cell`, `time`,
    `velocities`, `forces` (Å, ps, eV).

    Raises:
        DataError: the file is damaged, whatever the compiled reader does then.
    """
    command = [sys.executable, "-m", "zoo.data.formats.compiled", format, str(path)]
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


def main(format: str, path: str) -> None:
    """Write a file's frames to standard output: what the child process does."""
    out = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # the C code may print
    _limit_memory()
    try:
        for chunk in READERS[format](path):
            _send(out, [(name, array.dtype.str, array.shape) for name, array in chunk.items()])
            for array in chunk.values():
                out.write(np.ascontiguousarray(array).data)
        _send(out, "end")
    except Exception as error:
        _send(out, (str(error).strip().splitlines() or [repr(error)])[0][:200])


def _send(out: IO[bytes], told: Any) -> None:
    out.write(json.dumps(told).encode() + b"\n")
    out.flush()


def _limit_memory() -> None:
    try:
        import resource
    except ImportError:  # not on Windows
        return
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def _chunk(particles: int, arrays: int = 1) -> int:
    if particles < 1:
        raise ValueError("it tells no particles")
    return max(1, CHUNK_BYTES // (12 * particles * arrays))


def _xtc(path: str) -> Iterator[dict[str, np.ndarray]]:
    from mdtraj.formats import XTCTrajectoryFile

    with XTCTrajectoryFile(path) as file:
        size = _chunk(file.read(1)[0].shape[1])
        file.seek(0)
        while len((read := file.read(size))[0]):
            xyz, time, _, box = read
            yield _nanometres(xyz, time, box)


def _trr(path: str) -> Iterator[dict[str, np.ndarray]]:
    from mdtraj.formats import TRRTrajectoryFile

    has_velocities, has_forces = _trr_holds(path)
    with TRRTrajectoryFile(path) as file:
        size = _chunk(file.read(1)[0].shape[1], arrays=3)
        file.seek(0)
        while True:
            # the public `read` leaves out velocities and forces
            xyz, time, _, box, _, velocities, forces = file._read(size, None, has_velocities, has_forces)
            if not len(xyz):
                return
            chunk = _nanometres(xyz, time, box)
            if velocities is not None:
                chunk[keys.VELOCITIES] = velocities * np.float32(ANGSTROM_PER_NM)
            if forces is not None:
                chunk[keys.FORCES] = forces * np.float32(EV_PER_KJ_MOL / ANGSTROM_PER_NM)
            yield chunk


def _trr_holds(path: str) -> tuple[bool, bool]:
    """Whether all frames hold velocities, and forces.

    A frame: 24 bytes of magic number and name, ten sizes in bytes (of box, …, positions, velocities,
    forces), the numbers of atoms, step and entries, time and λ in the positions' precision, and then what
    the sizes tell; big-endian.
    """
    velocities = forces = True
    with open(path, "rb") as file:
        while len(header := file.read(76)) == 76:
            *sizes, atoms, _, _ = np.frombuffer(header, ">i4", offset=24).tolist()
            positions = sizes[7]
            if (
                header[:4] != b"\x00\x00\x07\xc9"
                or min(sizes) < 0
                or positions not in (12 * atoms, 24 * atoms)
            ):
                raise ValueError("one of its frames has a damaged header, or no positions")
            velocities, forces = velocities and sizes[8] > 0, forces and sizes[9] > 0
            file.seek(2 * (positions // (3 * atoms) if atoms else 4) + sum(sizes), 1)
    return velocities, forces


def _nanometres(xyz: np.ndarray, time: np.ndarray, box: np.ndarray | None) -> dict[str, np.ndarray]:
    chunk: dict[str, np.ndarray] = {
        keys.POSITIONS: xyz * np.float32(ANGSTROM_PER_NM),
        keys.TIME: time.astype(np.float64),
    }
    if box is not None and box.any():
        chunk[keys.CELLS] = box.astype(np.float64) * ANGSTROM_PER_NM
    return chunk


def _dcd(path: str) -> Iterator[dict[str, np.ndarray]]:
    from mdtraj.formats import DCDTrajectoryFile
    from mdtraj.utils.unitcell import lengths_and_angles_to_box_vectors

    with DCDTrajectoryFile(path) as file:
        size = _chunk(file.read(1)[0].shape[1])
        file.seek(0)
        while len((read := file.read(size))[0]):
            xyz, lengths, angles = read
            chunk = {keys.POSITIONS: xyz}
            if lengths is not None and lengths.any():
                rows = lengths_and_angles_to_box_vectors(*lengths.T, *angles.T)
                chunk[keys.CELLS] = np.stack(rows, axis=1).astype(np.float64)
            yield chunk
        told, whole = _dcd_frames(path), file.tell()
    if told > whole:
        raise ValueError(f"its header tells {told} frames but {whole} are whole: it was cut")


def _dcd_frames(path: str) -> int:
    """Number of frames that the header tells: the second word, in the byte order of the first, 84."""
    with open(path, "rb") as file:
        head = file.read(16)
    order = "<" if head[0] == 84 else ">"
    at = 8 if head[4:8] == b"CORD" else 12  # record lengths of 4 or of 8 bytes
    return int(np.frombuffer(head, f"{order}i4", 1, at)[0])


READERS = {"xtc": _xtc, "trr": _trr, "dcd": _dcd}

if __name__ == "__main__":
    main(*sys.argv[1:])
