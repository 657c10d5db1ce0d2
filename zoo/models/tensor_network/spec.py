"""Spec of `tensor-network`."""

from zoo.registry.spec import ModelSpec

SPEC = ModelSpec(
    name="tensor-network",
    summary="Equivariant messages of scalars and vectors, as in NequIP; tells left from right.",
    target="zoo.models.tensor_network.model:TensorNetwork",
    config="zoo.models.tensor_network.config:TensorNetworkConfig",
    citation="Thomas et al. 2018, arXiv:1802.08219; Batzner et al., Nat. Commun. 2022, arXiv:2101.03164",
    requires=("e3nn",),
    tasks=("forces", "propensity"),
    recipes={
        "forces": {
            "optim.lr": 5e-3,
            "optim.warmup_steps": 100,
            "train.batch_size": 16,
            "train.ema": 0.99,
        },
        "propensity": {
            "optim.lr": 5e-3,
            "optim.weight_decay": 1e-2,
            "train.batch_size": 1,
            "train.ema": 0.98,
            "model.channels": 8,
        },
    },
)
