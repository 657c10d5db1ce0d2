"""Spec of `gat`."""

from zoo.registry.spec import ModelSpec

SPEC = ModelSpec(
    name="gat",
    summary="Graph attention with radial edge features, smooth at the cutoff; invariant.",
    target="zoo.models.gat.model:GAT",
    config="zoo.models.gat.config:GATConfig",
    citation="Veličković et al., ICLR 2018, arXiv:1710.10903; Brody et al., ICLR 2022, arXiv:2105.14491",
    tasks=("propensity", "forces"),
    recipes={
        "propensity": {
            "optim.lr": 5e-3,
            "optim.weight_decay": 1e-2,
            "train.batch_size": 1,
            "train.ema": 0.98,
            "model.hidden_channels": 32,
            "model.num_layers": 2,
            "model.num_gaussians": 25,
            "model.dropout": 0.2,
        },
        "forces": {
            "optim.lr": 3e-3,
            "optim.warmup_steps": 100,
            "train.batch_size": 16,
            "train.ema": 0.99,
        },
    },
)
