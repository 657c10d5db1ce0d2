"""Files on the way in: found, looked at, opened without ever running what they carry."""

from __future__ import annotations

import gzip
import os
import re
import zipfile
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from zoo.data.store import MANIFEST
from zoo.errors import DataError

#: Endings of data files; other files of a folder are passed over. With `.gz` behind them as well.
SUFFIXES = (
    ".npz", ".npy", ".pickle", ".pkl",
    ".xtc", ".trr", ".dcd", ".pdb", ".ent", ".h5", ".hdf5",
    ".xyz", ".extxyz", ".traj", ".xml",
    ".lammpstrj", ".dump", ".data", ".lmp",
)  # fmt: skip
#: Bytes of a file that are looked at to recognise its format.
HEAD = 1 << 16


@dataclass(frozen=True)
class Content:
    """What can be said of a file at first sight.

    Args:
        kind: "npz", "npy", "pickle", "text" or "".
        members: names of the arrays of an npz.
        summary: the same in words, for an error.
        head: the first bytes, unpacked where the file is gzipped.
        path: the file.
    """

    kind: str
    members: frozenset[str] = frozenset()
    summary: str = ""
    head: bytes = b""
    path: Path = Path()

    @property
    def lines(self) -> list[str]:
        """The first lines of a text file, whole ones."""
        return self.head.decode(errors="replace").splitlines()[:1000] if self.kind == "text" else []


def collect(paths: Sequence[str | Path]) -> list[Path]:
    """Return the files behind `paths`; a folder stands for the data files in it, in natural order.

    Raises:
        DataError: no path, a path that is not there, a folder that has no data files or is a
            dataset already, the same twice.
    """
    if not paths:
        raise DataError("nothing to import: name at least one file or folder")
    files: list[Path] = []
    for path in map(Path, paths):
        if path.is_dir():
            if (path / MANIFEST).is_file():
                raise DataError(
                    f"{path} is a dataset already: give this folder wherever a dataset's name goes, "
                    "or write its frames to a file by `zoo data export`"
                )
            found = [p for p in path.rglob("*") if p.is_file() and _suffix(p) in SUFFIXES]
            found = [p for p in found if not any(part.startswith(".") for part in p.parts[-1:])]
            if not found:
                raise DataError(f"{path} holds no data files ({', '.join(SUFFIXES)})")
            files += sorted(found, key=natural)
        elif path.is_file():
            files.append(path)
        else:
            raise DataError(f"{path}: there is no such file or folder")
    seen: set[Path] = set()
    for file in files:
        if file.resolve() in seen:
            raise DataError(f"{file} is named twice")
        seen.add(file.resolve())
    return files


def natural(path: Path) -> list[tuple[int, int, str]]:
    """Sorting key by which `x_2` comes before `x_10`."""
    parts = re.split(r"(\d+)", str(path))
    return [(0, int(p), "") if p.isdigit() else (1, 0, p) for p in parts]


def _suffix(path: Path) -> str:
    return Path(path.stem if path.suffix == ".gz" else path.name).suffix.lower()


def inspect(path: Path) -> Content:
    """Look at a file's first bytes and, for an npz, at its table of contents."""
    head = _head(path)
    if not head:
        raise DataError(f"{path} is empty")
    if head[:2] == b"PK":
        members = frozenset(_open(path, lambda archive: archive.files))
        summary = f"an npz of {', '.join(sorted(members)) or 'nothing'}"
        return Content("npz", members, summary, head, path)
    if head[:6] == b"\x93NUMPY":
        return Content("npy", summary="a bare numpy array", head=head, path=path)
    if head[:1] == b"\x80":
        return Content("pickle", summary="a pickle", head=head, path=path)
    if not set(head) & _NOT_TEXT:
        first = head.split(b"\n", 1)[0].decode(errors="replace").strip()[:60]
        return Content("text", summary=f"a text that begins with {first!r}", head=head, path=path)
    return Content("", summary=f"a binary file that begins with {head[:8]!r}", head=head, path=path)


_NOT_TEXT = set(range(32)) - set(b"\t\n\r\f")


def _head(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            head = file.read(HEAD)
        if head[:2] == b"\x1f\x8b":
            with gzip.open(path, "rb") as unpacked:
                head = unpacked.read(HEAD)
    except (OSError, EOFError, zlib.error) as error:
        raise DataError(f"{path} cannot be read: {brief(error)}") from error
    return head


def load_npz(path: Path) -> dict[str, np.ndarray]:
    """Read all arrays of an npz.

    Raises:
        DataError: no npz, truncated, or it holds Python objects, which are never unpickled.
    """
    content = inspect(path)
    if content.kind != "npz":
        raise DataError(f"{path} is no npz file: {content.summary}")
    return _open(path, lambda archive: {name: _array(archive, name) for name in archive.files})


def _array(archive: np.lib.npyio.NpzFile, name: str) -> np.ndarray:
    array = archive[name]
    if not isinstance(array, np.ndarray) or array.dtype.hasobject:
        raise ValueError(f"{name} is no plain array")
    return array


def _open(path, use):  # type: ignore[no-untyped-def]
    try:
        with np.load(path, allow_pickle=False) as archive:
            _check_listed(path, archive)
            return use(archive)
    except (zipfile.BadZipFile, EOFError) as error:
        raise DataError(f"{path} is truncated or damaged: {brief(error)}") from error
    except Exception as error:  # whatever a damaged archive makes zipfile, zlib or numpy raise
        if "allow_pickle" in str(error) or "Object arrays" in str(error):
            raise DataError(
                f"{path} holds Python objects (a pickle inside), which could carry code: refused"
            ) from error
        raise DataError(f"{path} cannot be read, it may be truncated: {brief(error)}") from error


def _check_listed(path: Path, archive: np.lib.npyio.NpzFile) -> None:
    """Raise unless the archive's end counts as many arrays as its table lists: `zipfile` does not look."""
    with path.open("rb") as file:
        file.seek(-22, os.SEEK_END)
        end = file.read()
    count = int.from_bytes(end[10:12], "little")
    if end[:4] == b"PK\x05\x06" and count != min(len(archive.files), 0xFFFF):
        raise zipfile.BadZipFile(f"its table lists {len(archive.files)} of {count} arrays")


def brief(error: Exception) -> str:
    """Return an error's text in one short line: a damaged file's bytes may stand in it."""
    text = " ".join(str(error).split()) or type(error).__name__
    return text if len(text) <= 160 else text[:160] + "…"


def need(path: Path, arrays: dict[str, np.ndarray], *names: str) -> None:
    """Raise `DataError` unless all `names` are there."""
    missing = [name for name in names if name not in arrays]
    if missing:
        raise DataError(f"{path} lacks {', '.join(missing)}; it has {', '.join(sorted(arrays)) or 'nothing'}")


def finite(path: Path, name: str, array: np.ndarray) -> np.ndarray:
    """Return a numeric array as float64. Raises `DataError` on NaN, infinity or no numbers."""
    if np.asarray(array).dtype.kind not in "biuf":
        raise DataError(f"{path}: {name} holds no numbers but {np.asarray(array).dtype}")
    array = np.asarray(array, np.float64)
    if not np.isfinite(array).all():
        raise DataError(f"{path}: {name} holds NaN or infinity")
    return array
