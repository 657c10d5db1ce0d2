"""The `reconstruction` task: particles → beads or latents → particles."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import partial
from typing import Any, ClassVar

import numpy as np
import torch
from pydantic import Field
from torch import Tensor
from torch.utils.data import DataLoader

from zoo import keys
from zoo.analysis.layers.probe import GraphLoss, ValueLoss
from zoo.config import Strict, Training
from zoo.data.dataset import Frames
from zoo.data.info import Interface
from zoo.data.loader import BatchOrder, shares_of
from zoo.errors import ConfigError, RunFailed
from zoo.models.autoencoder import AutoencoderModel, BeadAutoencoder, SplitAutoencoder
from zoo.models.base import FittedModel
from zoo.physics.superpose import centered, rotation_onto, superposed
from zoo.tasks.base import Predictions, Task
from zoo.tasks.metrics import Metric
from zoo.tasks.reconstruction.scores import scores
from zoo.tasks.steps import step_loader

#: Numbers of positions that a model looks at before training, and that are held while predicting.
MOST_PREPARED, MOST_PREDICTED = 60_000_000, 2_000_000


class ReconstructionConfig(Strict):
    """What is done to the frames before the model sees them."""

    align: bool = Field(False, description="turn each frame, and its forces, onto the first one")
    epoch_steps: int = Field(
        100, ge=1, description="steps an epoch, of models that see the whole split at once"
    )
    draws: int = Field(3, ge=0, description="structures drawn for each test frame, of models that can")


class ReconstructionTask(Task):
    """Minimise a model's own loss, the mean square of decode(encode(x)) − x and what it adds to that.

    Frames are centred. Turning them (`align`) changes nothing for a decoder without an offset: it does the
    same in all three directions.
    """

    interface: ClassVar[Interface] = "autoencoder"
    model: AutoencoderModel
    options: ReconstructionConfig

    # --- before training -------------------------------------------------------------------------

    def begin(self, frames: Frames, val_frames: Frames, settings: Training, *, fresh: bool) -> None:
        """See `Task`. A fresh model looks at the frames."""
        super().begin(frames, val_frames, settings, fresh=fresh)
        world = settings.devices * settings.nodes
        if self._whole and world > 1:
            raise ConfigError("this model sees the whole split in each step: train it on one device")
        self.keep_best = not self._whole
        if fresh or self._whole:  # whose moments are data, and in no checkpoint
            with torch.random.fork_rng():
                self.model.prepare(*_all(frames, self._side))
                if isinstance(self.model, SplitAutoencoder):
                    self.model.look(*_all(val_frames, self._side))

    def epoch_steps(self, frames: Frames, settings: Training, world: int) -> int:
        """See `Task`."""
        if self._whole:
            return self.options.epoch_steps
        return super().epoch_steps(frames, settings, world)

    def loaders(self, steps: int, weights: list[float] | None) -> tuple[Any, Any]:
        """See `Task`: batches of positions and forces, without graphs."""
        frames, val_frames = self._splits
        settings = self._training
        validation = self._loader(val_frames, max(1, 400_000 // frames.dataset.system.num_particles))
        if self._whole:
            return step_loader(steps), validation
        shares = None if weights is None else shares_of(frames, weights)
        return self._loader(frames, settings.batch_size, settings.seed, shares), validation

    def _loader(
        self, frames: Frames, batch_size: int, seed: int | None = None, shares: Any = None
    ) -> DataLoader:
        order = BatchOrder(
            len(frames), batch_size, shuffle=seed is not None, seed=seed or 0, shares=shares
        )  # fmt: skip
        rows = _Rows(frames, self._side)
        return DataLoader(rows, sampler=order, batch_size=None, generator=torch.Generator())

    @property
    def _whole(self) -> bool:
        """Whether each step sees the whole split."""
        return isinstance(self.model, SplitAutoencoder)

    @property
    def _side(self) -> Tensor | None:
        """What frames are turned onto, `[particles, 3]`; None: they are not."""
        if not self.options.align:
            return None
        reference = torch.tensor(self.model.info.reference, dtype=torch.float64)
        return torch.nn.functional.pad(reference, (0, 3 - reference.shape[1]))

    # --- training ----------------------------------------------------------------------------------

    def loss(self, batch: Any) -> tuple[Tensor, dict[str, Tensor]]:
        """See the class."""
        progress = self.global_step / max(1, self.total_steps) if self.training else 1.0
        if self.training and isinstance(self.model, SplitAutoencoder):
            return self.model.split_objective(progress)
        x = self._cast(batch["x"])
        forces = self._cast(batch["forces"]) if "forces" in batch else None
        return self.model.objective(x, forces, progress)

    def training_step(self, batch: Any, _: int) -> Tensor:
        """One step; a loss that is not finite stops the run."""
        loss, logs = self.loss(batch)
        if not torch.isfinite(loss):
            raise RunFailed(
                f"the loss became {loss.item()} in epoch {self.current_epoch}, step {self.global_step}. "
                "Look at the frames (`zoo data check`), or lower optim.lr"
            )
        # of steps on the whole split the last one tells; logging would cost three times as much as a step
        if not self._whole or self.trainer.is_last_batch:
            self._record("train", loss, logs, batch)
        return loss

    def on_train_batch_end(self, *_: Any) -> None:
        """Let the model do what gradients do not."""
        if isinstance(self.model, SplitAutoencoder):
            self.model.after_step(self.global_step, self.total_steps)

    def validation_step(self, batch: Any, _: int) -> None:
        """Loss and logs on the validation split."""
        loss, logs = self.loss(batch)
        self._record("val", loss.detach(), logs, batch)

    def _record(self, stage: str, loss: Tensor, logs: dict[str, Tensor], batch: Any) -> None:
        values = {f"{stage}_loss": loss.detach(), **{f"{stage}_{k}": v.detach() for k, v in logs.items()}}
        size = len(batch["x"]) if isinstance(batch, Mapping) else 1
        self.log_dict(values, on_step=False, on_epoch=True, batch_size=size, sync_dist=True)

    def _cast(self, x: Tensor) -> Tensor:
        weights = next(iter([*self.model.parameters(), *self.model.buffers()]), None)
        return x if weights is None else x.to(weights.device, _floating(self.model))

    def sample_losses(self, frames: Frames, size: int = 1) -> Iterator[GraphLoss]:
        """See `Task`: the loss as of validation."""
        for batch in self._loader(frames, size):
            yield ValueLoss(partial(self._value, batch))

    # --- predictions -------------------------------------------------------------------------------

    def predict(self, batch: Any) -> dict[str, Tensor]:
        """Latents and reconstructions of a graph or batch of graphs."""
        return {"reconstruction": self.model(batch).detach()}

    def fit_closed_form(self, frames: Frames) -> None:
        """See `Task`: the model is prepared by the training split, and that is all."""
        assert isinstance(self.model, FittedModel)
        self.model.prepare(*_all(frames, self._side))

    def baseline_options(self) -> Mapping[str, Any]:
        """See `Task`: baselines get the map, and as many beads or latents as the model has."""
        named = getattr(self.model.config, "map", None)
        return {**self.model.bottleneck, **({} if named is None else {"map": named})}

    @torch.no_grad()
    def predictions(self, frames: Frames) -> Predictions:
        """See `Task`.

        `reconstruction` [frames, particles, 3] as the frames lie; `latent`; `decoded`, where decoding what
        was encoded is another thing; `draws` [frames, draws, particles, 3] of models that draw; `map`,
        `map_forces` [beads, particles] of models that have beads.
        """
        model = self.model
        parts: dict[str, list[np.ndarray]] = {}
        generator = torch.Generator(device=_device(model)).manual_seed(0)
        draws = self.options.draws if type(model).draw is not AutoencoderModel.draw else 0
        size = max(1, MOST_PREDICTED // (3 * frames.dataset.system.num_particles))
        for rows in _chunks(len(frames), size):
            raw = torch.from_numpy(
                frames.dataset.array(keys.POSITIONS, frames.index[rows]).astype(np.float64)
            )
            x = self._cast(_turned(raw, self._side))
            z = model.encode(x)
            out = {"reconstruction": model.reconstruct(x), "latent": z}
            if type(model).reconstruct is not AutoencoderModel.reconstruct:
                out["decoded"] = model.decode(z)
            if draws:
                out["draws"] = torch.stack([model.draw(z, generator) for _ in range(draws)], 1)
            place = self._cast(raw)
            for name in ("reconstruction", "decoded"):
                if name in out and model.superposed:
                    out[name] = superposed(out[name], place)
                elif name in out and self._side is not None:
                    out[name] = out[name] @ self._cast(_rotation(raw, self._side)) + place.mean(
                        1, keepdim=True
                    )
            for name, value in out.items():
                parts.setdefault(name, []).append(value.cpu().numpy().astype(np.float32))
        arrays = {name: np.concatenate(values) for name, values in parts.items()}
        if isinstance(model, BeadAutoencoder):
            coarse = model.coarse_map()
            arrays |= {"map": coarse.positions, "map_forces": coarse.forces, "map_group": coarse.group}
            arrays["beads"] = np.array([model.bottleneck["beads"]])
        return {"frame": frames.index, **arrays}

    @classmethod
    def metrics(cls, predictions: Predictions, frames: Frames) -> dict[str, Metric]:
        """See `zoo.tasks.reconstruction.scores`."""
        return scores(predictions, frames)


class _Rows(torch.utils.data.Dataset[dict[str, Tensor]]):
    """Positions and forces of frames, cut out batch by batch."""

    def __init__(self, frames: Frames, side: Tensor | None) -> None:
        self.frames, self.side = frames, side

    def __len__(self) -> int:
        return len(self.frames)

    def __getitem__(self, rows: list[int]) -> dict[str, Tensor]:  # type: ignore[override]
        return _cut(self.frames, rows, self.side)


def _cut(frames: Frames, rows: Any, side: Tensor | None) -> dict[str, Tensor]:
    index = frames.index[rows]
    x = torch.from_numpy(frames.dataset.array(keys.POSITIONS, index).astype(np.float64))
    if keys.FORCES not in frames.dataset.arrays:
        return {"x": _turned(x, side)}
    f = torch.from_numpy(frames.dataset.array(keys.FORCES, index).astype(np.float64))
    return {"x": _turned(x, side), "forces": _turned(x, side, f)}


def _turned(x: Tensor, side: Tensor | None, vectors: Tensor | None = None) -> Tensor:
    """Frames `[batch, particles, 3]`, or vectors in them, as they lie or turned onto `side` [particles,
    3].
    """
    if side is None:
        return x if vectors is None else vectors
    return (centered(x) if vectors is None else vectors) @ _rotation(x, side).mT


def _rotation(x: Tensor, side: Tensor) -> Tensor:
    return rotation_onto(centered(x), centered(side))


def _all(frames: Frames, side: Tensor | None) -> tuple[Tensor, Tensor | None]:
    """Positions and forces of the split, of evenly spaced frames where it is too large to be held."""
    most = max(1, MOST_PREPARED // (3 * frames.dataset.system.num_particles))
    rows = np.unique(np.linspace(0, len(frames) - 1, min(most, len(frames))).round().astype(np.int64))
    cut = _cut(frames, rows, side)
    return cut["x"], cut.get("forces")


def _chunks(n: int, size: int) -> Iterator[slice]:
    for start in range(0, n, size):
        yield slice(start, min(start + size, n))


def _floating(model: torch.nn.Module) -> torch.dtype:
    kinds = [t.dtype for t in [*model.parameters(), *model.buffers()] if t.is_floating_point()]
    return kinds[0] if kinds else torch.float64


def _device(model: torch.nn.Module) -> torch.device:
    weights = next(iter([*model.parameters(), *model.buffers()]), None)
    return torch.device("cpu") if weights is None else weights.device
