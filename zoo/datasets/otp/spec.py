"""The entry's spec: light, no torch and no OpenMM behind it."""

from __future__ import annotations

from zoo.registry.spec import DatasetSpec

SPEC = DatasetSpec(
    name="otp",
    summary="ortho-Terphenyl C18H14, 32 atoms, in vacuum at 300 K, OPLS-AA: energies and forces.",
    target="zoo.datasets.otp.entry:OrthoTerphenyl",
    config="zoo.datasets.otp.options:Options",
    citation=(
        "Force field: Jorgensen, Maxwell, Tirado-Rives, J. Am. Chem. Soc. 118, 11225 (1996) (OPLS-AA). "
        "System: Wang, Gómez-Bombarelli, npj Comput. Mater. 5, 125 (2019). "
        "Engine: Eastman et al., J. Phys. Chem. B 128, 109 (2024) (OpenMM 8)."
    ),
    extras=("simulate",),
    requires=("openmm",),
    tasks=("forces", "density", "reconstruction"),
    sample="zoo.datasets.otp:sample",
    units="ase",
)
