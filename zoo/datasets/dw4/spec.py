"""The entry's spec: light, no torch behind it."""

from __future__ import annotations

from zoo.registry.spec import DatasetSpec

SPEC = DatasetSpec(
    name="dw4",
    summary="DW4: four particles in the plane, double wells between all pairs, kT = 1; toy target of flows.",
    target="zoo.datasets.dw4.entry:DW4",
    config="zoo.datasets.toys.options:ToyOptions",
    citation=(
        "Target: Köhler, Klein, Noé, ICML 2020 (arXiv:2006.02425). Sampled here by Hamiltonian Monte "
        "Carlo with replica exchange; its averages are known from quadrature."
    ),
    tasks=("forces", "density"),
    sample="zoo.datasets.dw4:sample",
    units="lj",
)
