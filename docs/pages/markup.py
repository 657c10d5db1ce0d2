"""Markdown of tables, options and docstrings."""

from __future__ import annotations

import inspect
import re
from collections.abc import Sequence
from typing import Any, get_args, get_origin

NOTICE = "<!-- Written by docs/generate.py; `make docs` writes it anew. -->\n"
_BOUNDS = {"gt": ">", "ge": "≥", "lt": "<", "le": "≤"}


def table(header: Sequence[str], rows: Sequence[Sequence[Any]]) -> str:
    """Return a Markdown table; columns without content are left out."""
    keep = [i for i in range(len(header)) if any(str(row[i]) for row in rows)]
    lines = [_row([header[i] for i in keep]), _row(["---"] * len(keep))]
    lines += [_row([row[i] for i in keep]) for row in rows]
    return "\n".join(lines) + "\n"


def _row(cells: Sequence[Any]) -> str:
    return "| " + " | ".join(" ".join(str(cell).split()).replace("|", "\\|") for cell in cells) + " |"


def code(value: Any) -> str:
    """Return a value as inline code, nothing for nothing."""
    return f"`{value}`" if str(value) else ""


def options_table(config: Any, prefix: str = "") -> str:
    """Return the table of a pydantic model's fields: name, type, default, meaning and bounds."""
    told: dict[str, str] = {}
    for kind in reversed(config.__mro__):  # what a base says holds unless the class says it anew
        told |= arguments(inspect.cleandoc(kind.__doc__ or ""))
    rows = []
    for name, field in config.model_fields.items():
        meaning = (field.description or told.get(name, "")).rstrip(".")
        rows.append(
            (code(prefix + name), type_name(field.annotation), _default(field), meaning, _bounds(field))
        )
    return table(("option", "type", "default", "meaning", "range"), rows)


def _default(field: Any) -> str:
    if field.is_required():
        return "required"
    return code(field.get_default(call_default_factory=True))


def _bounds(field: Any) -> str:
    found = [(sign, getattr(m, key, None)) for m in field.metadata for key, sign in _BOUNDS.items()]
    return ", ".join(f"{sign} {bound:g}" for sign, bound in found if bound is not None)


def type_name(annotation: Any) -> str:
    """Return a type as one says it: `int`, "number or None", "one of `adam`, `adamw`"."""
    if annotation is type(None):
        return "None"
    arguments = get_args(annotation)
    if not arguments:
        return getattr(annotation, "__name__", str(annotation))
    origin = get_origin(annotation)
    if str(origin) == "typing.Literal":
        return ", ".join(code(a) for a in arguments)
    if origin in (list, tuple, dict):
        return f"{origin.__name__} of {', '.join(type_name(a) for a in arguments)}"
    return " or ".join(type_name(a) for a in arguments)


def prose(thing: Any) -> str:
    """Return a docstring without its sections of arguments, results and errors."""
    text = inspect.getdoc(thing) or ""
    return re.split(r"^(?:Args|Returns|Raises):\s*$", text, maxsplit=1, flags=re.M)[0].strip()


def arguments(text: str) -> dict[str, str]:
    """Return what the `Args:` section of a docstring says of each name, on one line."""
    section = re.split(r"^Args:\s*$", text, maxsplit=1, flags=re.M)[1:]
    if not section:
        return {}
    out: dict[str, str] = {}
    name = ""
    for line in section[0].splitlines():
        start = re.match(r"    (\w+(?:, \w+)*): (.*)", line)
        if start:
            name = start[1]
            out[name] = start[2]
        elif line.startswith("        ") and name:
            out[name] += " " + line.strip()
        elif line.strip():
            break
    return {key.strip(): text for names, text in out.items() for key in names.split(",")}
