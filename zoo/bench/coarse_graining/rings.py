"""The ring-polymer study (Padua thesis) done again: every bead used, also out of equilibrium."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch

from zoo import keys
from zoo.bench.coarse_graining.cells import mean_cell, number, values
from zoo.bench.coarse_graining.plain import PlainAutoencoder, Recipe, train_plain
from zoo.bench.suite import Row, Table
from zoo.coarse.maps import agreement
from zoo.data.catalog import open_dataset
from zoo.files import write_json
from zoo.progress import progress
from zoo.run import Run
from zoo.verbs.compare import Record

SETS = ("langevin-eq", "nose-hoover-eq", "nose-hoover-neq")
BEADS = (6, 12, 18, 24)
#: Square error per coordinate, σ², and beads used, of the thesis' own data.
PUBLISHED = {
    "langevin-eq": {6: (0.533, 6), 12: (0.193, 12), 18: (0.109, 18), 24: (0.0696, 24)},
    "nose-hoover-eq": {6: (0.542, 6), 12: (0.193, 12), 18: (0.118, 18), 24: (0.0740, 24)},
    "nose-hoover-neq": {6: (0.166, 6), 12: (0.089, 12), 18: (0.097, 12), 24: (0.087, 12)},
}
#: Epochs of the published recipe.
EPOCHS = 600
RECIPE = "published recipe"
HEADER = (
    "SET", "BEADS", "MSE σ²", "USED", "SEEDS AGREE", "SEGMENTS", "PCA", "RANDOM", "PUBLISHED RECIPE, HERE",
    "USED", "THESIS", "USED",
)  # fmt: skip


def rows(quick: bool) -> tuple[Row, ...]:
    """A row for each set and number of beads."""
    length: dict[str, Any] = {"train.epochs": 3 if quick else 10}
    return tuple(
        Row(
            "cg-autoencoder",
            f"ring-polymer/{name}",
            "reconstruction",
            {**length, "model.beads": n},
            f"{n}-beads",
        )
        for name in SETS
        for n in BEADS
    )


def published(quick: bool, seeds: int, out: Path) -> list[Record]:
    """Train the published recipe on each set: τ stuck at 1, free decoder, Adam 4·10⁻³, batches of 40.

    Args:
        quick: a twentieth of its epochs.
        seeds: of each.
        out: folder where the records are kept, so that a killed benchmark goes on.
    """
    recipe = Recipe()
    records = []
    out.mkdir(parents=True, exist_ok=True)
    with progress(RECIPE, len(SETS) * len(BEADS) * seeds, "runs") as bar:
        for name in SETS:
            data = open_dataset(f"ring-polymer/{name}")
            train, test = (torch.from_numpy(data.split(s).array(keys.POSITIONS)) for s in ("train", "test"))
            epochs = EPOCHS // 20 if quick else EPOCHS
            steps = epochs * math.ceil(len(train) / recipe.batch)
            for beads in BEADS:
                for seed in range(seeds):
                    kept = out / f"{name}-{beads}-beads-{steps}-steps-seed{seed}.json"
                    if not kept.is_file():
                        model = train_plain(train, None, beads, steps, seed, recipe)
                        write_json(kept, _record(model, name, beads, seed, test))
                    records.append(json.loads(kept.read_text(encoding="utf-8")))
                    bar.advance(1)
    return records


def _record(model: PlainAutoencoder, name: str, beads: int, seed: int, test: torch.Tensor) -> Record:
    used = len(torch.unique(model.hard()))
    metrics = {
        "mse": {"value": model.error(test), "unit": "σ²"},
        "beads_used": {"value": float(used), "unit": "1"},
    }
    dataset = f"ring-polymer/{name}"
    row = f"{RECIPE}-{dataset}-{beads}-beads".replace("/", "-")
    return {"row": row, "model": RECIPE, "dataset": dataset, "seed": seed, "metrics": metrics, "error": None}


def table(records: Sequence[Record]) -> Table:
    """A line for each set and number of beads, seeds averaged."""
    lines = []
    for name in SETS:
        for beads in BEADS:
            here = [
                r for r in records
                if r["dataset"] == f"ring-polymer/{name}" and r["row"].endswith(f"-{beads}-beads")
            ]  # fmt: skip
            own = [r for r in here if r["model"] == "cg-autoencoder"]
            plain = [r for r in here if r["model"] == RECIPE]
            if own or plain:
                thesis = PUBLISHED[name][beads]
                bounds = (mean_cell(own, "mse", baseline=b) for b in ("segment-map", "pca", "random-map"))
                lines.append((
                    name, str(beads), mean_cell(own, "mse"), _used(own), _agreement(own), *bounds,
                    mean_cell(plain, "mse"), _used(plain), number(thesis[0]), str(thesis[1]),
                ))  # fmt: skip
    note = (
        "Test split, hard maps. Seeds agree: adjusted Rand index of their maps; a ring turned by a "
        "particle is as good. Published recipe: Gumbel-softmax at τ = 1 throughout, free decoder, Adam "
        f"4e-3, {EPOCHS} epochs in batches of 40. The thesis' figures are of its own 10,000 frames a set"
    )
    return Table("Ring polymers of 70 beads", HEADER, lines, note)


def _agreement(records: Sequence[Record]) -> str:
    """Adjusted Rand index of the maps of all seeds."""
    maps = [Run(r["run"]).predictions()["map_group"] for r in records if r["error"] is None]
    return f"{agreement(maps):.2f}" if len(maps) > 1 else "–"


def _used(records: Sequence[Record]) -> str:
    return " ".join(f"{v:.0f}" for v in values(records, "beads_used")) or "–"
