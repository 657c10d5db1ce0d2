"""The callback that adds neurons every so many epochs."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import torch
from lightning.pytorch.callbacks import Callback

from zoo.analysis.flags import Flag
from zoo.analysis.layers.pairs import growable
from zoo.config import Grow
from zoo.data.dataset import Frames
from zoo.files import write_json
from zoo.models.growth import Swap, follow, parameters_in_use
from zoo.run import GROWTH, Run
from zoo.tasks.callbacks import AveragedWeights
from zoo.verbs.growing.event import Growth, best_growths, widen_everywhere
from zoo.verbs.inside.layers_measure import default_graphs, exact_copy, sample
from zoo.verbs.looking.callback import undisturbed
from zoo.verbs.looking.journal import Journal

#: What is kept of an addition, and the parameters that it replaced.
Addition = tuple[dict[str, Any], list[Swap]]
#: Relative difference of the promised and the measured gain that is told of.
TOLERANCE = 0.05


class Growing(Callback):
    """Adds neurons at the end of epochs, before the checkpoint, and writes `growth.json`.

    The number of parameters follows a plan: after the k-th addition there may be k · `share` more than at the
    start; what one addition leaves, as neurons are whole, the next may use. Measured are always the same
    frames of the training split.

    Args:
        settings: of the run.
        run: whose training it is.
        frames: its training split.
        seed: of the run.
        journal: where an addition is told of that is not what it promised.
        averaged: the averaged weights, which grow as well.
    """

    def __init__(
        self, settings: Grow, run: Run, frames: Frames, seed: int, journal: Journal,
        averaged: AveragedWeights | None,
    ) -> None:  # fmt: skip
        self.settings, self.run, self.seed, self.journal = settings, run, seed, journal
        self.averaged = averaged
        particles = frames.dataset.system.num_particles
        self.frames = sample(frames, settings.frames or default_graphs(particles), seed)
        self.start: int | None = None
        self.growth: dict[str, int] = {}
        self.events: list[dict[str, Any]] = []
        self.flags: list[Flag] = []

    def on_train_start(self, trainer: Any, module: Any) -> None:
        """Count the parameters of a network that has not grown yet."""
        if self.start is None:
            self.start = parameters_in_use(module.model)
        self._write()

    def on_train_epoch_end(self, trainer: Any, module: Any) -> None:
        """Grow, if it is time."""
        epochs = trainer.current_epoch + 1
        if epochs % self.settings.every or epochs > self.settings.until * trainer.max_epochs:
            return
        assert self.start is not None
        now = parameters_in_use(module.model)
        allowed = self.start + round(epochs // self.settings.every * self.settings.share * self.start)
        before = {name: p.detach().clone() for name, p in module.model.named_parameters()}
        self.journal.at("growing")
        with undisturbed():
            add = self._best if self.settings.where == "bottleneck" else self._everywhere
            for event, swaps in add(module, allowed - now, epochs):
                for optimizer in trainer.optimizers:
                    follow(optimizer, swaps)
                size = parameters_in_use(module.model)
                event = {**event, "parameters": {"before": now, "after": size}}
                self.events.append({"epoch": epochs, "step": trainer.global_step, **event})
                now = size
        self.journal.at("training")
        if self.averaged is not None:
            self.averaged.follow(before, module.model)
        self.growth = dict(module.model.growth)
        self._write()

    def _best(self, module: Any, budget: int, epochs: int) -> Iterator[Addition]:
        for growth in best_growths(module, self.frames, budget):
            self._compare(growth, epochs)
            yield growth.record(), growth.apply(module.model)

    def _compare(self, growth: Growth, epochs: int) -> None:
        """Say where the gain that was measured is not the one that was promised."""
        promised, place = growth.chosen.neurons.gain, growth.chosen.place.name
        ratio = growth.measured / promised
        if not abs(ratio - 1) <= TOLERANCE:
            text = (
                f"the neurons added at {place} after epoch {epochs} bring {100 * ratio:.3g} % of the gain "
                "that was promised: something between the two maps is not what it was measured as"
            )
            self.flags.append(Flag("growth", text))
            self.journal.flag("growth", self.flags)

    def _everywhere(self, module: Any, budget: int, epochs: int) -> Iterator[Addition]:
        task = exact_copy(module)
        places, _ = growable(task.model, next(iter(task.sample_losses(self.frames))).value)
        before = dict(module.model.growth)
        swaps = widen_everywhere(module.model, places, budget, seed=self.seed * 1_000_003 + epochs)
        added = {name: n - before.get(name, 0) for name, n in module.model.growth.items()}
        if swaps:
            yield {"added": {name: n for name, n in added.items() if n}}, swaps

    def _write(self) -> None:
        record = {"format": 1, "where": self.settings.where, "parameters": self.start, "events": self.events}
        write_json(self.run.path / GROWTH, record)

    def state_dict(self) -> dict[str, Any]:
        """What was added, for the checkpoint."""
        return {"start": self.start, "growth": self.growth, "events": self.events}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Inverse of `state_dict`."""
        self.start, self.growth, self.events = state["start"], state["growth"], list(state["events"])


def growth_of(checkpoint: Path) -> dict[str, int]:
    """Return what the network of a checkpoint had grown by, place by place."""
    saved = torch.load(checkpoint, map_location="cpu", weights_only=True, mmap=True)["callbacks"]
    return dict(saved.get(Growing.__qualname__, {}).get("growth", {}))
