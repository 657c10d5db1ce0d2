"""Spec of `botan`."""

from zoo.registry.spec import ModelSpec

SPEC = ModelSpec(
    name="botan",
    summary="The network of Bapst et al. that also predicts how pairs of neighbours part; sees directions.",
    target="zoo.models.botan.model:Botan",
    config="zoo.models.botan.config:BotanConfig",
    citation="Shiba, Hanai, Suzumura, Shimokawabe, J. Chem. Phys. 158, 084503 (2023), 10.1063/5.0129791",
    tasks=("propensity",),
    symmetries=("permutation", "translation", "periodic"),
    recipes={
        "propensity": {
            "optim.lr": 1e-3,
            "optim.warmup_steps": 20,
            "train.batch_size": 1,
            "train.ema": 0.98,
            "task.rotations": "octahedral",
            "task.pair_weight": 0.6,
        },
    },
)
