"""Why the published recipe leaves beads unused: one thing changed after another."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from zoo.bench.coarse_graining.cells import mean_cell, values
from zoo.bench.suite import Row, Table
from zoo.verbs.compare import Record

SETS = ("ring-polymer/langevin-eq", "ring-polymer/nose-hoover-neq")
BEADS = 24
#: What is changed in each row; the first is the published recipe on the zoo's code: full batches, one draw
#: of the noise a step.
BARE: dict[str, Any] = {
    "model.restarts": 1, "model.rescue": False, "model.refine": False, "optim.lr": 0.02,
}  # fmt: skip
CONSTANT: dict[str, Any] = {"model.tau_start": 1.0, "model.tau_end": 1.0}
FREE: dict[str, Any] = {"model.decoder": "learned"}
VARIANTS: dict[str, tuple[str, dict[str, Any]]] = {
    "free": ("free decoder, τ = 1 (published)", {**BARE, **CONSTANT, **FREE}),
    "free-annealed": ("free decoder, τ annealed", {**BARE, **FREE}),
    "free-rescued": ("free decoder, τ annealed, rescue", {**BARE, **FREE, "model.rescue": True}),
    "best": ("decoder of least squares, τ = 1", {**BARE, **CONSTANT}),
    "best-annealed": ("decoder of least squares, τ annealed", BARE),
    "best-rescued": ("the same, rescue", {**BARE, "model.rescue": True}),
    "refined": ("the same, refined", {**BARE, "model.rescue": True, "model.refine": True}),
}
HEADER = ("RECIPE", *(f"{s.rpartition('/')[2]}: {c}" for s in SETS for c in ("MSE σ²", "BEADS USED")))


def rows(quick: bool) -> tuple[Row, ...]:
    """A row for each set and variant."""
    length = {"train.epochs": 3 if quick else 20, "model.beads": BEADS}
    return tuple(
        Row("cg-autoencoder", name, "reconstruction", {**length, **settings}, f"why-{label}")
        for name in SETS
        for label, (_, settings) in VARIANTS.items()
    )


def table(records: Sequence[Record]) -> Table:
    """A line for each variant, seeds averaged."""
    lines = []
    for label, (what, _) in VARIANTS.items():
        cells = [what]
        for name in SETS:
            own = [r for r in records if r["dataset"] == name and r["row"].endswith(f"-why-{label}")]
            used = " ".join(f"{v:.0f}" for v in values(own, "beads_used"))
            cells += [mean_cell(own, "mse"), used or "–"]
        lines.append(tuple(cells))
    note = (
        f"{BEADS} beads, 2,000 steps of Adam 0.02, one assignment, test split, hard maps; beads used: of "
        "each seed"
    )
    return Table("Why beads stay unused", HEADER, lines, note)
