"""Pages of text by hand with tables from kept records of `zoo bench` and `zoo train`.

In `docs/pages/NAME.text` a line `{{ kind:file }}` stands for a table of docs/results/FILE.json.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

from pages.markup import NOTICE, table

HERE = Path(__file__).resolve().parents[1]
RESULTS = HERE / "results"


def page(name: str) -> str:
    """Return the page of docs/pages/NAME.text."""
    text = (HERE / "pages" / f"{name}.text").read_text(encoding="utf-8")
    return (
        NOTICE
        + "\n"
        + re.sub(r"^\{\{ (\S+) \}\}$", lambda found: _drawn(found[1]).rstrip(), text, flags=re.M)
    )


def _drawn(name: str) -> str:
    kind, _, file = name.partition(":")
    path = RESULTS / f"{file}.json"
    if not path.is_file():
        return f"*(no results kept under docs/results/{path.name})*"
    record = json.loads(path.read_text(encoding="utf-8"))
    kind, _, part = kind.partition("#")
    return {"bench": _bench, "basins": _basins, "runs": _runs, "part": _part}[kind](record, part)


def _bench(record: dict[str, Any], _: str) -> str:
    """Tables as the benchmark printed them."""
    parts = [table(t["header"], t["rows"]) + f"\n{t['note']}." for t in record["tables"]]
    return "\n\n".join(parts) + _made(record)


def _part(record: dict[str, Any], number: str) -> str:
    """One of a benchmark's tables, counted from 1."""
    found = record["tables"][int(number) - 1]
    return table(found["header"], found["rows"]) + f"\n{found['note']}." + _made(record)


def _runs(record: dict[str, Any], _: str) -> str:
    """One line for each kept run."""
    header = (
        "system",
        "model",
        "seconds",
        "evaluations",
        "ESS %",
        "ESS of the control %",
        "log Z",
        "verdict",
    )
    return table(header, [[run[name] for name in header] for run in record["runs"]]) + _made(record)


def _basins(record: dict[str, Any], _: str) -> str:
    """Shares of each basin by several methods, in percent."""
    return table(record["header"], record["rows"]) + _made(record)


def _made(record: dict[str, Any]) -> str:
    commands = record["command"] if isinstance(record["command"], list) else [record["command"]]
    return "\n" + "; ".join(f"`{command}`" for command in commands) + f"; on {record['machine']}.\n"
