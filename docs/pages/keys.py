"""The table of keys, read from the comments of `zoo/keys.py`."""

from __future__ import annotations

import inspect
import re

from pages.markup import NOTICE, code, table
from zoo import keys

_LINE = re.compile(r'^([A-Z_]+) = "(\w+)"\s+# (\[.*?\])\s*([^;]*)(?:;\s*(.*))?$')
_SECTION = re.compile(r"^# --- (.*?) -*$")


def page() -> str:
    """Return the page; raises `ValueError` on a constant whose comment it cannot read."""
    parts = [NOTICE, "# Keys", "Generated from `zoo/keys.py`; in code write `keys.POS`, not a string.", ""]
    parts.append(" ".join((keys.__doc__ or "").split("\n\n", 1)[1].split()) + "\n")
    rows: list[tuple[str, ...]] = []
    for line in inspect.getsource(keys).splitlines():
        section, key = _SECTION.match(line), _LINE.match(line)
        if section:
            parts += _flush(rows)
            title = section[1]
            parts.append(f"## {title[0].upper()}{title[1:]}\n")
        elif key:
            name, text, shape, dtype, meaning = (part or "" for part in key.groups())
            if not re.search(r"float|int", dtype):  # a comment that tells the unit, not the dtype
                dtype, meaning = "", dtype
            rows.append((code(text), code(f"keys.{name}"), code(shape), dtype, meaning))
        elif re.match(r"^[A-Z_]+ = ", line):
            raise ValueError(f"zoo/keys.py: cannot read the comment of {line!r}")
    parts += _flush(rows)
    parts.append(
        "`forces` `[frames, particles, 3]` and `targets` `[frames, particles, targets]` have one name "
        "in a graph and in a dataset.\n"
    )
    return "\n".join(parts)


def _flush(rows: list[tuple[str, ...]]) -> list[str]:
    out = [table(("key", "constant", "shape", "dtype", "meaning"), rows)] if rows else []
    rows.clear()
    return out
