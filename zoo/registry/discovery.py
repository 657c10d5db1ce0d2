"""Which entries are installed: names from the metadata alone; nothing is imported."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator
from configparser import ConfigParser, Error
from contextlib import suppress
from dataclasses import dataclass, field
from importlib.metadata import Distribution, distributions
from pathlib import Path

from zoo.registry.spec import GROUPS, Spec

#: Name under which this package itself is installed; its entries are the built-ins.
DISTRIBUTION = "molzoo"

#: `none`, or the distributions (comma-separated) whose entries are let in beside the built-ins.
PLUGINS_VARIABLE = "ZOO_PLUGINS"


@dataclass(frozen=True, kw_only=True)
class Entry:
    """One installed entry, as its distribution's metadata names it."""

    group: str
    name: str
    distribution: str
    version: str = ""
    #: `"package.module:NAME"` of the spec.
    value: str = ""
    builtin: bool = False
    #: Already at hand for entries of `zoo.register`, which no metadata names.
    spec: Spec | None = field(default=None, compare=False)

    @property
    def qualified(self) -> str:
        """`distribution:name`, which reaches the entry whatever else is installed."""
        return f"{self.distribution}:{self.name}"

    @property
    def source(self) -> str:
        """Distribution and version, for messages."""
        return f"{self.distribution} {self.version}".strip()


@dataclass(frozen=True, kw_only=True)
class Found:
    """What discovery found: entries let in, entries left out, metadata that cannot be read."""

    entries: tuple[Entry, ...] = ()
    #: Left out by `ZOO_PLUGINS`.
    off: tuple[Entry, ...] = ()
    #: Distribution and reason.
    unreadable: tuple[tuple[str, str], ...] = ()


def normalise(distribution: str) -> str:
    """Return a distribution's name as PEP 503 compares it: `My_Plugin` is `my-plugin`."""
    return re.sub(r"[-_.]+", "-", distribution).lower()


def allowed_plugins() -> set[str] | None:
    """Return the distributions that `ZOO_PLUGINS` lets in, None for all of them."""
    text = os.environ.get(PLUGINS_VARIABLE, "").strip()
    if not text:
        return None
    if text.lower() == "none":
        return set()
    return {normalise(part.strip()) for part in text.split(",") if part.strip()}


def discover(installed: Iterable[Distribution] | None = None) -> Found:
    """Return the entries of all `installed` distributions (default: those of this interpreter).

    Of a distribution that is found twice (an editable install beside its source folder) the first
    on the path counts, as it does for Python itself. Unreadable metadata never raises.
    """
    allowed = allowed_plugins()
    entries: list[Entry] = []
    off: list[Entry] = []
    unreadable: list[tuple[str, str]] = []
    for name, version, text in _declarations(distributions() if installed is None else installed):
        try:
            declared = list(_parse(text))
        except Error as error:
            reason = str(error).replace("\n", " ")
            unreadable.append((name, f"its entry_points.txt cannot be read: {reason}"))
            continue
        builtin = normalise(name) == DISTRIBUTION
        letin = builtin or allowed is None or normalise(name) in allowed
        for group, key, value in declared:
            entry = Entry(
                group=group,
                name=key,
                distribution=name,
                version=version,
                value=value,
                builtin=builtin,
            )
            (entries if letin else off).append(entry)
    order = {group: i for i, group in enumerate(GROUPS)}
    for found in (entries, off):
        found.sort(key=lambda e: (order[e.group], not e.builtin, e.name, e.distribution))
    return Found(entries=tuple(entries), off=tuple(off), unreadable=tuple(unreadable))


def _declarations(installed: Iterable[Distribution]) -> Iterator[tuple[str, str, str]]:
    """Name, version and entry_points.txt of each distribution that declares an entry of ours.

    Only those few have their METADATA parsed: with hundreds installed, that is what takes time.
    """
    seen: set[str] = set()
    for distribution in installed:
        try:
            # Read off the folder's name where possible (Python 3.11 to 3.13), without METADATA.
            key = getattr(distribution, "_normalized_name", None) or distribution.name
            key = normalise(key)
            if key in seen:
                continue
            seen.add(key)
            text = distribution.read_text("entry_points.txt")
        except Exception:  # a folder that is no distribution (any more): not ours to judge
            continue
        if text and "zoo." in text and re.search(r"^\s*\[\s*zoo\.", text, re.M):
            yield *_identity(distribution), text


def _identity(distribution: Distribution) -> tuple[str, str]:
    """Name and version, from the folder's name where METADATA is missing or damaged."""
    folder = Path(str(getattr(distribution, "_path", "unknown"))).stem
    name, _, version = folder.partition("-")
    with suppress(Exception):
        name = distribution.metadata["Name"] or name
        version = distribution.metadata["Version"] or version
    return name, version


def _parse(text: str) -> Iterator[tuple[str, str, str]]:
    """Group, name and value of each entry of ours in an entry_points.txt."""
    parser = ConfigParser(delimiters=("=",), interpolation=None)
    parser.optionxform = str  # type: ignore[assignment,method-assign]  # names keep their case
    parser.read_string(text)
    for group in GROUPS:
        section = f"zoo.{group}"
        if parser.has_section(section):
            for key, value in parser.items(section):
                yield group, key.strip(), value.strip()
