"""The rows of `growth`, and their settings at two-core size."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from zoo.bench.growth.tables import tables
from zoo.bench.suite import Options, Row, Suite

DATASET = "alanine-dipeptide"


@dataclass(frozen=True)
class Study:
    """A network that is too narrow, and what it is compared with.

    Args:
        widths: settings that are a width.
        narrow: width of the network that grows.
        equal: width with about as many parameters as it ends with.
        larger: another one.
        common: settings of all rows.
        grow: additions; in the end they have brought what `equal` has more.
        quickly: the same for `--quick`.
        epochs: long, and with `--quick`.
    """

    model: str
    task: str
    widths: tuple[str, ...]
    narrow: int
    equal: int
    larger: int
    common: dict[str, Any]
    grow: dict[str, Any]
    quickly: dict[str, Any]
    epochs: tuple[int, int]


STUDIES = (
    # features of nodes and channels of convolutions; hidden layers have that width, too
    Study(
        "schnet", "forces", ("model.hidden_channels", "model.num_filters"), 8, 12, 16,
        {
            "train.frames": 960, "train.batch_size": 16, "model.cutoff": 6.0, "model.num_interactions": 2,
            "model.num_gaussians": 20,
        },
        {"grow.every": 1, "grow.share": 0.2625, "grow.until": 0.2},
        {"grow.every": 1, "grow.share": 0.2625, "grow.until": 0.5}, (24, 8),
    ),
    # hidden layers of the decoder, behind two latents; the encoder has most of the parameters
    Study(
        "gat-autoencoder", "reconstruction", ("model.decoder_channels",), 4, 16, 64,
        {"train.frames": 960, "model.decoder_layers": 2, "model.hidden_channels": 16, "task.draws": 0},
        {"grow.every": 2, "grow.share": 0.03, "grow.until": 0.3, "grow.frames": 16},
        {"grow.every": 1, "grow.share": 0.03, "grow.until": 0.3, "grow.frames": 16}, (30, 15),
    ),
)  # fmt: skip


def suite(options: Options) -> Suite:
    """Return the suite."""
    rows = [
        Row(
            study.model, DATASET, study.task,
            {**study.common, "train.accelerator": "cpu", "train.epochs": study.epochs[options.quick], **kind},
            label,
        )
        for study in STUDIES
        for label, kind in _kinds(study, options.quick).items()
    ]  # fmt: skip
    return Suite("Growing too narrow networks", tuple(rows), seeds=1 if options.quick else 3, tables=tables)


def _kinds(study: Study, quick: bool) -> dict[str, dict[str, Any]]:
    """Settings of each row, by its label."""

    def fixed(width: int) -> dict[str, Any]:
        return dict.fromkeys(study.widths, width)

    grow, epochs = study.quickly if quick else study.grow, study.epochs[quick]
    total = round(int(grow["grow.until"] * epochs) // grow["grow.every"] * grow["grow.share"], 6)
    grown = {**fixed(study.narrow), **grow}
    early = {"grow.every": 1, "grow.share": total, "grow.until": 1.5 / epochs}
    return {
        **{f"fixed-{width}": fixed(width) for width in (study.narrow, study.equal, study.larger)},
        "grown": {**grown, "grow.where": "bottleneck"},
        "grown-everywhere": {**grown, "grow.where": "everywhere"},
        # nearly as if the network had been built with hidden layers of that width
        "grown-at-once": {**fixed(study.narrow), **early, "grow.where": "everywhere"},
    }
