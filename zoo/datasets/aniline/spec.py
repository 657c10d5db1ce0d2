"""The entry's spec: light, no torch and no OpenMM behind it."""

from __future__ import annotations

from zoo.registry.spec import DatasetSpec

SPEC = DatasetSpec(
    name="aniline",
    summary="Aniline C6H5NH2, 14 atoms, in vacuum at 300 K, OPLS-AA: energies and forces.",
    target="zoo.datasets.aniline.entry:Aniline",
    config="zoo.datasets.aniline.options:Options",
    citation=(
        "Force field: Jorgensen, Maxwell, Tirado-Rives, J. Am. Chem. Soc. 118, 11225 (1996) (OPLS-AA). "
        "Rizzo, Jorgensen, J. Am. Chem. Soc. 121, 4827 (1999) (amines). "
        "System: Wang, Gómez-Bombarelli, npj Comput. Mater. 5, 125 (2019). "
        "Engine: Eastman et al., J. Phys. Chem. B 128, 109 (2024) (OpenMM 8)."
    ),
    extras=("simulate",),
    requires=("openmm",),
    tasks=("forces", "density", "reconstruction"),
    sample="zoo.datasets.aniline:sample",
    units="ase",
)
