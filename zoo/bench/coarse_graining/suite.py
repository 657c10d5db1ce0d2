"""`coarse-graining`: parts one after the other, each with its table."""

from __future__ import annotations

from pathlib import Path

from zoo.bench.coarse_graining import curve, decoders, rings, why
from zoo.bench.coarse_graining.loop import SYSTEM, loop
from zoo.bench.runner import run_suite
from zoo.bench.suite import Options, Outcome, Suite, joined
from zoo.errors import UnknownName
from zoo.verbs.simulate import SIMULATION

TITLE = "Coarse-graining"
MODELS = ("cg-autoencoder", "cg-vae", "schnet")


def coarse_graining(options: Options) -> Outcome:
    """Run every part, or those with one of `options.models`.

    Raises:
        UnknownName: no part has one of these models.
        RunError: the folder holds runs of other settings.
    """
    for model in options.models or ():
        if model not in MODELS:
            raise UnknownName("model in this benchmark", model, MODELS)
    seeds = options.seeds or (1 if options.quick else 3)
    maps = _run(Suite(TITLE, curve.rows(options.quick), tables=lambda r: [curve.table(r)]), options)
    study = _run(Suite(TITLE, rings.rows(options.quick), seeds=seeds), options)
    if study.runs:
        study.records.extend(rings.published(options.quick, seeds, options.out / "published"))
        study.tables[:] = [rings.table(study.records)]
    reasons = Suite(TITLE, why.rows(options.quick), seeds=seeds, tables=lambda r: [why.table(r)])
    found = _run(reasons, options)
    structures = Suite(TITLE, decoders.rows(options.quick), tables=lambda r: [decoders.table(r)])
    decoded, simulated = _run(structures, options), loop(options)
    back = _way_back(options, decoded, simulated)
    return joined(TITLE, maps, study, found, decoded, simulated, *back)


def _run(suite: Suite, options: Options) -> Outcome:
    """Run a part, unless other models than its own are asked for."""
    if options.models is not None and not {row.model for row in suite.rows} & set(options.models):
        return Outcome(suite.title, [], [])
    return run_suite(suite, options)


def _way_back(options: Options, decoded: Outcome, simulated: Outcome) -> list[Outcome]:
    """Atoms from the simulated backbone, if both runs are there."""
    pair = [
        Path(record["run"])
        for outcome, tail in ((simulated, "backbone"), (decoded, "alanine-dipeptide-backbone"))
        for record in outcome.records
        if record["row"].endswith(tail) and record["error"] is None
    ]
    if len(pair) != 2 or not (pair[0] / SIMULATION).is_file():
        return []
    potential, decoder = pair
    record, table = decoders.way_back(potential, decoder, options.out / "data" / "way-back", SYSTEM)
    return [Outcome(TITLE, [record], [table])]
