"""Spec of `prior-only`."""

from zoo.registry.spec import ModelSpec

SPEC = ModelSpec(
    name="prior-only",
    summary="Baseline: the prior of a coarse-grained potential by itself, from Boltzmann inversion.",
    target="zoo.models.prior_only.model:PriorOnly",
    config="zoo.models.prior_only.model:PriorOnlyConfig",
    tasks=("forces",),
    symmetries=("translation", "rotation"),
    fitted=True,
)
