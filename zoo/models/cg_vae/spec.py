"""Spec of `cg-vae`."""

from zoo.registry.spec import ModelSpec

SPEC = ModelSpec(
    name="cg-vae",
    summary="Variational, equivariant decoder of beads: one bead configuration, many sound structures.",
    target="zoo.models.cg_vae.model:CGVAE",
    config="zoo.models.cg_vae.config:CGVAEConfig",
    citation="after Wang et al., ICML 2022, arXiv:2201.12176 (CGVAE)",
    tasks=("reconstruction",),
    symmetries=("translation", "rotation"),
    recipes={
        "reconstruction": {
            "optim.lr": 2e-3,
            "optim.warmup_steps": 100,
            "train.batch_size": 16,
            "train.epochs": 30,
            "train.ema": 0.999,
        }
    },
)
