"""`glass`: the packaged sample by every method, transfer, and public data sets where they are given."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from zoo.bench.glass import public, table, transfer
from zoo.bench.glass.rows import rows
from zoo.bench.runner import run_suite
from zoo.bench.suite import Options, Outcome, Suite, joined
from zoo.data.catalog import open_dataset
from zoo.errors import UnknownName, ZooError
from zoo.verbs.data import make_dataset

TITLE = "Glasses"
SAMPLE = "kob-andersen"
#: Temperatures of the packaged sample, and of those that the benchmark makes for the transfer between them.
PACKAGED, FURTHER = 0.64, (0.72, 0.8)
#: How: times, waiting and spacing follow τα, which the table of relaxation times is extrapolated to.
MADE = {"particles": 500, "configurations": 14, "clones": 8, "cage_time": 0.0, "hop_window": 0.0}
#: Rows whose transfer is measured, by model and label.
TRANSFERRED = (("ridge", "inherent-diffused"), ("descriptor-gnn", "cage"))


def glass(options: Options) -> Outcome:
    """Run every part.

    Raises:
        UnknownName: no row has one of `options.models`.
        DataError: `options.data` holds no public glass data.
    """
    methods = rows(SAMPLE, options.quick)
    known = {row.model for row in methods}
    for model in options.models or ():
        if model not in known:
            raise UnknownName("model in this benchmark", model, known)
    if options.data is not None:
        public.find(options.data)  # a wrong folder is told before anything is trained
    parts = [run_suite(Suite(TITLE, methods, tables=table.tables), options), *_transfers(options)]
    if options.data is not None:
        parts.append(_public(options, options.data))
    return joined(TITLE, *parts)


def _transfers(options: Options) -> list[Outcome]:
    """Between temperatures, and between the attractive and the purely repulsive liquid."""
    chosen = [(m, label) for m, label in TRANSFERRED if options.models is None or m in options.models]
    if not chosen:
        return []
    wca = _transfer(options, chosen, [SAMPLE, f"{SAMPLE}/wca"], ["LJ", "WCA"], "LJ and WCA, T = 0.64")
    names = [f"T = {t:g}" for t in (PACKAGED, *FURTHER)]
    try:
        sets = [SAMPLE, *(str(_made(options.out, t)) for t in FURTHER)]
    except ZooError as error:  # LAMMPS is not installed, say
        return [wca, Outcome(TITLE, [], [], failures=[f"transfer between temperatures: {error}"])]
    return [wca, _transfer(options, chosen, sets, names, "Temperatures")]


def _transfer(
    options: Options, chosen: list[tuple[str, str]], sets: list[str], names: list[str], title: str
) -> Outcome:
    every = [row for where in sets for row in rows(where, options.quick) if (row.model, row.label) in chosen]
    # rows on the packaged sample were trained before: their runs are there
    trained = run_suite(Suite(TITLE, tuple(every), tables=lambda _: []), replace(options, models=None))
    measured = transfer.transfer(trained.records, sets, names)
    tables = transfer.tables(measured, f"Transfer · {title}")
    maps = transfer.matrices(measured, f"Transfer · {title}")
    return Outcome(TITLE, measured, tables, failures=trained.failures, matrices=maps)


def _made(out: Path, temperature: float) -> Path:
    """Simulate the liquid at a temperature, once."""
    folder = out / "data" / f"T{temperature:g}"
    if not folder.is_dir():
        make_dataset(SAMPLE, folder, settings={**MADE, "temperature": temperature})
    return folder


def _public(options: Options, data: Path) -> Outcome:
    """Our methods, and the published ones' own predictions, on each public data set below a folder."""
    folders, failures = public.imported(data, options.out / "data")
    outcome = Outcome(TITLE, [], [], failures=failures)
    for folder in folders:
        found = public.published(folder)
        if public.trainable(open_dataset(folder)):
            suite = Suite(TITLE, rows(str(folder), options.quick), tables=table.tables)
            ours = run_suite(suite, options)
            outcome.runs.extend(ours.runs)
            outcome.failures.extend(ours.failures)
            outcome.tables.extend(ours.tables)
            found = [*ours.records, *found]
        outcome.records.extend(found)
        if any(record["error"] is None for record in found):
            outcome.tables.append(public.paper_table(folder, found))
        else:
            outcome.failures.append(f"{folder.name}: too few configurations to train on, none published")
    return outcome
