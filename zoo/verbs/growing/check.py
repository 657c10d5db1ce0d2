"""Whether a run can grow, before anything is written."""

from __future__ import annotations

from zoo.analysis.layers.pairs import growable
from zoo.data.dataset import Frames
from zoo.errors import ConfigError
from zoo.verbs.evaluate import make_task
from zoo.verbs.inside.layers_measure import exact_copy, sample
from zoo.verbs.looking.callback import undisturbed
from zoo.verbs.plan import Plan, build


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
    if plan.config.task.get("objective", "data") not in ("data", "forces", "denoising"):
        raise ConfigError("a density grows where it learns from data: --set task.objective=data")
    if plan.config.task.get("members", 1) > 1:
        raise ConfigError("members of an ensemble would grow apart: leave out task.members, or --grow")
    task = make_task(build(plan, frames), plan.config.task)
    with undisturbed():
        task.begin(frames, plan.dataset.split("val"), settings, fresh=True)
        exact = exact_copy(task)
        places, refused = growable(exact.model, next(iter(exact.sample_losses(sample(frames, 1, 0)))).value)
    if not places:
        why = "; ".join(f"{place}: {reason}" for place, reason in refused.items())
        raise ConfigError(
            f"{name} has no place to grow: a linear map, an activation and a linear map, and nothing else "
            f"between them{f' ({why})' if why else ''}"
        )
