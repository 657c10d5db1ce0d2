"""Spec of `boltzmann`."""

from zoo.registry.spec import BenchmarkSpec

SPEC = BenchmarkSpec(
    name="boltzmann",
    summary="Flows that sample alanine dipeptide without data: ESS, basins, evaluations; about 15 min a row.",
    target="zoo.bench.boltzmann.suite:suite",
)
