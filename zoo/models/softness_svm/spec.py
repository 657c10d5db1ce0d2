"""Spec of `softness-svm`."""

from zoo.registry.spec import ModelSpec

SPEC = ModelSpec(
    name="softness-svm",
    summary="Softness: linear support vector machine on structure functions, which particles rearrange.",
    target="zoo.models.softness_svm.model:SoftnessSVM",
    config="zoo.models.softness_svm.config:SoftnessConfig",
    citation="Schoenholz et al., Nat. Phys. 12, 469 (2016); Landes et al., Phys. Rev. E 101, 010602 (2020)",
    tasks=("propensity",),
    fitted=True,
)
