"""Spec of `glass-mlp`."""

from zoo.registry.spec import ModelSpec

SPEC = ModelSpec(
    name="glass-mlp",
    summary="GlassMLP: a small network of each type on coarse-grained energy, density and Voronoi cells.",
    target="zoo.models.glass_mlp.model:GlassMLP",
    config="zoo.models.glass_mlp.config:GlassMLPConfig",
    citation="Jung, Biroli, Berthier, Phys. Rev. Lett. 130, 238202 (2023), arXiv:2210.16623",
    tasks=("propensity",),
    recipes={
        "propensity": {
            "optim.lr": 1e-2,
            "optim.weight_decay": 1e-2,
            "train.batch_size": 1,
            "train.ema": 0.98,
            "train.epochs": 60,
        }
    },
)
