"""The `density` task: a model of all conformations, from data, from energies, or from both."""

from __future__ import annotations

import math
from collections.abc import Iterator
from functools import partial
from typing import Any, ClassVar

import torch
from torch import Tensor

from zoo import keys
from zoo.analysis.layers.probe import GraphLoss, ValueLoss
from zoo.config import Training
from zoo.data.dataset import Frames
from zoo.data.info import Interface
from zoo.data.potential import has_potential, potential_of
from zoo.errors import ConfigError, RunFailed
from zoo.models.base import FittedModel
from zoo.models.density import DensityModel
from zoo.physics.target import BoltzmannTarget
from zoo.tasks.base import Predictions, Task
from zoo.tasks.density.bias import umbrella
from zoo.tasks.density.config import DensityTaskConfig
from zoo.tasks.density.objectives import OBJECTIVES, Objective, Setting
from zoo.tasks.density.objectives.base import effective_share, normalized, require_part
from zoo.tasks.density.predictions import predictions
from zoo.tasks.density.scores import scores
from zoo.tasks.density.stages import Span, spans, stages_of
from zoo.tasks.metrics import Metric
from zoo.tasks.steps import step_loader

#: Steps of a stage in which the learning rate rises.
WARM_UP = 50
#: Validation draws the same numbers each time.
VALIDATION_SEED = 20_240


class DensityTask(Task):
    """Stages of objectives on draws, data and buffers; see `zoo.tasks.density.config`.

    Training without data reads one frame of the training split, which says what is left and right.
    Energies are counted in `model.evaluations`, those of validation included.
    """

    interface: ClassVar[Interface] = "density"
    #: A stage may hold a part of the model.
    distributed: ClassVar[str] = "ddp_find_unused_parameters_true"
    model: DensityModel
    options: DensityTaskConfig

    # --- before training -------------------------------------------------------------------------

    def begin(self, frames: Frames, val_frames: Frames, settings: Training, *, fresh: bool) -> None:
        """See `Task`. Takes the energy function and lets a fresh model look at it, or at the data."""
        self._frames, self._val_frames, self._settings = frames, val_frames, settings
        self._rows: dict[str, Tensor] = {}
        self._current: tuple[int, list[Objective], Setting] | None = None
        self._saved: dict[str, Any] = {}
        dataset = frames.dataset
        known = has_potential(dataset)
        if known and dataset.temperature is None:
            raise ConfigError(
                f"{dataset.name} states no temperature, so its Boltzmann distribution is not known"
            )
        if settings.precision.endswith("mixed"):
            raise ConfigError("densities and energies need train.precision 32-true or 64-true")
        #: No module, so that its potential is in no checkpoint.
        self.target: BoltzmannTarget | None = self._target(dataset) if known else None
        self._plan: list[Span] = spans(stages_of(self.options, self._temperature), self.total_steps)
        objectives = [o for span in self._plan for o in span.stage.objectives]
        if not isinstance(self.model, FittedModel):  # which a baseline of any stages is
            for objective in objectives:
                require_part(self.model, objective.part)
        names = {o.name for o in objectives}
        if self.options.bias is not None and (names == {"data"} or not known):
            raise ConfigError("task.bias turns the energy, which this run does not learn from")
        self._uses_data = "data" in names
        self.keep_best = names == {"data"}
        if self._uses_data and self.options.reference == "all":
            raise ConfigError("task.reference=all would score frames that were learned from; use split")
        if names != {"data"} and not known:
            potential_of(dataset)  # says what to do
        if fresh:
            with torch.random.fork_rng():
                self._prepare()

    def on_fit_start(self) -> None:
        """Bring the energy to the device and the precision of the model, and compile it."""
        target = self.target
        if target is None:
            return
        if isinstance(target.potential, torch.nn.Module):
            target.potential.to(self.device, self._precision)
        if self.options.compile:
            with torch.no_grad(), torch.random.fork_rng():
                example = self.model.draw(self._settings.batch_size)[0]
            if not target.compile(example):
                raise ConfigError(
                    "torch cannot compile here (is there a C++ compiler?): --set task.compile=false"
                )

    def _prepare(self) -> None:
        target = self.target
        positions = None
        if self._uses_data or target is None:
            positions = torch.from_numpy(self._frames.array(keys.POSITIONS).astype("float64"))
        if target is None:
            self.model.prepare(None, positions)
            return
        exact = BoltzmannTarget(potential_of(self._frames.dataset), self.model.coordinates, target.kT)
        self.model.prepare(exact, positions)
        self.model.evaluations += exact.evaluations

    def _target(self, dataset: Any) -> BoltzmannTarget:
        potential = potential_of(dataset)
        if isinstance(potential, torch.nn.Module):
            potential = potential.to(self._precision)
        kT = dataset.units.boltzmann * dataset.temperature
        bias = umbrella(self.options.bias, dataset.system, self.model.coordinates)
        return BoltzmannTarget(potential, self.model.coordinates, kT, bias)

    @property
    def _precision(self) -> torch.dtype:
        weights = next(iter(self.model.parameters()), None)
        return torch.float64 if weights is None else weights.dtype

    @property
    def _temperature(self) -> float:
        return float(self._frames.dataset.temperature or 1.0)

    def epoch_steps(self, frames: Frames, settings: Training, world: int) -> int:
        """See `Task`: one pass over the data if nothing else is learned from, else `task.epoch_steps`."""
        if self.options.objective == "data":
            return max(1, math.ceil(len(frames) / world / settings.batch_size))
        return self.options.epoch_steps

    def loaders(self, steps: int, weights: list[float] | None) -> tuple[Any, Any]:
        """See `Task`: only numbers of steps; objectives make their own batches."""
        return step_loader(steps), step_loader(1)

    # --- training ----------------------------------------------------------------------------------

    def loss(self, batch: Any) -> tuple[Tensor, dict[str, Tensor]]:
        """Return the weighted sum of the stage's objectives and what they log; no batch is looked at."""
        span, objectives, _ = self._stage()
        total = torch.zeros((), device=self.device)
        logs: dict[str, Tensor] = {}
        for options, objective in zip(span.stage.objectives, objectives, strict=True):
            value, own = objective.loss(self.global_step - span.start)
            total = total + options.weight * value
            logs |= own
        return total, logs

    def predict(self, batch: Any) -> dict[str, Tensor]:
        """Return log-densities of the graphs of a batch; `predictions` has the draws, too."""
        return {"log_prob": self.model(batch)}

    def training_step(self, batch: Any, _: int) -> Tensor:
        """One step of the stage's objectives; a loss that is not finite stops the run."""
        total, logs = self.loss(batch)
        span, _objectives, setting = self._stage()
        if not torch.isfinite(total):
            raise RunFailed(
                f"the loss became {total.item()} in step {self.global_step} "
                f"({', '.join(o.name for o in span.stage.objectives)}); lower optim.lr, or begin hotter"
            )
        self._count()
        values = {"train_loss": total.detach(), **{f"train_{name}": value for name, value in logs.items()}}
        kT = setting.target.kT if setting.target is not None else self.model.info.kT
        if kT is not None:
            values["temperature"] = torch.tensor(kT / self._frames.dataset.units.boltzmann)
        self.log_dict(values, on_step=False, on_epoch=True, batch_size=1, sync_dist=True)
        return total

    def on_before_optimizer_step(self, optimizer: Any) -> None:
        """Leave out a step whose gradient is infinite, as of atoms on top of each other: no clip mends it."""
        gradients = [p.grad for p in self.model.parameters() if p.grad is not None]
        if not all(bool(torch.isfinite(g).all()) for g in gradients):
            for p in self.model.parameters():
                p.grad = None

    def _count(self) -> None:
        target = self.target
        if target is not None:
            self.model.evaluations += target.evaluations * self._world()
            target.count[0] = 0

    def _world(self) -> int:
        return self._settings.devices * self._settings.nodes

    def _stage(self) -> tuple[Span, list[Objective], Setting]:
        """Objectives of the step's stage, begun anew when a stage begins."""
        number = next((i for i, s in enumerate(self._plan) if self.global_step < s.stop), len(self._plan) - 1)
        span = self._plan[number]
        if self._current is None or self._current[0] != number:
            self._current = (number, *self._begun(number, span))
        return span, self._current[1], self._current[2]

    def _begun(self, number: int, span: Span) -> tuple[list[Objective], Setting]:
        stage, target = span.stage, self.target
        unit = self._frames.dataset.units.boltzmann
        final = unit * (stage.temperature or self._temperature)
        setting = Setting(
            model=self.model, target=target, reference_kT=unit * self._temperature, final=final,
            first=unit * stage.ladder if stage.ladder else final, steps=span.stop - span.start,
            batch_size=self._settings.batch_size, data=lambda: self._data("train", self._frames),
            energy_cut=self.options.energy_cut,
        )  # fmt: skip
        if target is not None:
            setting.move_to(setting.first)
        objectives = [OBJECTIVES[options.name](options, setting) for options in stage.objectives]
        saved = self._saved.pop("objectives", None)
        if saved is not None and self._saved.get("stage") == number:
            for objective, state in zip(objectives, saved, strict=True):
                objective.load_state({k: v.to(self.device) for k, v in state.items()})
        return objectives, setting

    def _data(self, name: str, frames: Frames) -> Tensor:
        """Coordinates `[frames, d]` of a split, in the model's precision."""
        if name not in self._rows:
            positions = torch.from_numpy(frames.array(keys.POSITIONS).astype("float64"))
            self._rows[name] = self.model.coordinates.cpu().from_cartesian(positions)[0].to(self._precision)
            self.model.coordinates.to(self.device)
        return self._rows[name].to(self.device)

    def on_save_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Keep buffers and held draws."""
        if self._current is not None:
            number, objectives, _ = self._current
            checkpoint["density"] = {"stage": number, "objectives": [o.state() for o in objectives]}

    def on_load_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Inverse of `on_save_checkpoint`."""
        self._saved = dict(checkpoint.get("density", {}))

    def sample_losses(self, frames: Frames, size: int = 1) -> Iterator[GraphLoss]:
        """See `Task`: the matching loss of the data, also of what was trained on energies."""
        positions = torch.from_numpy(frames.array(keys.POSITIONS).astype("float64"))
        rows = self.model.coordinates.from_cartesian(positions)[0].to(self._precision)
        for part in rows.to(self.device).split(size):
            yield ValueLoss(partial(self.model.matching_loss, part))

    # --- validation --------------------------------------------------------------------------------

    def validation_step(self, batch: Any, _: int) -> None:
        """Matching loss on the validation split, or the ELBO of fresh draws at the target's temperature."""
        with torch.random.fork_rng():
            torch.manual_seed(VALIDATION_SEED)
            values = self._validate_on_data() if self.keep_best else self._validate_on_draws()
        self._count()
        values["energy_evaluations"] = self.model.evaluations.float()
        self.log_dict(values, on_step=False, on_epoch=True, batch_size=1, sync_dist=True)

    def _validate_on_data(self) -> dict[str, Tensor]:
        with torch.no_grad():
            return {"val_loss": self.model.matching_loss(self._data("val", self._val_frames))}

    def _validate_on_draws(self) -> dict[str, Tensor]:
        target = self.target
        assert target is not None  # or the objectives would have refused
        size = self._settings.batch_size
        log_w = []
        with torch.no_grad():
            for _ in range(max(1, self.options.val_samples // size)):
                q, log_q = self.model.draw(size)
                log_w.append(target.log_density_and_gradient(q)[0] - log_q)
        joined = torch.cat(log_w)
        good = torch.isfinite(joined)
        elbo = joined[good].mean()
        ess = joined.new_tensor(effective_share(normalized(joined)) if good.any() else 0.0)
        return {"val_loss": -elbo, "val_elbo": elbo, "val_ess": ess}

    def configure_optimizers(self) -> Any:
        """Adam, its rate rising and falling once in each stage; groups are the model's."""
        kinds = {"adam": torch.optim.Adam, "adamw": torch.optim.AdamW}
        groups = [
            {"params": params, "lr": self.optim.lr * factor}
            for factor, params in self.model.parameter_groups().items()
        ]
        optimizer = kinds[self.optim.name](groups, lr=self.optim.lr, weight_decay=self.optim.weight_decay)
        scheduler = torch.optim.lr_scheduler.LambdaLR(optimizer, self._rate)
        return {"optimizer": optimizer, "lr_scheduler": {"scheduler": scheduler, "interval": "step"}}

    def _rate(self, step: int) -> float:
        span = next((s for s in self._plan if step < s.stop), self._plan[-1])
        at, length = step - span.start, span.stop - span.start
        warm = min(max(self.optim.warmup_steps, WARM_UP), length // 4)
        if at < warm:
            return span.stage.lr * (at + 1) / (warm + 1)
        done = min((at - warm) / max(length - warm, 1), 1.0)
        if self.optim.schedule == "cosine":
            return span.stage.lr * (
                self.optim.final_lr + (1 - self.optim.final_lr) * 0.5 * (1 + math.cos(math.pi * done))
            )
        if self.optim.schedule == "exponential":
            return span.stage.lr * self.optim.final_lr**done
        return span.stage.lr

    # --- scores ------------------------------------------------------------------------------------

    def fit_closed_form(self, frames: Frames) -> None:
        """See `Task`: a model without weights looks at the target, or at the data."""
        self.begin(frames, frames, Training(), fresh=True)

    def predictions(self, frames: Frames) -> Predictions:
        """See `Task`: fresh draws with their densities and energies, and the frames' own."""
        if self.options.reference == "all":
            frames = frames.dataset.split("all")
        return predictions(self.model, frames, self.options.samples)

    @classmethod
    def metrics(cls, predictions: Predictions, frames: Frames) -> dict[str, Metric]:
        """See `zoo.tasks.density.scores`."""
        return scores(predictions, Frames(frames.dataset, predictions["frame"], frames.name))
