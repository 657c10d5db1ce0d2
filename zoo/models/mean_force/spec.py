"""Spec of `mean-force`."""

from zoo.registry.spec import ModelSpec

SPEC = ModelSpec(
    name="mean-force",
    summary="Baseline: the mean force on each atom, whatever the positions; has no symmetry.",
    target="zoo.models.mean_force.model:MeanForce",
    config="zoo.models.mean_force.model:MeanForceConfig",
    tasks=("forces",),
    symmetries=(),
    fitted=True,
)
