"""The entry's spec: light, no torch behind it."""

from __future__ import annotations

from zoo.registry.spec import DatasetSpec

SPEC = DatasetSpec(
    name="lj13",
    summary="LJ13: thirteen Lennard-Jones particles in a harmonic trap, kT = 1; toy target of flows.",
    target="zoo.datasets.lj13.entry:LJ13",
    config="zoo.datasets.lj13.options:Options",
    citation=(
        "Target: Köhler, Klein, Noé, ICML 2020 (arXiv:2006.02425); depth 2 as in the samples of Klein, "
        "Krämer, Noé, NeurIPS 2023 (arXiv:2306.15030), depth 1 (lj13/eacf) as in Midgley et al., "
        "NeurIPS 2023 (arXiv:2308.10364). Sampled here by Hamiltonian Monte Carlo with replica exchange."
    ),
    tasks=("forces", "density"),
    sample="zoo.datasets.lj13:sample",
    variants={"eacf": "each pair counted once, wells half as deep: the convention of EACF and bgflow"},
    units="lj",
)
