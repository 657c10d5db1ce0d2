"""Write the pages that are drawn from code: one for each built-in entry, its data, keys, settings, commands.

python docs/generate.py           write them
python docs/generate.py --check   exit status 1, and their names, if one is not current
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

os.environ["ZOO_PLUGINS"] = "none"  # what happens to be installed beside the built-ins changes no page

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))

from pages import commands, data, entries, formats, keys, measured, settings  # noqa: E402

#: Folders that hold generated pages and nothing else, and single pages elsewhere.
GENERATED = ("entries", "reference")
PAGES = ("boltzmann.md", "coarse-graining.md", "data.md", "glass.md")


def build() -> dict[str, str]:
    """Return the text of each generated page by its path under `docs/`."""
    return {
        **entries.pages(),
        "boltzmann.md": measured.page("boltzmann"),
        "coarse-graining.md": measured.page("coarse-graining"),
        "data.md": data.page(),
        "glass.md": measured.page("glass"),
        "reference/keys.md": keys.page(),
        "reference/settings.md": settings.page(),
        "reference/commands.md": commands.page(),
        "reference/formats.md": formats.page(),
    }


def stale(pages: dict[str, str]) -> list[str]:
    """Return the pages that are missing, differ, or are left over from an entry that is gone."""
    there = {
        path.relative_to(HERE).as_posix(): path.read_text(encoding="utf-8")
        for folder in GENERATED
        for path in (HERE / folder).rglob("*.md")
    }
    there |= {name: (HERE / name).read_text(encoding="utf-8") for name in PAGES if (HERE / name).is_file()}
    return sorted(name for name in pages.keys() | there.keys() if pages.get(name) != there.get(name))


def main(arguments: list[str]) -> int:
    """Write or check; return the exit status."""
    pages = build()
    old = stale(pages)
    if "--check" in arguments:
        for name in old:
            print(f"docs/{name} is not current: run `make docs` and commit it", file=sys.stderr)
        return 1 if old else 0
    for name in old:
        path = HERE / name
        if name in pages:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(pages[name], encoding="utf-8")
            print(f"wrote docs/{name}")
        else:
            path.unlink()
            print(f"removed docs/{name}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
