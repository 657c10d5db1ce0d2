"""The entry's spec: light, no OpenMM behind it."""

from __future__ import annotations

from zoo.registry.spec import DatasetSpec

SPEC = DatasetSpec(
    name="protein",
    summary="Any protein from a PDB file or code in implicit solvent; the sample: chignolin, 10 Cα.",
    target="zoo.datasets.protein.entry:Protein",
    config="zoo.datasets.protein.options:ProteinOptions",
    citation=(
        "Force field: Lindorff-Larsen et al., Proteins 78, 1950 (2010) (ff99SB-ILDN); Onufriev, Bashford, "
        "Case, Proteins 55, 383 (2004) (OBC2). Engine: Eastman et al., J. Phys. Chem. B 128, 109 (2024) "
        "(OpenMM 8, PDBFixer). Sample: Honda et al., J. Am. Chem. Soc. 130, 15327 (2008) (CLN025, PDB 5AWL)."
    ),
    extras=("simulate",),
    requires=("openmm", "pdbfixer"),
    tasks=("forces", "density", "reconstruction"),
    sample="zoo.datasets.protein:sample",
    units="ase",
)
