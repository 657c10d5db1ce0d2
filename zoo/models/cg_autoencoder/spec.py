"""Spec of `cg-autoencoder`."""

from zoo.registry.spec import ModelSpec

SPEC = ModelSpec(
    name="cg-autoencoder",
    summary="Learned assignment of particles to beads by annealed Gumbel-softmax, linear decoder.",
    target="zoo.models.cg_autoencoder.model:CGAutoencoder",
    config="zoo.models.cg_autoencoder.config:CGAutoencoderConfig",
    citation="Wang & Gómez-Bombarelli, npj Comput. Mater. 5, 125 (2019), arXiv:1812.02706",
    tasks=("reconstruction",),
    symmetries=("translation", "rotation"),
    recipes={
        "reconstruction": {
            "optim.name": "adam",
            "optim.lr": 0.1,
            "optim.schedule": "cosine",
            "train.epochs": 20,
            "train.gradient_clip": None,
        }
    },
)
