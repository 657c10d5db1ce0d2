"""Progress bars of long work: rate and remaining time on standard error, one plain line if no terminal."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

_silent = ContextVar("silent", default=False)


class Bar:
    """What the work calls: `advance` after each piece, `note` for a word of context."""

    def __init__(self, description: str, total: float, unit: str) -> None:
        self.description, self.total, self.unit = description, total, unit
        self.done = 0.0
        self.resumed = 0.0
        self.text = ""
        self._start = time.monotonic()

    def resume(self, done: float) -> None:
        """Count work that an earlier process did; it does not enter the rate."""
        self.resumed = self.done = done

    def advance(self, amount: float = 1.0, note: str | None = None) -> None:
        """Count a finished piece of work."""
        self.done += amount
        if note is not None:
            self.text = note
        self._show()

    @property
    def rate(self) -> float:
        """Units of work per second, of this process alone."""
        return (self.done - self.resumed) / max(time.monotonic() - self._start, 1e-9)

    def line(self) -> str:
        """One line: description, share done, rate and remaining time."""
        left = (self.total - self.done) / self.rate if self.rate > 0 else float("inf")
        remaining = f"{left / 60:.0f} min left" if left < float("inf") else "…"
        parts = [
            f"{self.description}: {self.done:.4g}/{self.total:.4g} {self.unit}",
            f"{self.rate:.3g} {self.unit}/s",
            remaining if left > 90 or left == float("inf") else f"{max(left, 0):.0f} s left",
            self.text,
        ]
        return " · ".join(p for p in parts if p)

    def _show(self) -> None:  # replaced by the display in use
        pass


@contextmanager
def progress(description: str, total: float, unit: str = "it") -> Iterator[Bar]:
    """Show `description` with its rate and remaining time while the body runs."""
    bar = Bar(description, total, unit)
    if _silent.get():
        yield bar
        return
    if not sys.stderr.isatty():
        every, last = 15.0, [time.monotonic()]

        def show_plain() -> None:
            if time.monotonic() - last[0] >= every:
                last[0] = time.monotonic()
                print(bar.line(), file=sys.stderr, flush=True)

        bar._show = show_plain  # type: ignore[method-assign]
        yield bar
        print(bar.line(), file=sys.stderr, flush=True)
        return

    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn

    display = Progress(BarColumn(30), TextColumn("{task.fields[line]}"), console=Console(stderr=True))
    with display:
        task = display.add_task(description, total=total, line=bar.line())

        def show() -> None:
            display.update(task, completed=bar.done, line=bar.line())

        bar._show = show  # type: ignore[method-assign]
        yield bar


@contextmanager
def silent() -> Iterator[None]:
    """Show no progress of the body: a terminal has room for one bar, and the work around has one."""
    token = _silent.set(True)
    try:
        yield
    finally:
        _silent.reset(token)
