"""Spec of `gat-autoencoder`."""

from zoo.registry.spec import ModelSpec

SPEC = ModelSpec(
    name="gat-autoencoder",
    summary="A map of conformations in two (or a few) numbers that generates: graph attention on torsions.",
    target="zoo.models.gat_autoencoder.model:GATAutoencoder",
    config="zoo.models.gat_autoencoder.config:GATAutoencoderConfig",
    citation="Kingma & Welling, ICLR 2014, arXiv:1312.6114; Brody et al., ICLR 2022, arXiv:2105.14491",
    tasks=("reconstruction",),
    symmetries=("translation", "rotation"),
    recipes={
        "reconstruction": {
            "optim.lr": 3e-3,
            "optim.warmup_steps": 50,
            "train.batch_size": 64,
            "train.epochs": 60,
        },
    },
)
