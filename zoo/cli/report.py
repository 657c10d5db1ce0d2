"""`zoo report`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from zoo.cli.output import note


def report(
    runs: Annotated[list[Path], typer.Argument(help="Run directories, or folders of them.")],
    out: Annotated[Path, typer.Option(help="HTML file to write.")] = Path("report.html"),
    title: Annotated[str, typer.Option(help="Heading of the page.")] = "Report",
    pictures: Annotated[
        Path | None, typer.Option(help="Folder for all pictures as SVG and PDF, with their data as CSV.")
    ] = None,
) -> None:
    """Draw figures and tables of runs into one HTML file that opens offline."""
    from zoo.report import write_report

    write_report(runs, out, title=title, pictures=pictures)
    note(f"report: {out}")
    if pictures is not None:
        note(f"pictures: {pictures}")
