"""Spec of `se3-glass`."""

from zoo.registry.spec import ModelSpec

SPEC = ModelSpec(
    name="se3-glass",
    summary="Equivariant messages of scalars, vectors and quadrupoles from type and potential energy.",
    target="zoo.models.se3_glass.model:SE3Glass",
    config="zoo.models.se3_glass.config:SE3GlassConfig",
    citation="Pezzicoli, Charpiat, Landes, SciPost Phys. 16, 136 (2024), 10.21468/SciPostPhys.16.5.136; "
    "Jiang et al. (EIGNN), in arXiv:2311.14752",
    requires=("e3nn",),
    tasks=("propensity",),
    recipes={
        "propensity": {
            "optim.lr": 5e-3,
            "optim.weight_decay": 1e-2,
            "optim.warmup_steps": 20,
            "train.batch_size": 1,
            "train.ema": 0.98,
            "task.positions": "inherent",
            "task.type_weights": {1: 0.3},
            "model.channels": 8,
            "model.num_layers": 2,
        },
    },
)
