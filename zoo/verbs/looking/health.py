"""The callback that flags what goes wrong, cheaply, after each epoch."""

from __future__ import annotations

from typing import Any

from lightning.pytorch.callbacks import Callback

from zoo.analysis.flags import Flag
from zoo.analysis.health import curve_flags, dead_beads, not_finite, run_away
from zoo.models.autoencoder import BeadAutoencoder
from zoo.models.base import ZooModel
from zoo.models.density import DensityModel
from zoo.tasks.callbacks import Curve
from zoo.verbs.looking.journal import Journal


class Health(Callback):
    """Losses, weights and beads after each epoch; gradients where a training breaks.

    Stands behind `Curve`, whose rows it reads.
    """

    def __init__(self, journal: Journal, curve: Curve) -> None:
        self.journal, self.curve = journal, curve

    def on_train_start(self, trainer: Any, module: Any) -> None:
        """Say that it trains."""
        self.journal.at("training", done=trainer.current_epoch, steps=trainer.num_training_batches)

    def on_train_batch_end(self, trainer: Any, module: Any, outputs: Any, batch: Any, batch_idx: int) -> None:
        """Count a step."""
        self.journal.step(batch_idx + 1)

    def on_train_epoch_end(self, trainer: Any, module: Any) -> None:
        """Look for what is wrong."""
        nats = isinstance(module.model, DensityModel)
        self.journal.flag("curve", curve_flags(self.curve.rows, nats=nats))
        self.journal.flag("weights", _weight_flags(module.model))
        self.journal.at("training", done=trainer.current_epoch + 1, step=0)

    def on_exception(self, trainer: Any, module: Any, exception: BaseException) -> None:
        """Say which weights and gradients broke it."""
        gradients = [(name, p.grad) for name, p in module.model.named_parameters() if p.grad is not None]
        found = not_finite("gradients", gradients)
        self.journal.flag("weights", _weight_flags(module.model) + ([] if found is None else [found]))


def _weight_flags(model: ZooModel) -> list[Flag]:
    found = [not_finite("weights", model.named_parameters()), run_away(model.named_parameters())]
    if isinstance(model, BeadAutoencoder):
        found.append(_beads(model))
    return [flag for flag in found if flag is not None]


def _beads(model: BeadAutoencoder) -> Flag | None:
    asked = getattr(model.config, "beads", None)
    return None if asked is None else dead_beads(int(asked), model.coarse_map().num_beads)
