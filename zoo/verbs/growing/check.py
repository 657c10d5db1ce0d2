"""Whether a run can grow, before anything is written."""

from __future__ import annotations

from zoo.data.dataset import Frames
from zoo.errors import ConfigError
from zoo.verbs.plan import Plan


def check_growable(plan: Plan, frames: Frames) -> None:
    """Raise `ConfigError` where a run is to grow and cannot; `frames` of its training split."""
    grow, settings = plan.config.grow, plan.config.train
    if grow is None:
        return
    name = plan.config.model["name"]
    if plan.model.fitted:
        raise ConfigError(f"{name} is fitted in closed form: there is nothing to grow")
    if settings.devices * settings.nodes > 1:
        raise ConfigError("a network grows on one device: leave out --devices and --nodes, or --grow")
    if grow.every > grow.until * settings.epochs:
        raise ConfigError(
            f"grow.every={grow.every} is beyond grow.until={grow.until:g} of {settings.epochs} epochs: "
            "nothing would be added"
        )
