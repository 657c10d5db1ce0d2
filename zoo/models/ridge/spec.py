"""Spec of `ridge`."""

from zoo.registry.spec import ModelSpec

SPEC = ModelSpec(
    name="ridge",
    summary="Baseline: ridge regression of each type on descriptors of its surroundings, near and far.",
    target="zoo.models.ridge.model:Ridge",
    config="zoo.models.ridge.model:RidgeConfig",
    citation="Boattini, Smallenburg, Filion, Phys. Rev. Lett. 127, 088007 (2021)",
    tasks=("propensity",),
    fitted=True,
)
