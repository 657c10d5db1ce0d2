"""The callback that looks inside every so many epochs, and disturbs nothing."""

from __future__ import annotations

import random
import time
from collections.abc import Iterator
from contextlib import contextmanager
from copy import deepcopy
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
import torch
from lightning.pytorch.callbacks import Callback

from zoo.analysis.flags import Flag
from zoo.errors import ZooError
from zoo.progress import silent
from zoo.run import Run
from zoo.tasks.base import Task
from zoo.tasks.callbacks import AveragedWeights, Curve
from zoo.verbs.evaluate import make_task
from zoo.verbs.inside.record import FOLDER, Inside
from zoo.verbs.inside.subject import Subject
from zoo.verbs.looking.journal import Journal
from zoo.verbs.looking.takes import prediction_flags, take, taken
from zoo.verbs.plan import Plan

#: Epochs' looks are kept in `RUN/inside/epochs/0003`, after three epochs.
EPOCHS = "epochs"
#: Where pictures of looks go as well, by `train.logger`: by name, as what draws stands above this floor.
PUBLISHERS = {"tensorboard": "zoo.watch.tensorboard:publish"}


def epoch_folder(run: Path, epochs: int) -> Path:
    """Where the looks after so many epochs are kept."""
    return run / FOLDER / EPOCHS / f"{epochs:04d}"


class Looking(Callback):
    """Looks at a copy of the network, on the validation split, every `every` epochs and at the end.

    A look that fails is told of and stops nothing. The generators of random numbers stay as they were, so
    that a training gives the same result with looks and without. The time of looks is none of training.

    Args:
        every: epochs between looks.
        plan, run: whose training it is.
        journal: of the run.
        curve: which counts the time; stands before this callback.
    """

    def __init__(self, every: int, plan: Plan, run: Run, journal: Journal, curve: Curve) -> None:
        self.every, self.plan, self.run, self.journal, self.curve = every, plan, run, journal, curve
        self._epochs = self._looked = 0

    def on_train_epoch_end(self, trainer: Any, module: Any) -> None:
        """Look, if it is time."""
        self._epochs = trainer.current_epoch + 1
        if self._epochs % self.every == 0:
            self._look(trainer, module)

    def on_train_end(self, trainer: Any, module: Any) -> None:
        """Look at the last epoch, be it the last one asked for or not."""
        if self._epochs > self._looked:
            self._look(trainer, module)

    def _look(self, trainer: Any, module: Any) -> None:
        self._looked = self._epochs
        if not trainer.is_global_zero:
            return
        start = time.monotonic()
        self.journal.at("looking")
        with undisturbed():
            records = self._records(trainer, module)
            self._publish(trainer, records)
        self.curve.leave_out(time.monotonic() - start)
        self.journal.at("training")

    def _records(self, trainer: Any, module: Any) -> list[Inside]:
        try:
            subject = self._subject(trainer, module)
        except Exception as error:  # such as memory for a second network
            self.journal.problem("the network", words(error))
            return []
        found = []
        for kind in taken(subject):
            start = time.monotonic()
            try:
                record = take(kind, subject)
                record.facts["look"] = {
                    "epochs": self._epochs, "split": subject.split,
                    "seconds": round(time.monotonic() - start, 2),
                }  # fmt: skip
                record.save(epoch_folder(self.run.path, self._epochs))
            except Exception as error:  # a look never stops a training
                self.journal.problem(kind, words(error))
                continue
            self.journal.problem(kind, None)
            self.journal.flag(kind, record.flags)
            found.append(record)
        self.journal.flag("predictions", self._predictions(subject))
        return found

    def _subject(self, trainer: Any, module: Any) -> Subject:
        """A copy of the task on the CPU, with averaged weights where there are any."""
        model = deepcopy(module.model)
        for callback in trainer.callbacks:
            if isinstance(callback, AveragedWeights) and callback.average:
                model.load_state_dict({**model.state_dict(), **callback.average})
        task: Task = make_task(model.cpu(), self.plan.config.task)
        return Subject(self.run.path.name, self.plan.dataset, task.eval(), self.run.path, split="val")

    def _predictions(self, subject: Subject) -> list[Flag]:
        try:
            return prediction_flags(subject)
        except Exception as error:
            self.journal.problem("predictions", words(error))
            return []

    def _publish(self, trainer: Any, records: list[Inside]) -> None:
        where = PUBLISHERS.get(self.plan.config.train.logger)
        if where is None:
            return
        module, _, name = where.partition(":")
        try:
            publish = getattr(import_module(module), name)
            publish(trainer.logger.experiment, records, self.journal.flags, trainer.global_step)
        except Exception as error:
            self.journal.problem(self.plan.config.train.logger, words(error))


def words(error: Exception) -> str:
    """What went wrong on one line: our own words as they are, others' with the kind of error."""
    text = " ".join(str(error).split())
    return text if isinstance(error, ZooError) else f"{type(error).__name__}: {text}"[:300]


@contextmanager
def undisturbed() -> Iterator[None]:
    """Leave all generators of random numbers, and the bar on the screen, as they were."""
    ours, theirs = random.getstate(), np.random.get_state()
    try:
        with torch.random.fork_rng(), torch.enable_grad(), silent():
            yield
    finally:
        random.setstate(ours)
        np.random.set_state(theirs)
