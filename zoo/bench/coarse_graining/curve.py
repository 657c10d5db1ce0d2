"""Square error and mean square force against the number of beads, beside the published curve."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from zoo.bench.coarse_graining.cells import mean_cell, number
from zoo.bench.suite import Row, Table
from zoo.units import EV_PER_KCAL_MOL
from zoo.verbs.compare import Record

#: Wang & Gómez-Bombarelli, npj Comput. Mater. 5, 125 (2019), read off a figure, ± 5 %: square error in Å² and
#: mean square force on a bead in (kcal/mol/Å)², by dataset and beads.
PUBLISHED: dict[str, dict[int, tuple[float, float]]] = {
    "otp": {2: (1.95, 700), 3: (0.35, 1000), 4: (0.04, 1650), 6: (0.015, 2100), 8: (0.01, 2480)},
    "aniline": {2: (0.62, 940), 3: (0.05, 1410), 4: (0.045, 1600), 5: (0.04, 1180)},
    "alanine-dipeptide": {},
}
BEADS = {"otp": (2, 3, 4, 6, 8), "aniline": (2, 3, 4, 5), "alanine-dipeptide": (3, 5, 8)}
#: Weight of the force term: large enough to choose among maps of nearly the same square error.
RHO = 0.01
HEADER = (
    "SYSTEM", "BEADS", "MSE Å²", "PUBLISHED", "PCA", "SEGMENTS", "RANDOM", "F² (kcal/mol/Å)²", "PUBLISHED",
    "BEADS USED", "CONTIGUITY",
)  # fmt: skip


def rows(quick: bool) -> tuple[Row, ...]:
    """A row for each system and number of beads."""
    length: dict[str, Any] = {"train.epochs": 3 if quick else 10, "model.force_weight": RHO}
    return tuple(
        Row("cg-autoencoder", name, "reconstruction", {**length, "model.beads": n}, f"{n}-beads")
        for name, sizes in BEADS.items()
        for n in sizes
    )


def table(records: Sequence[Record]) -> Table:
    """A line for each system and number of beads, seeds averaged."""
    lines = []
    for name, sizes in BEADS.items():
        for beads in sizes:
            own = [r for r in records if r["dataset"] == name and r["row"].endswith(f"-{beads}-beads")]
            if own:
                lines.append(_line(name, beads, own))
    note = (
        "Square error per coordinate on the test split, hard maps; PCA: the least that anything linear of so "
        "many components can have; segments, random: maps with the best linear decoder. Published: read off "
        "a figure, another force field of aniline and OTP"
    )
    return Table("Learned maps of small molecules", HEADER, lines, note)


def _line(name: str, beads: int, own: list[Record]) -> tuple[str, ...]:
    mse, force = PUBLISHED[name].get(beads, (None, None))
    unit = EV_PER_KCAL_MOL**-2
    return (
        name, str(beads), mean_cell(own, "mse"), number(mse),
        *(mean_cell(own, "mse", baseline=b) for b in ("pca", "segment-map", "random-map")),
        mean_cell(own, "mean_force", factor=unit), number(force), mean_cell(own, "beads_used"),
        mean_cell(own, "contiguity"),
    )  # fmt: skip
