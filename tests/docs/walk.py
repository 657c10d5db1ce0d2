"""Run the ```bash and ```python blocks of a Markdown file in order, in the working directory.

    python walk.py tutorial.md

Python blocks share one namespace, `__main__`, as the cells of a notebook do. A line `zoo …` runs
in this process, which saves the seconds that each start of torch costs; other lines go to bash.
"""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
import traceback
from pathlib import Path
from types import ModuleType
from typing import NamedTuple


class Block(NamedTuple):
    language: str
    line: int
    text: str


def blocks(page: Path, languages: tuple[str, ...] = ("bash", "python")) -> list[Block]:
    """Fenced blocks of some languages, with the line where each begins."""
    text = page.read_text(encoding="utf-8")
    return [
        Block(match[1], text.count("\n", 0, match.start(2)) + 1, match[2])
        for match in re.finditer(r"^```(\w+)[^\n]*\n(.*?)^```\s*$", text, re.M | re.S)
        if match[1] in languages
    ]


def lines(block: str) -> list[str]:
    """Commands of a bash block: continued lines joined, comments and blank lines left out."""
    joined = block.replace("\\\n", " ")
    return [
        line.strip() for line in joined.splitlines() if line.strip() and not line.lstrip().startswith("#")
    ]


def run(block: Block, page: Path) -> None:
    """Run one block. Raises whatever goes wrong in it."""
    if block.language == "python":
        code = compile("\n" * (block.line - 1) + block.text, str(page), "exec")
        exec(code, sys.modules["__main__"].__dict__)
        return
    from zoo.cli.app import main

    for line in lines(block.text):
        print(f"$ {line}", flush=True)
        if not line.startswith("zoo "):
            subprocess.run(["bash", "-euc", line], check=True)
            continue
        status = main(shlex.split(line, comments=True)[1:])
        if status != 0:
            raise RuntimeError(f"exit status {status}: {line}")


def walk(page: Path) -> int:
    """Run all blocks; return the exit status."""
    sys.modules["__main__"] = ModuleType("__main__")  # the page's own names, not those of this file
    for block in blocks(page):
        try:
            run(block, page)
        except BaseException:
            traceback.print_exc()
            print(f"{page.name}, line {block.line}: this block failed", file=sys.stderr)
            return 1
    return 0


if __name__ == "__main__":
    sys.exit(walk(Path(sys.argv[1]).resolve()))
