"""A bare numpy array of positions, `[frames, particles, 3]` or `[frames, 3 particles]`.

It names neither its atoms nor its units: both are said. It is memory-mapped, never as a whole in memory.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from pathlib import Path

import numpy as np

from zoo import keys
from zoo.data.entry import RawData
from zoo.data.formats.extraction import Chunk
from zoo.data.formats.files import Content
from zoo.data.formats.molecular import CHUNK_BYTES, assemble, needed_topology
from zoo.data.formats.stated import StatedUnits
from zoo.errors import ConfigError, DataError

Options = StatedUnits


def matches(content: Content) -> bool:
    """The signature of a .npy file."""
    return content.kind == "npy"


def read(paths: list[Path], options: StatedUnits) -> RawData:
    """Read .npy files one after the other; see `zoo.data.formats.read`."""
    topology = needed_topology(options, "npy")
    if options.system() != "ase":
        raise ConfigError("npy files of molecules are in Å or nm: `units=angstrom` or `units=nm`")
    frames = partial(_frames, particles=len(topology), options=options)
    return assemble(paths, frames, topology, options, format="npy")


def _frames(path: Path, particles: int, options: StatedUnits) -> Iterator[Chunk]:
    try:
        array = np.load(path, mmap_mode="r", allow_pickle=False)
    except Exception as error:  # whatever numpy makes of a damaged header
        raise DataError(f"{path} cannot be read as npy: {str(error).splitlines()[0][:200]}") from error
    if array.offset + array.nbytes != path.stat().st_size:
        raise DataError(f"{path} has another size than its header tells: it is damaged")
    if array.dtype.kind != "f":
        raise DataError(f"{path} holds {array.dtype}, not positions")
    shape = array.shape
    if shape[-2:] == (particles, 3) and array.ndim in (2, 3):
        array = array.reshape(-1, particles, 3)
    elif array.ndim == 2 and shape[1] == 3 * particles:
        array = array.reshape(-1, particles, 3)
    else:
        raise DataError(
            f"{path} is of shape {shape}, expected [frames, {particles}, 3] by the topology's atoms"
        )
    size = max(1, CHUNK_BYTES // (24 * particles))
    for start in range(0, len(array), size):
        with np.errstate(over="ignore", invalid="ignore"):  # what is not finite is refused later
            part = np.array(array[start : start + size], np.float64)
            yield {keys.POSITIONS: options.convert(keys.POSITIONS, part).astype(np.float32)}
