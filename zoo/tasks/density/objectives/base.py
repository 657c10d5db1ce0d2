"""What every objective is: a loss on draws, on data, or on a buffer that it keeps."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from zoo.errors import ConfigError, RunFailed
from zoo.models.density import DensityModel
from zoo.physics.target import BoltzmannTarget
from zoo.tasks.density.config import ObjectiveConfig

#: A loss and scalars to log.
Loss = tuple[Tensor, dict[str, Tensor]]


@dataclass
class Setting:
    """What the objectives of a stage share.

    Args:
        model: what is trained.
        target: at the temperature of the moment; None without an energy function.
        final: temperature of the stage, first: where its ladder begins (both as kT).
        batch_size: rows a step.
        data: returns the training split's coordinates `[frames, d]`, read when first asked for.
        tell: what a user should know, in words.
    """

    model: DensityModel
    target: BoltzmannTarget | None
    reference_kT: float
    final: float
    first: float
    steps: int
    batch_size: int
    data: Callable[[], Tensor]
    energy_cut: float

    def energy(self, who: str) -> BoltzmannTarget:
        """Return the target. Raises `ConfigError` where there is no energy function."""
        if self.target is None:
            raise ConfigError(f"{who} needs an energy function, which this dataset does not hold")
        return self.target

    def move_to(self, kT: float) -> None:
        """Go to another temperature: the target, and the widths of the model."""
        self.target = self.energy("a ladder").at(kT, self.energy("a ladder").bias)
        self.model.rescale(kT / self.reference_kT)


class Objective(ABC):
    """One term of a stage's loss.

    Args:
        options: its settings.
        setting: shared by the objectives of the stage; a ladder moves its temperature.

    Raises:
        ConfigError: the model or the dataset cannot serve it.
    """

    def __init__(self, options: ObjectiveConfig, setting: Setting) -> None:
        self.options, self.setting = options, setting
        self.batch_size = options.batch_size or setting.batch_size
        require_part(setting.model, options.part)

    @abstractmethod
    def loss(self, step: int) -> Loss:
        """Return the loss of a step of the stage, counted from 0."""

    def state(self) -> dict[str, Tensor]:
        """What a checkpoint must keep to go on as if nothing had happened."""
        return {}

    def load_state(self, state: dict[str, Tensor]) -> None:  # noqa: B027 (most keep nothing)
        """Inverse of `state`."""


def require_part(model: DensityModel, part: str) -> None:
    """Raise `ConfigError` where a model has no such part."""
    if part != "all" and not hasattr(model, "draw_local"):
        raise ConfigError(
            f"part: {part} is for models in two levels, such as hierarchical-flow; this one has no parts"
        )


def normalized(log_weights: Tensor, clip: float = 0.0) -> Tensor:
    """Return weights `[n]` of mean 1; the share `clip` of the largest is cut to the next below.

    Raises:
        RunFailed: all weights are zero.
    """
    finite = torch.isfinite(log_weights)
    if not finite.any():
        raise RunFailed("no draw of the model has a finite energy; begin hotter, or lower optim.lr")
    top = log_weights[finite].max()
    weights = torch.where(finite, (log_weights - top).exp(), 0.0)
    cut = int(clip * len(weights))
    if cut:
        weights = weights.clamp(max=weights.kthvalue(len(weights) - cut).values)
    return weights / weights.mean()


def effective_share(weights: Tensor) -> float:
    """Kish's effective sample size over n."""
    return float(weights.sum() ** 2 / (weights.square().sum() * len(weights)))


def part_loss(model: DensityModel, q: Tensor, weights: Tensor | None, part: str) -> Tensor:
    """Return the matching loss of all of q, or of one level of it."""
    if part == "all":
        return model.matching_loss(q, weights)
    t, y = q[:, : model.coordinates.circular], q[:, model.coordinates.circular :]
    value = -(model.log_torsions(t) if part == "torsions" else model.log_local(y, t))  # type: ignore[operator]
    return value.mean() if weights is None else (weights * value).mean()
