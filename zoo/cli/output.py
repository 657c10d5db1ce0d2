"""What verbs print with: JSON alone on standard output, tables, remarks on standard error."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, redirect_stdout
from typing import Annotated, Any, TextIO

import typer

from zoo.files import finite

#: Where `emit` writes while `--json` has claimed standard output.
_claimed: list[TextIO] = []


@contextmanager
def _standard_output_claimed() -> Iterator[None]:
    """Send to standard error all that is written to standard output, save what `emit` writes.

    Also what C libraries and child processes write: for that the file descriptor itself is moved.
    """
    real = sys.stdout is sys.__stdout__
    if not real:  # captured by a test, or replaced by an embedding program: no descriptor to move
        _claimed.append(sys.stdout)
        try:
            with redirect_stdout(sys.stderr):
                yield
        finally:
            _claimed.pop()
        return
    sys.stdout.flush()
    kept = os.dup(1)
    os.dup2(2, 1)
    with os.fdopen(os.dup(kept), "w", encoding="utf-8") as stream:
        _claimed.append(stream)
        try:
            with redirect_stdout(sys.stderr):
                yield
        finally:
            _claimed.pop()
            os.dup2(kept, 1)
            os.close(kept)


def _claim(context: typer.Context, value: bool) -> bool:
    if value and not context.resilient_parsing:
        context.with_resource(_standard_output_claimed())
    return value


#: The option `--json`, for every verb that has it: `def verb(..., json: Json = False)`.
Json = Annotated[
    bool,
    typer.Option("--json", help="Print JSON alone on standard output.", callback=_claim, is_eager=True),
]


def emit(value: Any) -> None:
    """Print `value` as JSON on the real standard output; numpy and paths are converted, NaN is null."""
    stream = _claimed[-1] if _claimed else sys.stdout
    stream.write(json.dumps(finite(value), indent=2, ensure_ascii=False, default=_plain) + "\n")
    stream.flush()


def _plain(value: Any) -> Any:
    """What JSON does not know: arrays and scalars by their own method, the rest as text."""
    for method in ("tolist", "model_dump"):
        if hasattr(value, method):
            return getattr(value, method)()
    return sorted(value) if isinstance(value, set | frozenset) else str(value)


def table(header: Sequence[str], rows: Sequence[Sequence[Any]], title: str | None = None) -> None:
    """Print an aligned table; wrapped to a terminal's width, never wrapped in a pipe or a file."""
    from rich import box
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    drawn = Table(box=box.SIMPLE_HEAD, title=title, title_justify="left", pad_edge=False, show_edge=False)
    for i, name in enumerate(header):
        drawn.add_column(name, no_wrap=i == 0)
    for row in rows:
        drawn.add_row(*(Text(str(cell)) for cell in row))
    console = Console(file=sys.stdout, highlight=False)
    if not console.is_terminal:
        console = Console(file=sys.stdout, highlight=False, width=10_000)
    console.print(drawn)


def note(text: str) -> None:
    """Print a remark on standard error, where it does not mix with results."""
    print(text, file=sys.stderr, flush=True)
