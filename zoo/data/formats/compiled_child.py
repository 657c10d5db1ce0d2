"""The child process that runs mdtraj's compiled readers, with an address-space limit; see `compiled.py`.

It writes to its standard output, for each chunk of frames, a line of JSON (names, types, shapes) and the
bytes of each array; then "end", or the text of an error. It imports little, for it starts once a file.
Units: xtc and trr nm, ps, kJ/mol (GROMACS); dcd Å, without times.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator
from typing import IO, Any

import numpy as np

from zoo import keys
from zoo.units import ANGSTROM_PER_NM, EV_PER_KJ_MOL

#: Address space of this process; a chunk is 64 MB.
MEMORY = 8 << 30


def main(format: str, path: str, chunk_bytes: str) -> None:
    """Write a file's frames to standard output: what the child process does."""
    out = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # the C code may print
    _limit_memory()
    try:
        for chunk in READERS[format](path, int(chunk_bytes)):
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


def _frames_in(chunk_bytes: int, particles: int, arrays: int = 1) -> int:
    if particles < 1:
        raise ValueError("it tells no particles")
    return max(1, chunk_bytes // (12 * particles * arrays))


def _xtc(path: str, chunk_bytes: int) -> Iterator[dict[str, np.ndarray]]:
    from mdtraj.formats import XTCTrajectoryFile

    with XTCTrajectoryFile(path) as file:
        size = _frames_in(chunk_bytes, file.read(1)[0].shape[1])
        file.seek(0)
        while len((read := file.read(size))[0]):
            xyz, time, _, box = read
            yield _nanometres(xyz, time, box)


def _trr(path: str, chunk_bytes: int) -> Iterator[dict[str, np.ndarray]]:
    from mdtraj.formats import TRRTrajectoryFile

    has_velocities, has_forces = _trr_holds(path)
    with TRRTrajectoryFile(path) as file:
        size = _frames_in(chunk_bytes, file.read(1)[0].shape[1], arrays=3)
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


def _dcd(path: str, chunk_bytes: int) -> Iterator[dict[str, np.ndarray]]:
    from mdtraj.formats import DCDTrajectoryFile
    from mdtraj.utils.unitcell import lengths_and_angles_to_box_vectors

    _check_dcd(path)
    with DCDTrajectoryFile(path) as file:
        size = _frames_in(chunk_bytes, file.read(1)[0].shape[1])
        file.seek(0)
        while len((read := file.read(size))[0]):
            xyz, lengths, angles = read
            chunk = {keys.POSITIONS: xyz}
            if lengths is not None and lengths.any():
                rows = lengths_and_angles_to_box_vectors(*lengths.T, *angles.T)
                chunk[keys.CELLS] = np.stack(rows, axis=1).astype(np.float64)
            yield chunk


def _check_dcd(path: str) -> None:
    """Raise unless all records are whole: where they are not, the C code ends without a word.

    A record stands between two copies of its length in bytes. Header (84 bytes: `CORD`, numbers of frames, …,
    of fixed atoms, …, cell, fourth dimension), title, number of atoms; for each frame the cell, x, y, z.
    """
    words: np.ndarray = np.memmap(path, np.int32, "r", shape=(os.path.getsize(path) // 4,))
    if words[0] != 84:
        words = words.view(words.dtype.newbyteorder())
    if len(words) < 30 or words[0] != 84 or words[22] != 84:
        raise ValueError("its header is damaged, or of an unusual kind (records of 64 bits)")
    told, fixed, cell, fourth, charmm = words[2], words[10], words[12], words[13], words[21]
    title = 23 + int(words[23]) // 4 + 2
    if not 0 < words[23] < 1 << 20 or len(words) < title + 3 or words[title - 1] != words[23]:
        raise ValueError("its title is damaged")
    if fixed or (charmm and fourth) or (words[title], words[title + 2]) != (4, 4):
        raise ValueError("its header is damaged, or it has fixed atoms or a fourth dimension")
    atoms = int(words[title + 1])
    lengths = [12] * bool(charmm and cell) + [atoms] * 3
    starts = np.cumsum([0, *(length + 2 for length in lengths)])
    body = words[title + 3 :]
    frames, left = divmod(len(body), int(starts[-1]))
    if atoms < 1 or left or os.path.getsize(path) % 4 or (told and told != frames):
        raise ValueError(f"its size is not that of the {told} frames of {atoms} atoms that its header tells")
    records = body.reshape(frames, -1)
    for start, length in zip(starts, lengths, strict=False):
        if (records[:, [start, start + length + 1]] != 4 * length).any():
            raise ValueError("one of its frames is damaged")


READERS = {"xtc": _xtc, "trr": _trr, "dcd": _dcd}

if __name__ == "__main__":
    main(*sys.argv[1:])
