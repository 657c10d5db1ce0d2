"""Spec of `bapst`."""

from zoo.registry.spec import ModelSpec

SPEC = ModelSpec(
    name="bapst",
    summary="Encode-process-decode: seven rounds of messages with shared weights; sees directions.",
    target="zoo.models.bapst.model:Bapst",
    config="zoo.models.bapst.config:BapstConfig",
    citation="Bapst et al., Nat. Phys. 16, 448 (2020), 10.1038/s41567-020-0842-8",
    tasks=("propensity",),
    symmetries=("permutation", "translation", "periodic"),
    recipes={
        "propensity": {
            "optim.lr": 1e-3,
            "optim.warmup_steps": 20,
            "train.batch_size": 1,
            "train.ema": 0.98,
            "task.rotations": "octahedral",
            "task.type_weights": {1: 0.3},
        },
    },
)
