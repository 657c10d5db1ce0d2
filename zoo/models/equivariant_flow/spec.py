"""Spec of `equivariant-flow`."""

from zoo.registry.spec import ModelSpec

SPEC = ModelSpec(
    name="equivariant-flow",
    summary="Continuous flow on Cartesian coordinates, equivariant field (egnn or gat), flow matching.",
    target="zoo.models.equivariant_flow.model:EquivariantFlow",
    config="zoo.models.equivariant_flow.config:EquivariantFlowConfig",
    citation=(
        "Köhler, Klein, Noé, ICML 2020, arXiv:2006.02425; Satorras et al., NeurIPS 2021, arXiv:2105.09016; "
        "Klein, Krämer, Noé, NeurIPS 2023, arXiv:2306.15030"
    ),
    tasks=("density",),
    symmetries=("translation", "rotation", "permutation"),
)
