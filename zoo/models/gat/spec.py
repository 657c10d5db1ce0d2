"""Spec of `gat`."""

from zoo.registry.spec import ModelSpec

SPEC = ModelSpec(
    name="gat",
    summary="Graph attention with radial edge features, smooth at the cutoff; invariant.",
    target="zoo.models.gat.model:GAT",
    config="zoo.models.gat.config:GATConfig",
    citation="Veličković et al., ICLR 2018, arXiv:1710.10903; Brody et al., ICLR 2022, arXiv:2105.14491",
    tasks=("propensity", "forces"),
)
