"""Spec of the `reconstruction` task."""

from zoo.registry.spec import TaskSpec

SPEC = TaskSpec(
    name="reconstruction",
    summary="Learn a map to beads, or to a few numbers, and the way back to all particles.",
    target="zoo.tasks.reconstruction.task:ReconstructionTask",
    config="zoo.tasks.reconstruction.task:ReconstructionConfig",
    baselines=("pca", "segment-map", "chemical-map", "random-map", "frame-rebuild"),
    headline="mse",
)
