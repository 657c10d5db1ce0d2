"""`zoo bench`."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from zoo.cli.options import Out
from zoo.cli.output import Json, emit, note, table
from zoo.errors import ConfigError


def bench(
    suite: Annotated[str, typer.Argument(help="Benchmark, e.g. quickstart.")],
    models: Annotated[str | None, typer.Option(help="Only these, by commas; baselines stay.")] = None,
    seeds: Annotated[int | None, typer.Option(help="Seeds of each trained model.", min=1)] = None,
    epochs: Annotated[int | None, typer.Option(help="Epochs of each trained model.", min=1)] = None,
    accelerator: Annotated[str | None, typer.Option(help="auto, cpu or gpu.")] = None,
    quick: Annotated[bool, typer.Option("--quick", help="The shortest that still shows something.")] = False,
    data: Annotated[
        Path | None, typer.Option(help="Folder of public data sets to score on as well (glass).")
    ] = None,
    out: Out = None,
    json: Json = False,
) -> None:
    """Run a benchmark: a leaderboard, JSON records and a report. Killed, it continues."""
    from zoo.bench.runner import RECORDS
    from zoo.bench.runner import bench as run_bench
    from zoo.bench.suite import Options
    from zoo.report import write_report

    folder = out or Path("runs") / f"bench-{suite.replace(':', '-')}"
    named = tuple(m.strip() for m in models.split(",") if m.strip()) if models is not None else None
    if named == ():
        raise ConfigError("--models takes names of models, separated by commas")
    outcome = run_bench(suite, Options(folder, named, seeds, epochs, accelerator, quick, data))
    report = None
    if outcome.runs:
        report = folder / "report.html"
        write_report(outcome.runs, report, title=outcome.title)
    for number, matrix in enumerate(outcome.matrices, 1):
        from zoo.report.figures.transfer import write_transfer

        write_transfer(
            folder / f"transfer-{number}.svg", matrix.title, matrix.rows, matrix.columns, matrix.values
        )
    if json:
        tables = [asdict(t) for t in outcome.tables]
        paths = {"out": folder, "report": report}
        emit({"suite": suite, "title": outcome.title, **paths, "tables": tables, "records": outcome.records})
    else:
        for drawn in outcome.tables:
            table(drawn.header, drawn.rows, title=drawn.title)
            print(f"{drawn.note}\n" if drawn.note else "")
    note(f"records: {folder / RECORDS}" + (f" · report: {report}" if report else ""))
    for failure in outcome.failures:
        note(f"failed: {failure}")
    if outcome.failures:
        raise typer.Exit(1)
