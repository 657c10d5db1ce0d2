"""The file formats of `zoo data import` and the options of each, drawn from the readers."""

from __future__ import annotations

import inspect

from pages.markup import NOTICE, options_table
from zoo.data.formats import FORMATS, reader


def page() -> str:
    """Return the page."""
    parts = [
        NOTICE,
        "# File formats",
        "What `zoo data import` reads. A format is found by content; `--format NAME` says it. Options are",
        "given by `--set KEY=VALUE`; how they are used is told under [Datasets](../datasets.md).\n",
    ]
    for name in FORMATS:
        module = reader(name)
        text = (inspect.getdoc(module) or "").strip()
        parts += [f"## {name}\n", f"{text}\n", options_table(module.Options)]
    return "\n".join(parts)
