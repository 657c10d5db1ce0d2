"""`zoo analyze`."""

from __future__ import annotations

from typing import Annotated

import typer

from zoo.cli.options import Out, Set
from zoo.cli.output import Json, emit, note, table


def analyze(
    subject: Annotated[str, typer.Argument(help="Run, packaged model, dataset, or trajectory file.")],
    kind: Annotated[str, typer.Argument(help="conformations, latent or layers.")],
    against: Annotated[str | None, typer.Option(help="Reference data, or a second run.")] = None,
    dataset: Annotated[str | None, typer.Option(help="Another than the run's.")] = None,
    read: Annotated[
        list[str] | None, typer.Option(help="Of a file: key=value, as of zoo data import.")
    ] = None,
    frames: Annotated[int | None, typer.Option(help="How many to look at.")] = None,
    seed: Annotated[int, typer.Option(help="Of everything random.")] = 0,
    set: Set = None,
    out: Out = None,
    json: Json = False,
) -> None:
    """Look inside: conformations, latent space, or layers; leaves a page with pictures."""
    from zoo.config import parse_assignments
    from zoo.report import write_looks
    from zoo.verbs.inside.analyze import analyze as look
    from zoo.verbs.inside.analyze import inside_folder
    from zoo.verbs.inside.subject import run_folder

    record = look(
        subject,
        kind,
        against=against,
        dataset=dataset,
        read=parse_assignments(read or []),
        frames=frames,
        seed=seed,
        settings=parse_assignments(set or []),
        out=out,
    )
    page = write_looks([record], inside_folder(run_folder(subject), record.label, out) / f"{kind}.html")
    if json:
        flags = [{"kind": flag.kind, "text": flag.text} for flag in record.flags]
        emit({"subject": record.label, "kind": kind, "numbers": record.numbers, "flags": flags})
    else:
        table(("number", "value", "error", "unit"), _rows(record.numbers), title=f"{record.label}: {kind}")
        for flag in record.flags:
            print(f"! {flag.kind}: {flag.text}")
    note(f"pictures: {page}")


def _rows(numbers: dict) -> list[tuple[str, str, str, str]]:
    rows = []
    for name, found in numbers.items():
        values, errors = found["value"], found.get("error")
        if isinstance(values, list):
            text = " ".join(f"{v:.3g}" for v in values[:6]) + (" …" if len(values) > 6 else "")
            spread = ""
        else:
            text, spread = f"{values:.4g}", "" if errors is None else f"{errors:.2g}"
        unit = "" if found["unit"] == "1" else found["unit"]
        rows.append((name, text, spread, unit))
    return rows
