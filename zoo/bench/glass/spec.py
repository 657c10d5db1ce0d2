"""Spec of `glass`."""

from zoo.registry.spec import BenchmarkSpec

SPEC = BenchmarkSpec(
    name="glass",
    summary="Propensities by every method of the field, at several temperatures; --data for public sets.",
    target="zoo.bench.glass.suite:glass",
    citation="Jung et al., arXiv:2311.14752",
    takes_data=True,
)
