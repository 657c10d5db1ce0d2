"""Spec of `argon`: read by `zoo show` and `zoo data`, so it imports nothing heavy."""

from zoo.registry.spec import DatasetSpec

SPEC = DatasetSpec(
    name="argon",
    summary="Liquid argon at 94.4 K, 108 Lennard-Jones atoms in a periodic box: energies and forces.",
    target="molzoo_megnet.argon.entry:Argon",
    config="molzoo_megnet.argon.options:ArgonOptions",
    citation="State point and potential: A. Rahman, Phys. Rev. 136, A405 (1964)",
    tasks=("forces",),
    sample="molzoo_megnet.argon:sample",
    units="ase",
)
