"""Spec of `coarse-graining`."""

from zoo.registry.spec import BenchmarkSpec

SPEC = BenchmarkSpec(
    name="coarse-graining",
    summary="Learned maps, decoders, coarse-grained potentials and their dynamics; about 35 minutes.",
    target="zoo.bench.coarse_graining.suite:coarse_graining",
)
