"""Spec of `mixture-flow`."""

from zoo.registry.spec import ModelSpec

SPEC = ModelSpec(
    name="mixture-flow",
    summary="Spline couplings of a learned mixture on the torus, whose index is summed over exactly.",
    target="zoo.models.mixture_flow.model:MixtureFlow",
    config="zoo.models.mixture_flow.model:MixtureFlowConfig",
    citation="resampled and mixture bases: Stimper et al., AISTATS 2022, arXiv:2110.15828",
    tasks=("density",),
    symmetries=("translation",),
)
