"""`fetch`: public files into the cache, and from there into a dataset folder."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from zoo.data.catalog import cache_folder
from zoo.data.fetch import download, list_source, unpack
from zoo.data.fetch.archive import SUFFIXES, is_archive
from zoo.data.formats.files import natural
from zoo.errors import ConfigError, DataError, UnknownName
from zoo.registry import REGISTRY
from zoo.registry.spec import Source
from zoo.verbs.data import default_out
from zoo.verbs.importing import import_dataset


def find_source(name: str, source: str | None = None) -> Source:
    """Return one of an entry's public sources.

    Raises:
        UnknownName: no such entry, or no such source of it.
        DataError: the entry has no public files.
        ConfigError: it has several, and none was chosen.
    """
    known = {s.name: s for s in REGISTRY.get("datasets", name).sources}
    if not known:
        raise DataError(f"no public files of {name} are known; simulate it: `zoo data make {name}`")
    if source is None:
        if len(known) > 1:
            listed = "; ".join(f"{s.name}: {s.summary}" for s in known.values())
            raise ConfigError(f"{name} has several public sources, choose one with --source ({listed})")
        return next(iter(known.values()))
    if source not in known:
        raise UnknownName(f"source of {name}", source, known)
    return known[source]


def fetch_files(
    name: str, source: str | None = None, *, match: str = "", files: int | None = None
) -> list[Path]:
    """Fetch public files of an entry into the cache and unpack archives there.

    Args:
        name: of the entry.
        source: one of its sources; may be left out where it has one.
        match: regular expression that the names of the files to fetch match.
        files: only the first so many.

    Returns:
        The files, or what is wanted of the archives, under `$XDG_CACHE_HOME/zoo/downloads`.

    Raises:
        ConfigError: `match` is no regular expression.
        DataError: see `zoo.data.fetch.download`, `zoo.data.fetch.unpack`; what was fetched stays.
    """
    chosen = find_source(name, source)
    try:
        wanted = re.compile(match)
    except re.error as error:
        raise ConfigError(f"--match takes a regular expression; {match!r}: {error}") from error
    # Sources of one place share their files.
    folder = cache_folder() / "downloads" / re.sub(r"[^\w.-]+", "-", f"{chosen.kind}-{chosen.location}")[:100]
    listed = [file for file in list_source(chosen) if wanted.search(file.name)][:files]
    if not listed:
        raise DataError(f"no file of {chosen.name} matches {match!r}")
    out: list[Path] = []
    for file in listed:
        path = download(file, folder)
        out += _unpacked(path, chosen.inside) if is_archive(path) else [path]
    if not out:
        raise DataError(f"the archives of {chosen.name} hold nothing that matches {chosen.inside!r}")
    return out


def _unpacked(path: Path, inside: str) -> list[Path]:
    """Unpack an archive and those in it; return what is wanted of it."""
    stem = next(path.name[: -len(s)] for s in SUFFIXES if path.name.lower().endswith(s))
    folder = unpack(path, path.with_name(stem))
    found: list[Path] = []
    for file in sorted((p for p in folder.rglob("*") if p.is_file()), key=natural):
        if is_archive(file):
            found += _unpacked(file, inside)
        elif re.search(inside, file.relative_to(folder.parent).as_posix()):
            found.append(file)
    return found


def fetch_dataset(
    name: str,
    source: str | None = None,
    out: Path | None = None,
    *,
    match: str = "",
    files: int | None = None,
    options: Mapping[str, Any] | None = None,
) -> Path:
    """Fetch public files and import them.

    Args:
        name, source, match, files: see `fetch_files`.
        out: folder to make; `data/NAME-SOURCE` by default.
        options: of the import, over those that the source needs.

    Raises:
        DataError: as `fetch_files` and `import_dataset`; `out` exists.
    """
    chosen = find_source(name, source)
    target = Path(out) if out else default_out(f"{name}-{chosen.name}")
    if target.exists():  # before a long download, not after it
        raise DataError(f"{target} exists already; choose another --out or remove it first")
    paths = fetch_files(name, chosen.name, match=match, files=files)
    return import_dataset(
        chosen.label or name,
        paths,
        target,
        format=chosen.format,
        options={**chosen.settings, **(options or {})},
    )
