"""The entry's spec: light, no OpenMM behind it."""

from __future__ import annotations

from zoo.registry.spec import DatasetSpec

SPEC = DatasetSpec(
    name="insulin",
    summary="Insulin monomer, 51 residues, ff99SB-ILDN + OBC2, 300 K: heavy atoms and their forces.",
    target="zoo.datasets.insulin.entry:Insulin",
    config="zoo.datasets.insulin.options:InsulinOptions",
    citation=(
        "Structure: Baker et al., Phil. Trans. R. Soc. B 319, 369 (1988) (PDB 4INS, porcine). Force field: "
        "Lindorff-Larsen et al., Proteins 78, 1950 (2010) (ff99SB-ILDN); Onufriev, Bashford, Case, Proteins "
        "55, 383 (2004) (OBC2). Engine: Eastman et al., J. Phys. Chem. B 128, 109 (2024) (OpenMM 8)."
    ),
    extras=("simulate",),
    requires=("openmm", "pdbfixer"),
    tasks=("forces", "density", "reconstruction"),
    sample="zoo.datasets.insulin:sample",
    units="ase",
)
