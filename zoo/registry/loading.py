"""Import what one entry names, behind a guard: no plugin takes the tool down, or writes to stdout.

Every failure is a `Fault`: an `EntryError` that names the distribution and how to repair it, and
carries the status that `zoo doctor` shows.
"""

from __future__ import annotations

import re
import sys
import traceback
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stdout
from importlib import import_module
from importlib.util import find_spec
from typing import Any

from zoo.errors import EntryError, did_you_mean
from zoo.registry.discovery import DISTRIBUTION, Entry
from zoo.registry.spec import API_VERSION, GROUPS, Spec

#: `package.module:Name`; metadata may append extras in brackets, which mean nothing here.
_REFERENCE = re.compile(r"\s*(?P<module>[\w.]+)\s*:\s*(?P<name>[\w.]+)\s*(\[.*\])?\s*$")


class Fault(EntryError):
    """Why an entry cannot be used: `status` in two words, `reason` and `repair` in a line each."""

    def __init__(self, status: str, entry: Entry, reason: str, repair: str = "") -> None:
        self.status, self.reason, self.repair = status, reason, repair or repair_of(entry)
        kind = entry.group.removesuffix("s")
        super().__init__(
            f"{kind} {entry.name!r} of {entry.source} cannot be used: {reason}\nTo repair it: {self.repair}"
        )


def repair_of(entry: Entry) -> str:
    """Return the usual way to repair `entry`, or to be rid of it."""
    name = entry.distribution
    if entry.spec is not None:
        return "zoo.register(spec, replace=True) with a spec that holds."
    if entry.builtin:
        return f"pip install --force-reinstall {name}. `zoo doctor` checks all."
    return (
        f"pip install -U {name}, or leave it: pip uninstall {name}. "
        "`zoo doctor --traceback` shows where it fails."
    )


@contextmanager
def guarded(entry: Entry, spec: Spec | None = None) -> Iterator[None]:
    """Turn whatever the body raises into a `Fault`; what it prints goes to standard error.

    Only Ctrl-C passes: `sys.exit` in a plugin is the plugin's failure, not a wish of the user.
    """
    try:
        with redirect_stdout(sys.stderr):
            yield
    except (KeyboardInterrupt, Fault):
        raise
    except ModuleNotFoundError as error:
        missing = error.name or str(error)
        raise _lacking(entry, spec, [missing]) from error
    except SystemExit as error:
        reason = f"its import calls sys.exit({error.code!r})"
        raise Fault("broken", entry, reason) from error
    except BaseException as error:
        reason = "".join(traceback.format_exception_only(error)).strip().splitlines()[-1]
        raise Fault("broken", entry, f"{reason}{_place(error)}") from error


def load_spec(entry: Entry) -> Spec:
    """Import and return the spec of `entry`, checked.

    Raises:
        Fault: It cannot be imported, is no spec of its group, speaks a newer interface, or
            calls itself something else than its entry point does.
    """
    spec = entry.spec if entry.spec is not None else load_object(entry, entry.value, "spec")
    check_spec(entry, spec)
    return spec


def check_spec(entry: Entry, spec: Any) -> None:
    """Raise a `Fault` unless `spec` is one that `entry` may hold."""
    wanted = GROUPS[entry.group]
    if not isinstance(spec, Spec):
        what = f"the class {spec.__name__}" if isinstance(spec, type) else _article(spec)
        raise Fault("wrong type", entry, f"{entry.value} is {what}, not a {wanted.__name__}")
    # Before the class: a newer interface may well have moved the fields that are checked below.
    if not isinstance(spec.api_version, int) or spec.api_version > API_VERSION:
        raise Fault(
            "incompatible API",
            entry,
            f"it speaks version {spec.api_version} of zoo's interface, this zoo speaks {API_VERSION}",
            f"pip install -U {DISTRIBUTION}, or an older {entry.distribution}, or "
            f"pip uninstall {entry.distribution}.",
        )
    if not isinstance(spec, wanted):
        raise Fault("wrong type", entry, f"it holds {_article(spec)}, not a {wanted.__name__}")
    if spec.name != entry.name:
        reason = f"its spec calls itself {spec.name!r}, its entry point {entry.name!r}"
        raise Fault("broken", entry, reason)
    if re.search(r"[:/\s]", spec.name) or not spec.name:
        raise Fault("broken", entry, "a name has no ':', '/' or space in it")
    for key in ("tasks", "extras", "requires", "symmetries", "baselines"):
        value = getattr(spec, key, ())
        if isinstance(value, str) or not all(isinstance(v, str) for v in value):
            raise Fault("wrong type", entry, f"{key} = {value!r} is not a tuple of strings")


def load_target(entry: Entry, spec: Spec) -> Any:
    """Import and return what `spec.target` names, a class or a function."""
    target = load_object(entry, spec.target, "target", spec)
    if not callable(target):
        raise Fault("wrong type", entry, f"its target {spec.target} is {_article(target)}")
    return target


def load_config(entry: Entry, spec: Spec) -> Any:
    """Import and return what `spec.config` names, or None."""
    return None if spec.config is None else load_object(entry, spec.config, "config", spec)


def load_object(entry: Entry, reference: Any, what: str, spec: Spec | None = None) -> Any:
    """Import `"package.module:Name"`; `what` is its part in the entry, for the message."""
    match = _REFERENCE.match(reference) if isinstance(reference, str) else None
    if match is None:
        raise Fault("broken", entry, f"its {what} {reference!r} is not written 'module:Name'")
    module_name, path = match["module"], match["name"]
    status = "target missing" if what == "target" else "broken"
    with guarded(entry, spec):
        try:
            found: Any = import_module(module_name)
        except ModuleNotFoundError as error:
            # The module itself or a package above it, rather than something that it imports.
            if error.name and f"{module_name}.".startswith(f"{error.name}."):
                reason = f"its {what} {reference} does not exist (no module {error.name!r})"
                raise Fault(status, entry, reason) from error
            raise
        for part in path.split("."):
            if not hasattr(found, part):
                hint = did_you_mean(part, (n for n in vars(found) if not n.startswith("_")))
                hint = hint if "mean" in hint else ""
                raise Fault(status, entry, f"its {what} {reference} does not exist.{hint}")
            found = getattr(found, part)
    return found


def missing_modules(spec: Spec) -> list[str]:
    """Return those of `spec.requires` that are not installed; nothing is imported."""
    return [name for name in spec.requires if not _importable(name.partition(".")[0])]


def require(entry: Entry, spec: Spec) -> None:
    """Raise a `Fault` that names the extra to install, if a required module is missing."""
    missing = missing_modules(spec)
    if missing:
        raise _lacking(entry, spec, missing)


def _importable(top_level: str) -> bool:
    try:
        return top_level in sys.modules or find_spec(top_level) is not None
    except (ImportError, ValueError):
        return False


def _lacking(entry: Entry, spec: Spec | None, missing: list[str]) -> Fault:
    names = ", ".join(repr(name) for name in missing)
    reason = f"{names} is not installed" if len(missing) == 1 else f"{names} are not installed"
    if spec is not None and spec.extras and entry.spec is None:
        wanted = f"{entry.distribution}[{','.join(spec.extras)}]"
        return Fault("missing extra", entry, reason, f"pip install '{wanted}'.")
    wanted = " ".join(name.partition(".")[0] for name in missing)
    repair = f"pip install {wanted} (the package may have another name)"
    if not entry.builtin and entry.spec is None:
        repair += f", or pip uninstall {entry.distribution}"
    repair += "."
    return Fault("missing dependency", entry, reason, repair)


def _place(error: BaseException) -> str:
    """Where it was raised, in brackets; nothing if Python's own import machinery raised it."""
    if isinstance(error, SyntaxError) and error.filename:
        return f" ({error.filename}:{error.lineno})"
    frames = traceback.extract_tb(error.__traceback__)
    theirs = [f for f in frames if "importlib" not in f.filename and f.filename != __file__]
    return f" ({theirs[-1].filename}:{theirs[-1].lineno})" if theirs else ""


def _article(thing: Any) -> str:
    name = type(thing).__name__
    return f"an {name}" if name[0] in "aeiouAEIOU" else f"a {name}"
