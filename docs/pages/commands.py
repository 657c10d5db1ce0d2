"""The verbs of the command line, with their arguments and options."""

from __future__ import annotations

import inspect
from typing import Any

import typer

from pages.markup import NOTICE, code, table
from zoo.cli.app import VERBS, app


def page() -> str:
    """Return the page."""
    parts = [
        NOTICE,
        "# Commands",
        "Generated from the command line itself; `zoo VERB --help` prints the same.",
        "`--debug` shows tracebacks and goes anywhere.\n",
    ]
    for name, command in verbs().items():
        words = [code(f"zoo {name}")] + [_argument(p) for p in command.params if _is_argument(p)]
        parts += [f"## zoo {name}\n", f"{(command.help or '').strip()}\n", f"{' '.join(words)}\n"]
        rows = [(_names(p), _default(p), p.help or "") for p in command.params if not _is_argument(p)]
        if rows:
            parts.append(table(("option", "default", "meaning"), rows))
    return "\n".join(parts)


def verbs() -> dict[str, Any]:
    """Return the command of each verb and sub-verb, `"train"` or `"data make"`."""
    root: Any = typer.main.get_command(app)
    out: dict[str, Any] = {}
    for name in VERBS:
        command = root.get_command(None, name)
        below = getattr(command, "commands", None)
        if below:
            out |= {f"{name} {sub}": found for sub, found in below.items()}
        else:
            out[name] = command
    return out


def _is_argument(parameter: Any) -> bool:
    return parameter.param_type_name == "argument"


def _argument(parameter: Any) -> str:
    name = parameter.name.upper() + (" …" if parameter.nargs == -1 else "")
    text = f"*{name}*" if parameter.required else f"[*{name}*]"
    return f"{text} ({inspect.cleandoc(parameter.help).rstrip('.')})" if parameter.help else text


def _names(parameter: Any) -> str:
    takes = "" if parameter.is_flag else f" {parameter.metavar or 'VALUE'}"
    return ", ".join(code(name + takes) for name in sorted(parameter.opts, key=len, reverse=True))


def _default(parameter: Any) -> str:
    return "" if parameter.default in (None, False) else code(parameter.default)
