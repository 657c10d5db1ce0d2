"""The rows of `growth`, and their settings at two-core size."""

from __future__ import annotations

from typing import Any

from zoo.bench.growth.tables import tables
from zoo.bench.suite import Options, Row, Suite

DATASET = "alanine-dipeptide"
#: Width of the network that is too narrow (features of a node, and channels of a convolution), of one with as
#: many parameters as it has when it is grown, and of larger ones.
NARROW, EQUAL, LARGER = 8, 12, (16,)
#: Small cutoff (Å), few frames: 60 steps an epoch, of 15 ms.
COMMON: dict[str, Any] = {
    "train.accelerator": "cpu", "train.frames": 960, "train.batch_size": 16, "model.cutoff": 6.0,
    "model.num_interactions": 2, "model.num_gaussians": 20,
}  # fmt: skip
#: Seven additions of 15 % double the number of parameters in the first 14 of 24 epochs.
GROW: dict[str, Any] = {"grow.every": 2, "grow.share": 0.15}
EPOCHS, QUICK = 24, 8


def suite(options: Options) -> Suite:
    """Return the suite."""
    common = {**COMMON, "train.epochs": QUICK if options.quick else EPOCHS}
    quick = {"grow.every": 1, "grow.share": 0.26} if options.quick else {}
    narrow = {**_width(NARROW), **GROW, **quick}
    kinds: dict[str, dict[str, Any]] = {
        **{f"fixed-{width}": _width(width) for width in (NARROW, EQUAL, *LARGER)},
        "grown": {**narrow, "grow.where": "bottleneck"},
        "grown-everywhere": {**narrow, "grow.where": "everywhere"},
    }
    rows = [Row("schnet", DATASET, "forces", {**common, **kind}, label) for label, kind in kinds.items()]
    return Suite("Growing a too narrow SchNet", tuple(rows), seeds=1 if options.quick else 3, tables=tables)


def _width(width: int) -> dict[str, int]:
    return {"model.hidden_channels": width, "model.num_filters": width}
