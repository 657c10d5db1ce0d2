"""Hooks of mkdocs: the generated pages of entries join the navigation, so that no list is kept by hand."""

from __future__ import annotations

from pathlib import Path
from typing import Any

GROUPS = ("models", "datasets", "tasks", "benchmarks")


def on_config(config: Any) -> Any:
    """Put one section for each group of entries behind the index of all entries."""
    docs = Path(config["docs_dir"])
    (section,) = (item["Entries"] for item in config["nav"] if isinstance(item, dict) and "Entries" in item)
    for group in GROUPS:
        pages = sorted(path.relative_to(docs).as_posix() for path in (docs / "entries" / group).glob("*.md"))
        if pages:
            section.append({group.capitalize(): [{Path(page).stem: page} for page in pages]})
    return config
