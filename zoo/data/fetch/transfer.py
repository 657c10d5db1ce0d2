"""One file over HTTP: resumed where it was cut, compared with its checksum, there whole or not at all."""

from __future__ import annotations

import fcntl
import hashlib
import http.client
import json
import os
import shutil
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from time import sleep as pause
from typing import IO, Any
from urllib.parse import urlsplit

from zoo.errors import DataError
from zoo.files import write_json
from zoo.progress import Bar, progress
from zoo.version import __version__

#: Environment variable that forbids any connection.
OFFLINE = "ZOO_OFFLINE"
#: Seconds without a byte after which a connection counts as dead, and how often it is tried.
TIMEOUT, ATTEMPTS = 30.0, 6
BLOCK = 1 << 18
#: What may go wrong on the way and is worth another try.
_PASSING = (urllib.error.URLError, http.client.HTTPException, TimeoutError, ConnectionError)


@dataclass(frozen=True)
class RemoteFile:
    """A file somewhere else.

    Args:
        url: http or https.
        name: of the file here; may have folders in it.
        checksum: "sha256:…", "md5:…"; None where nobody publishes one: then the first download's
            SHA-256 is written down, and a later one must have the same.
        size: bytes, where it is known.
    """

    url: str
    name: str
    checksum: str | None = None
    size: int | None = None


def is_offline() -> bool:
    """Whether `ZOO_OFFLINE` forbids connections."""
    return os.environ.get(OFFLINE, "").lower() not in ("", "0", "false", "no")


def download(file: RemoteFile, folder: Path, *, timeout: float = TIMEOUT, attempts: int = ATTEMPTS) -> Path:
    """Return the file in `folder`, fetched if it is not there yet.

    A connection that is cut is resumed where it ended, with a pause that grows; a file that is
    whole but wrong is thrown away. Of two processes one fetches and the other waits.

    Raises:
        DataError: no such address, no connection, another checksum or size, no room, or offline.
    """
    path = folder / file.name
    path.parent.mkdir(parents=True, exist_ok=True)
    with _alone(path):
        if path.is_file() and _is_right(path, file):
            return path
        if is_offline():
            raise DataError(
                f"{file.url} is not in the cache ({path}) and {OFFLINE} forbids fetching it; "
                f"unset {OFFLINE}, or put the file there"
            )
        _check_room(path.parent, file)
        part = path.with_name(path.name + ".part")
        with progress(f"fetching {path.name}", float(file.size or 0), "bytes") as bar:
            _fetch(file, part, bar, timeout, attempts)
        if not _is_right(part, file, final=path):
            part.unlink()
            raise DataError(
                f"{file.url} is not what it should be: its {_kind(file)} differs from the published one; "
                "it was thrown away. Try again; if it happens again, the file was changed at its source"
            )
        os.replace(part, path)
        write_json(_record(path), {"url": file.url, "sha256": _digest(path, "sha256")})
        return path


@contextmanager
def _alone(path: Path) -> Iterator[None]:
    with path.with_name(f".{path.name}.lock").open("a+") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _check_room(folder: Path, file: RemoteFile) -> None:
    free = shutil.disk_usage(folder).free
    if file.size and file.size > free:
        raise DataError(f"{file.url} has {file.size / 1e9:.1f} GB and {folder} has {free / 1e9:.1f} GB free")


def _fetch(file: RemoteFile, part: Path, bar: Bar, timeout: float, attempts: int) -> None:
    reason = ""
    failures = 0
    while failures < attempts:
        before = part.stat().st_size if part.is_file() else 0
        try:
            if _continue(file, part, bar, timeout):
                return
            reason = "the connection was cut"
        except urllib.error.HTTPError as error:
            if error.code == 416:  # what is here is longer than what is there
                part.unlink(missing_ok=True)
                reason = "it changed at its source"
            elif error.code in (408, 425, 429) or error.code >= 500:
                reason = f"HTTP {error.code} {error.reason}"
            else:
                raise DataError(f"{file.url}: HTTP {error.code} {error.reason}") from error
        except _PASSING as error:
            reason = str(getattr(error, "reason", "") or error or type(error).__name__)
        # A connection that brought something does not count as a failure: a slow line ends as well.
        grew = part.is_file() and part.stat().st_size > before
        failures = 1 if grew else failures + 1
        pause(min(30.0, 0.2 * 2**failures))
    raise DataError(
        f"{file.url} could not be fetched ({reason}, {attempts} attempts); "
        "the same command goes on where this one stopped"
    )


def _continue(file: RemoteFile, part: Path, bar: Bar, timeout: float) -> bool:
    """Fetch what is missing; return whether all is there now."""
    start = part.stat().st_size if part.is_file() else 0
    if file.size is not None and start == file.size:
        return True
    tag = part.with_name(part.name + ".tag")
    request = _request(file.url)
    if start:
        request.add_header("Range", f"bytes={start}-")
        if tag.is_file():  # the rest of the same version, or all of another
            request.add_header("If-Range", tag.read_text())
    with urllib.request.urlopen(request, timeout=timeout) as response:
        if response.status != 206:
            start = 0
        length = response.headers.get("Content-Length")
        expected = start + int(length) if length and length.isdigit() else file.size
        if expected and not bar.total:
            bar.total = float(expected)
        bar.resume(float(start))
        version = response.headers.get("ETag", "")
        tag.write_text(version) if version and not version.startswith("W/") else tag.unlink(missing_ok=True)
        with part.open("ab" if start else "wb") as out:
            _copy(response, out, bar)
    size = part.stat().st_size
    if expected is not None and size < expected:
        return False
    tag.unlink(missing_ok=True)
    return True


def _copy(response: Any, out: IO[bytes], bar: Bar) -> None:
    while block := response.read1(BLOCK):
        out.write(block)
        bar.advance(len(block))


def _request(url: str) -> urllib.request.Request:
    if urlsplit(url).scheme not in ("http", "https"):
        raise DataError(f"{url} is no http or https address")
    return urllib.request.Request(url, headers={"User-Agent": f"molzoo/{__version__}"})


def fetch_json(url: str, *, timeout: float = TIMEOUT) -> Any:
    """Return the JSON behind an address. Raises `DataError` where there is none, or offline."""
    if is_offline():
        raise DataError(f"{url} is needed and {OFFLINE} forbids fetching it; unset {OFFLINE}")
    try:
        with urllib.request.urlopen(_request(url), timeout=timeout) as response:
            return json.loads(response.read(64 << 20))
    except urllib.error.HTTPError as error:
        raise DataError(f"{url}: HTTP {error.code} {error.reason}") from error
    except _PASSING as error:
        raise DataError(f"{url} could not be reached: {getattr(error, 'reason', error)}") from error
    except ValueError as error:
        raise DataError(f"{url} gave no JSON: {error}") from error


def _record(path: Path) -> Path:
    return path.with_name(path.name + ".fetched.json")


def _kind(file: RemoteFile) -> str:
    return (file.checksum or "sha256:").partition(":")[0]


def _is_right(path: Path, file: RemoteFile, final: Path | None = None) -> bool:
    """Compare size and checksum; without a published one, with that of the first download."""
    if file.size is not None and path.stat().st_size != file.size:
        return False
    if file.checksum:
        kind, _, digest = file.checksum.partition(":")
        return _digest(path, kind) == digest.lower()
    record = _record(final or path)
    if not record.is_file():
        return final is not None
    return _digest(path, "sha256") == json.loads(record.read_text()).get("sha256")


def _digest(path: Path, kind: str) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, lambda: hashlib.new(kind, usedforsecurity=False)).hexdigest()
