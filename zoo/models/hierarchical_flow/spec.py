"""Spec of `hierarchical-flow`."""

from zoo.registry.spec import ModelSpec

SPEC = ModelSpec(
    name="hierarchical-flow",
    summary="Torsions by circular splines, then angles and bonds given them, around a Laplace approximation.",
    target="zoo.models.hierarchical_flow.model:HierarchicalFlow",
    config="zoo.models.hierarchical_flow.model:HierarchicalConfig",
    citation="Durkan et al., NeurIPS 2019, arXiv:1906.04032; Rezende et al., ICML 2020, arXiv:2002.02428",
    tasks=("density",),
    symmetries=(),
    recipes={"density": {"train.batch_size": 512, "train.epochs": 60, "train.gradient_clip": 20.0}},
)
