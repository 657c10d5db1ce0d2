"""A `.npy` file that grows by frames: a long trajectory is written without ever being in memory."""

from __future__ import annotations

from pathlib import Path
from typing import BinaryIO

import numpy as np
from numpy.lib import format as npy

from zoo import keys
from zoo.errors import DataError


class GrowingArray:
    """An array on disk to which frames are appended; `close` makes it a plain `.npy` file.

    numpy leaves room in the header for the first axis to grow, so that the number of frames is
    put in at the end.

    Args:
        path: file to make.
        first: the first frames; they fix the dtype and the shape of a frame.
    """

    def __init__(self, path: Path, first: np.ndarray) -> None:
        self.path, self.dtype, self.frame = Path(path), first.dtype, first.shape[1:]
        self.length = 0
        self._file: BinaryIO = self.path.open("wb+")
        self._header()

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape so far."""
        return (self.length, *self.frame)

    def append(self, frames: np.ndarray) -> None:
        """Add frames. Raises `DataError` where they differ in shape or kind, or are not finite."""
        if frames.shape[1:] != self.frame or frames.dtype != self.dtype:
            raise DataError(
                f"{self.path.stem}: frames of {frames.dtype}{list(frames.shape[1:])} behind "
                f"frames of {self.dtype}{list(self.frame)}"
            )
        gaps = self.path.stem.startswith(keys.PUBLISHED)
        if np.issubdtype(frames.dtype, np.floating) and not gaps and not np.isfinite(frames).all():
            bad = np.argwhere(~np.isfinite(frames))[:, 0].min()
            raise DataError(f"{self.path.stem} holds NaN or infinity, first in frame {self.length + bad}")
        self._file.write(np.ascontiguousarray(frames).data)
        self.length += len(frames)

    def close(self) -> None:
        """Write the final number of frames into the header."""
        if not self._file.closed:
            self._header()
            self._file.close()

    def _header(self) -> None:
        self._file.seek(0)
        npy.write_array_header_1_0(
            self._file, {"descr": npy.dtype_to_descr(self.dtype), "fortran_order": False, "shape": self.shape}
        )
