"""Which stages an objective's name stands for, and which of them a step belongs to."""

from __future__ import annotations

from dataclasses import dataclass

from zoo.tasks.density.config import DensityTaskConfig, ObjectiveConfig, Stage


def stages_of(options: DensityTaskConfig, temperature: float) -> list[Stage]:
    """Return the stages of a run.

    Args:
        options: of the task; `objective: recipe` must have been replaced by the model's own.
        temperature: of the dataset.
    """
    if options.stages:
        return options.stages
    hot = options.highest * temperature
    reverse, buffer = ObjectiveConfig(name="reverse-kl"), ObjectiveConfig(name="buffer")
    presets = {
        "data": [Stage(objectives=[ObjectiveConfig(name="data")])],
        "energy": [Stage(objectives=[reverse])],
        # hot draws know all modes; the ladder brings them down, and reverse KL sharpens them at the end
        "annealed": [
            Stage(share=0.3, temperature=hot, objectives=[reverse]),
            Stage(share=0.4, ladder=hot, objectives=[buffer]),
            Stage(share=0.3, objectives=[reverse, ObjectiveConfig(name="buffer", weight=0.3)]),
        ],
        "fab": [Stage(objectives=[ObjectiveConfig(name="fab", refresh=4)])],
    }
    return presets["energy" if options.objective == "recipe" else options.objective]


@dataclass(frozen=True)
class Span:
    """Steps `[start, stop)` of a stage."""

    stage: Stage
    start: int
    stop: int


def spans(stages: list[Stage], steps: int) -> list[Span]:
    """Share out the steps of a run; every stage gets one at least."""
    total = sum(stage.share for stage in stages)
    out, start, done = [], 0, 0.0
    for i, stage in enumerate(stages):
        done += stage.share / total
        later = len(stages) - 1 - i
        stop = min(max(round(done * steps), start + 1), max(steps - later, start + 1))
        out.append(Span(stage, start, stop))
        start = stop
    return out
