"""Spec of `speed`."""

from zoo.registry.spec import BenchmarkSpec

SPEC = BenchmarkSpec(
    name="speed",
    summary="SchNet beside torch-geometric's, the neighbour list beside vesin and ASE; no pass or fail.",
    target="zoo.bench.speed.suite:speed",
)
