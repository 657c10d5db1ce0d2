"""`coarse-graining`: parts one after the other, each with its table."""

from __future__ import annotations

from zoo.bench.coarse_graining import curve, rings, why
from zoo.bench.coarse_graining.loop import loop
from zoo.bench.runner import run_suite
from zoo.bench.suite import Options, Outcome, Suite
from zoo.errors import UnknownName

TITLE = "Coarse-graining"
MODELS = ("cg-autoencoder",)


def coarse_graining(options: Options) -> Outcome:
    """Run every part, or those with one of `options.models`.

    Raises:
        UnknownName: no part has one of these models.
        RunError: the folder holds runs of other settings.
    """
    for model in options.models or ():
        if model not in MODELS:
            raise UnknownName("model in this benchmark", model, MODELS)
    maps = run_suite(Suite(TITLE, curve.rows(options.quick), tables=lambda r: [curve.table(r)]), options)
    seeds = options.seeds or (1 if options.quick else 3)
    study = run_suite(Suite(TITLE, rings.rows(options.quick), seeds=seeds), options)
    study.records.extend(rings.published(options.quick, seeds, options.out / "published"))
    study.tables[:] = [rings.table(study.records)]
    reasons = Suite(TITLE, why.rows(options.quick), seeds=seeds, tables=lambda r: [why.table(r)])
    return joined(TITLE, maps, study, run_suite(reasons, options), loop(options))


def joined(title: str, *parts: Outcome) -> Outcome:
    """Put outcomes behind each other."""
    return Outcome(
        title,
        *(
            [x for part in parts for x in getattr(part, name)]
            for name in ("records", "tables", "runs", "failures")
        ),
    )
