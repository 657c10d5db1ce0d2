"""The entry's spec: light, no torch and no OpenMM behind it."""

from __future__ import annotations

from zoo.registry.spec import DatasetSpec, Source

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
    tasks=("forces", "density", "reconstruction"),
    sample="zoo.datasets.alanine_dipeptide:sample",
    units="ase",
    sources=(
        Source(
            name="mdshare",
            summary="3 × 250 ns in TIP3P water, ff99SB-ILDN, positions of the ten heavy atoms (90 MB)",
            kind="files",
            location=(
                "http://ftp.imp.fu-berlin.de/pub/cmb-data/alanine-dipeptide-3x250ns-heavy-atom-positions.npz"
            ),
            format="mdshare",
            label="alanine-dipeptide-mdshare",
            license="CC-BY-4.0",
        ),
    ),
    variants={
        "replica-exchange": "300 K, each basin with its true weight: replica exchange in torch.",
        "vacuum": "AMBER ff96 without solvent, by OpenMM.",
        "ff99sbildn": "AMBER ff99SB-ILDN with OBC2 implicit solvent, by OpenMM.",
    },
)
