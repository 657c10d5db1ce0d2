"""Spec of `quickstart`."""

from zoo.registry.spec import BenchmarkSpec

SPEC = BenchmarkSpec(
    name="quickstart",
    summary="SchNet, GAT and baselines on alanine dipeptide and Kob-Andersen; 5 minutes on two cores.",
    target="zoo.bench.quickstart.suite:suite",
)
