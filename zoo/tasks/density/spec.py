"""Spec of the `density` task."""

from zoo.registry.spec import TaskSpec

SPEC = TaskSpec(
    name="density",
    summary="Learn to draw conformations with their density: from data, or from the Boltzmann energy alone.",
    target="zoo.tasks.density.task:DensityTask",
    config="zoo.tasks.density.config:DensityTaskConfig",
    baselines=("laplace",),
    headline="ess",
    larger_is_better=True,
)
