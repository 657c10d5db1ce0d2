"""Spec of `type-mean`."""

from zoo.registry.spec import ModelSpec

SPEC = ModelSpec(
    name="type-mean",
    summary="Baseline: the mean target of each type of particle, whatever its surroundings.",
    target="zoo.models.type_mean.model:TypeMean",
    config="zoo.models.type_mean.model:TypeMeanConfig",
    tasks=("propensity",),
    fitted=True,
)
