"""Spec of `schnet`."""

from zoo.registry.spec import ModelSpec

SPEC = ModelSpec(
    name="schnet",
    summary="Continuous-filter convolutions; invariant, quick, the field's usual reference.",
    target="zoo.models.schnet.model:SchNet",
    config="zoo.models.schnet.config:SchNetConfig",
    citation="Schütt et al., NeurIPS 2017, arXiv:1706.08566",
    tasks=("forces", "propensity"),
)
