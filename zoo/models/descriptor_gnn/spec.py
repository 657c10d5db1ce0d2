"""Spec of `descriptor-gnn`."""

from zoo.registry.spec import ModelSpec

SPEC = ModelSpec(
    name="descriptor-gnn",
    summary="Scalar messages with fixed radial weights between particles that know their descriptors.",
    target="zoo.models.descriptor_gnn.model:DescriptorGNN",
    config="zoo.models.descriptor_gnn.config:DescriptorGNNConfig",
    tasks=("propensity",),
    recipes={
        "propensity": {
            "model.descriptors.centered": True,
            "task.loss": "mse",
            "task.type_weights": {1: 0.3},
            "optim.lr": 3e-3,
            "optim.weight_decay": 1e-2,
            "optim.warmup_steps": 20,
            "train.batch_size": 1,
            "train.ema": 0.98,
            "train.epochs": 48,
        },
    },
)
