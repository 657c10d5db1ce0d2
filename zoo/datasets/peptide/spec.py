"""The entry's spec: light, no torch and no OpenMM behind it."""

from __future__ import annotations

from zoo.registry.spec import DatasetSpec

SPEC = DatasetSpec(
    name="peptide",
    summary="Capped peptides of any sequence, AMBER ff96 + OBC1, 300 K, by replica exchange; ACE-(ALA)3-NME.",
    target="zoo.datasets.peptide.entry:PeptideEntry",
    config="zoo.datasets.peptide.options:Options",
    citation=(
        "Force field: Kollman et al., Comput. Simul. Biomol. Syst. 3, 83 (1997) (ff96); Onufriev, "
        "Bashford, Case, Proteins 55, 383 (2004) (OBC1). Engine of the force field: Eastman et al., "
        "J. Phys. Chem. B 128, 109 (2024) (OpenMM 8)."
    ),
    extras=("simulate",),
    requires=("openmm", "pdbfixer"),
    tasks=("forces", "density", "reconstruction"),
    sample="zoo.datasets.peptide:sample",
    units="ase",
    variants={
        "alanine-tetrapeptide": "ACE-(ALA)3-NME, 42 atoms.",
        "alanine-hexapeptide": "ACE-(ALA)5-NME, 62 atoms.",
        "valine-dipeptide": "ACE-VAL-NME, 28 atoms: rotamers of χ1.",
    },
    default_variant="alanine-tetrapeptide",
)
