"""Spec of `speed`."""

from zoo.registry.spec import BenchmarkSpec

SPEC = BenchmarkSpec(
    name="speed",
    summary="Energies beside OpenMM's, SchNet beside torch-geometric's, neighbour lists beside vesin's.",
    target="zoo.bench.speed.suite:speed",
)
