"""Spec of the `forces` task."""

from zoo.registry.spec import TaskSpec

SPEC = TaskSpec(
    name="forces",
    summary="Learn a potential from energies and forces; forces are its negative gradient.",
    target="zoo.tasks.forces.task:ForcesTask",
    config="zoo.tasks.forces.config:ForcesConfig",
    baselines=("mean-force", "harmonic"),
    headline="force_mae",
)
