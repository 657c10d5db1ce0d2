"""Spec of `schnet`."""

from zoo.registry.spec import ModelSpec

SPEC = ModelSpec(
    name="schnet",
    summary="Continuous-filter convolutions; invariant, quick, the field's usual reference.",
    target="zoo.models.schnet.model:SchNet",
    config="zoo.models.schnet.config:SchNetConfig",
    citation="Schütt et al., NeurIPS 2017, arXiv:1706.08566",
    tasks=("forces", "propensity"),
    recipes={
        # many small steps at a high rate: 1e-2 halves the error that 2e-3 reaches in a minute
        "forces": {
            "optim.lr": 1e-2,
            "optim.warmup_steps": 200,
            "train.batch_size": 16,
            "train.ema": 0.999,
        },
        "propensity": {
            "optim.lr": 5e-3,
            "optim.weight_decay": 1e-2,
            "train.batch_size": 1,
            "train.ema": 0.98,
            "model.hidden_channels": 32,
            "model.num_filters": 32,
            "model.num_interactions": 2,
            "model.num_gaussians": 25,
            "model.dropout": 0.1,
        },
    },
)
