"""Spec of `spline-flow`."""

from zoo.registry.spec import ModelSpec

SPEC = ModelSpec(
    name="spline-flow",
    summary="Circular rational-quadratic spline couplings on internal coordinates; the published standard.",
    target="zoo.models.spline_flow.model:SplineFlow",
    config="zoo.models.spline_flow.model:SplineFlowConfig",
    citation="Midgley et al., ICLR 2023, arXiv:2208.01893; Rezende et al., ICML 2020, arXiv:2002.02428",
    tasks=("density",),
    symmetries=("translation",),
)
