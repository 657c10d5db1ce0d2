"""The errors a user can meet.

Each message is one or two lines that say what to do instead. The command line prints it and
exits with `exit_code`; `--debug` shows the traceback as well.
"""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches


class ZooError(Exception):
    """Base of all errors with a message meant for the user. Exit status 2: the request was wrong."""

    exit_code = 2


class UnknownName(ZooError):
    """A name that nothing answers to: entry, key, split, file format."""

    def __init__(self, kind: str, name: str, known: Iterable[str], hint: str = "") -> None:
        super().__init__(f"no {kind} named {name!r}.{hint or did_you_mean(name, known)}")


class EntryError(ZooError):
    """An entry that exists but cannot be used: broken, clashing, incompatible, or lacking an extra."""


class ConfigError(ZooError):
    """A setting that does not fit: unknown key, wrong type, out of range."""


class DataError(ZooError):
    """Data that cannot be read or would be wrong if it were: format, shape, units, checksum, NaN."""


class RunError(ZooError):
    """A run directory that cannot be read or continued."""


class RunFailed(ZooError):
    """A valid request that failed while it ran, such as a loss that became NaN. Exit status 1."""

    exit_code = 1


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """Return `" Did you mean 'x'?"`, or the list of known names when none is close."""
    known = sorted(known)
    close = get_close_matches(name, known, n=2, cutoff=0.6)
    if close:
        return " Did you mean " + " or ".join(repr(c) for c in close) + "?"
    if not known:
        return " There are none."
    shown = ", ".join(known[:20]) + (", …" if len(known) > 20 else "")
    return f" Known: {shown}."
