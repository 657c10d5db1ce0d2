"""The entry's spec: light, no torch and no OpenMM behind it."""

from __future__ import annotations

from zoo.registry.spec import DatasetSpec

SPEC = DatasetSpec(
    name="alanine-dipeptide",
    summary="Alanine dipeptide, 22 atoms, AMBER ff96 + OBC1 implicit solvent, 300 K: energies and forces.",
    target="zoo.datasets.alanine_dipeptide.entry:AlanineDipeptide",
    config="zoo.datasets.alanine_dipeptide.options:Options",
    citation=(
        "Force field: Kollman et al., Comput. Simul. Biomol. Syst. 3, 83 (1997) (ff96); Onufriev, "
        "Bashford, Case, Proteins 55, 383 (2004) (OBC1). System: openmmtools AlanineDipeptideImplicit. "
        "Engine: Eastman et al., J. Phys. Chem. B 128, 109 (2024) (OpenMM 8)."
    ),
    extras=("simulate",),
    requires=("openmm",),
    tasks=("forces",),
    sample="zoo.datasets.alanine_dipeptide:sample",
    units="ase",
)
