"""Spec of `growth`."""

from zoo.registry.spec import BenchmarkSpec

SPEC = BenchmarkSpec(
    name="growth",
    summary="Too narrow networks grown where it promises most, at random, and built wide; about 10 minutes.",
    target="zoo.bench.growth.suite:suite",
    citation="Verbockhaven et al., arXiv:2405.19816",
)
