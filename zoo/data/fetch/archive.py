"""Archives, unpacked so that no member leaves the folder, links to elsewhere or fills the disk."""

from __future__ import annotations

import bz2
import gzip
import lzma
import shutil
import tarfile
import zipfile
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import IO, Any

from zoo.data.store import new_folder
from zoo.errors import DataError

SUFFIXES = (".tar", ".tar.gz", ".tgz", ".tar.bz2", ".tar.xz", ".zip")
#: An archive whose members are this many times larger than itself is a bomb, not data.
LARGEST_RATIO = 200


def is_archive(path: Path) -> bool:
    """Whether the name is that of an archive that `unpack` knows."""
    return path.name.lower().endswith(SUFFIXES)


def unpack(path: Path, out: Path) -> Path:
    """Unpack a tar or zip archive into the new folder `out`, whole or not at all.

    Only plain files and folders are made; a member with a path that leads out of the folder, a
    link or a device makes the archive refused. An `out` that is there already is returned as it is.

    Raises:
        DataError: the archive is damaged, dangerous or too large for the disk.
    """
    path, out = Path(path), Path(out)
    if out.is_dir():
        return out
    limit = min(
        LARGEST_RATIO * max(path.stat().st_size, 1 << 20),
        shutil.disk_usage(path.parent).free,
    )
    with new_folder(out) as folder:
        try:
            members = _zip(path) if path.name.lower().endswith(".zip") else _tar(path)
            for name, size, content in members:
                limit -= size
                if limit < 0:
                    raise DataError(f"{path} unpacks to more than the disk or reason holds; refused")
                target = folder / _inside(path, name)
                target.parent.mkdir(parents=True, exist_ok=True)
                with content, target.open("xb") as file:
                    shutil.copyfileobj(content, file, 1 << 20)
        except (tarfile.TarError, zipfile.BadZipFile, EOFError, OSError, ValueError) as error:
            raise DataError(f"{path} is a damaged archive: {error}") from error
        except Exception as error:  # zlib.error, lzma.LZMAError, struct.error
            if isinstance(error, DataError):
                raise
            raise DataError(f"{path} is a damaged archive: {error}") from error
    return out


def _tar(path: Path) -> Iterator[tuple[str, int, IO[bytes]]]:
    openers: dict[bytes, Any] = {b"\x1f\x8b": gzip.open, b"BZ": bz2.open, b"\xfd7": lzma.open}
    with path.open("rb") as file:
        opener = openers.get(file.read(2), open)
    with opener(path, "rb") as stream, tarfile.open(fileobj=stream, mode="r|") as archive:
        for member in archive:
            if member.isdir():
                _inside(path, member.name)
                continue
            content = archive.extractfile(member) if member.isfile() else None
            if content is None:
                raise DataError(f"{path}: {member.name} is a link or a device; the archive is refused")
            yield member.name, member.size, content
        while stream.read(1 << 20):  # to the end, where the checksum of the compression stands
            pass


def _zip(path: Path) -> Iterator[tuple[str, int, IO[bytes]]]:
    with zipfile.ZipFile(path) as archive:
        for member in archive.infolist():
            if (member.external_attr >> 16) & 0o170000 == 0o120000:
                raise DataError(f"{path}: {member.filename} is a link; the archive is refused")
            if not member.is_dir():
                yield member.filename, member.file_size, archive.open(member)


def _inside(path: Path, name: str) -> Path:
    parts = PurePosixPath(name).parts
    if not name or name.startswith("/") or "\\" in name or ".." in parts or ":" in name[:3]:
        raise DataError(f"{path}: the member {name!r} would leave its folder; the archive is refused")
    return Path(*parts)
