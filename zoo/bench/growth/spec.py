"""Spec of `growth`."""

from zoo.registry.spec import BenchmarkSpec

SPEC = BenchmarkSpec(
    name="growth",
    summary="A too narrow SchNet grown where it is promised most, at random, and built wide from the start.",
    target="zoo.bench.growth.suite:suite",
    citation="Verbockhaven et al., arXiv:2405.19816",
)
