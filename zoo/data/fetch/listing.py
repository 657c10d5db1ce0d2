"""From a source to its files: a list of addresses, a Zenodo record, a Google Storage bucket."""

from __future__ import annotations

import base64
import binascii
import re
from typing import Any
from urllib.parse import quote, urlsplit

from zoo.data.fetch.transfer import RemoteFile, fetch_json
from zoo.errors import DataError
from zoo.registry.spec import Source

#: Where the lists are; a test puts a server of its own here.
ZENODO = "https://zenodo.org/api/records"
GOOGLE = "https://storage.googleapis.com/storage/v1/b"


def list_source(source: Source) -> list[RemoteFile]:
    """Return the files of a source, with sizes and checksums where they are published.

    Raises:
        DataError: no connection, or nothing there matches the source's pattern.
    """
    lister = {"files": _files, "zenodo": _zenodo, "google": _google}[source.kind]
    files = [f for f in lister(source) if re.search(source.pattern, f.name)]
    if not files:
        raise DataError(f"{source.location} holds no file that matches {source.pattern!r}")
    return files


def _files(source: Source) -> list[RemoteFile]:
    out = []
    for line in source.location.split():
        url, _, checksum = line.partition("#")
        name = urlsplit(url).path.rsplit("/", 1)[-1]
        out.append(RemoteFile(url, name, checksum or None))
    return out


def _zenodo(source: Source) -> list[RemoteFile]:
    record = fetch_json(f"{ZENODO}/{source.location}")
    try:
        return [
            RemoteFile(entry["links"]["self"], _safe(entry["key"]), entry.get("checksum"), entry.get("size"))
            for entry in record["files"]
        ]
    except (KeyError, TypeError) as error:
        raise DataError(f"the Zenodo record {source.location} lists no files: {error!r}") from error


def _google(source: Source) -> list[RemoteFile]:
    bucket, _, prefix = source.location.partition("/")
    out: list[RemoteFile] = []
    page = ""
    while True:
        answer = fetch_json(f"{GOOGLE}/{bucket}/o?prefix={quote(prefix, safe='')}{page}")
        try:
            out += [_google_file(entry) for entry in answer.get("items", [])]
            token = answer.get("nextPageToken")
        except (KeyError, TypeError, AttributeError, binascii.Error) as error:
            raise DataError(f"the bucket {bucket} gave no list of files: {error!r}") from error
        if not token:
            return out
        page = f"&pageToken={quote(token, safe='')}"


def _google_file(entry: dict[str, Any]) -> RemoteFile:
    md5 = entry.get("md5Hash")
    checksum = f"md5:{base64.b64decode(md5).hex()}" if md5 else None
    return RemoteFile(entry["mediaLink"], _safe(entry["name"]), checksum, int(entry["size"]))


def _safe(name: str) -> str:
    """Refuse a name that would lead out of the folder it is kept in."""
    parts = name.split("/")
    if name.startswith("/") or "\\" in name or any(part in ("", ".", "..") for part in parts):
        raise DataError(f"a file with the name {name!r} is not fetched: it would leave its folder")
    return name
