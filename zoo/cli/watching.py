"""`zoo watch`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from zoo.cli.output import note


def watch(
    run: Annotated[Path, typer.Argument(help="Run directory; it need not be there yet.")],
    port: Annotated[int, typer.Option(help="Of the page; 0 for any that is free.", min=0)] = 8686,
    open: Annotated[bool, typer.Option("--open", help="Open the page in a browser.")] = False,
) -> None:
    """Show a run as it trains, on a page for this machine alone; Ctrl-C ends it."""
    import webbrowser

    from zoo.watch.serve import watch as serve

    def ready(address: str) -> None:
        note(f"{run}: {address} (this machine alone; Ctrl-C ends it)")
        if open:
            webbrowser.open(address)

    try:
        serve(run, port, ready)
    except KeyboardInterrupt:
        note("stopped")
