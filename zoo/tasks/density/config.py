"""Settings of the `density` task: stages of training, each with its objectives."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, model_validator

from zoo.config import Strict

Part = Literal["all", "torsions", "local"]


class ObjectiveConfig(Strict):
    """One term of a stage's loss."""

    name: Literal["data", "reverse-kl", "buffer", "fab"]
    weight: float = Field(1.0, gt=0, description="of this term in the stage's loss")
    part: Part = Field("all", description="of a model in two levels, what is trained; the rest is held")
    path_gradient: bool = Field(True, description="reverse-kl: the gradient through the draws alone")
    drop: float = Field(0.01, ge=0, lt=0.5, description="reverse-kl: share of the worst draws left out")
    batch_size: int | None = Field(None, ge=1, description="data, buffer, fab: rows a step; None: the run's")
    first: float = Field(
        0.2, ge=0, lt=1, description="part local: share of torsions that stay the stage's first, widest ones"
    )
    draws: int = Field(50_000, ge=64, description="buffer, fab, part local: size of the buffer")
    refresh: int = Field(500, ge=1, description="buffer, fab, part local: steps between two fillings")
    clip: float = Field(1e-4, ge=0, lt=0.1, description="buffer: share of the largest weights that are cut")
    ess: float = Field(0.5, gt=0, lt=1, description="buffer: least ESS that chooses the next temperature")
    trust: float = Field(0.1, gt=0, lt=1, description="buffer: least ESS of the weights learned from")
    intermediates: int = Field(4, ge=1, description="fab: distributions between model and target")
    leapfrog: int = Field(3, ge=1, description="fab: steps of each HMC move")


class Stage(Strict):
    """Objectives that are minimised together for a share of the steps.

    Args:
        temperature: K (ε/k_B in reduced units); None: the dataset's.
        ladder: where an annealed stage begins: from there the temperature falls to `temperature`,
            rung by rung, as fast as the buffer's ESS allows.
    """

    share: float = Field(1.0, gt=0, description="of all steps, relative to the other stages")
    temperature: float | None = Field(None, gt=0)
    ladder: float | None = Field(None, gt=0)
    lr: float = Field(1.0, gt=0, description="peak learning rate, relative to optim.lr")
    objectives: list[ObjectiveConfig] = Field(min_length=1)

    @model_validator(mode="after")
    def _ladder_needs_a_buffer(self) -> Stage:
        if self.ladder is not None and all(o.name != "buffer" for o in self.objectives):
            raise ValueError("a stage with a ladder needs the objective 'buffer'")
        return self


class BiasConfig(Strict):
    """Umbrella towards a region of the torsions, in degrees; the weights take it back.

    B/kT = −strength inside of the region, 0 outside, smoothed over 10° at its edges.
    """

    region: dict[str, tuple[float, float]] = Field(
        min_length=1, description='{"phi": [30, 90]}: from, to; a range may run over 180'
    )
    strength: float = Field(3.0, gt=0, le=30, description="kT")


class DensityTaskConfig(Strict):
    """What a density model learns from, and how it is scored."""

    objective: Literal["recipe", "data", "energy", "annealed", "fab"] = Field(
        "recipe",
        description="data: forward KL on the training split; energy, annealed, fab: without data; "
        "recipe: `stages`, by default the model's own",
    )
    stages: list[Stage] = Field([], description="of objective: recipe, one after the other")
    highest: float = Field(4.0, gt=1, le=100, description="annealed: first temperature over the dataset's")
    epoch_steps: int = Field(100, ge=1, description="steps of an epoch; one pass over the data for `data`")
    energy_cut: float = Field(200.0, gt=0, description="kT above the least: beyond, energies grow slowly")
    compile: bool = Field(False, description="compile the energy: 3 times faster after 30 to 60 s")
    bias: BiasConfig | None = Field(None, description="umbrella during training")
    samples: int = Field(100_000, ge=100, description="draws that the scores are computed from")
    reference: Literal["split", "all"] = Field(
        "split", description="frames to compare with; all: of every split, if none was learned from"
    )
    val_samples: int = Field(2_000, ge=16, description="draws that each validation is computed from")

    @model_validator(mode="after")
    def _stages_are_the_recipe(self) -> DensityTaskConfig:
        if self.objective != "recipe":
            self.stages = []  # another objective was chosen over the model's recipe
        return self
