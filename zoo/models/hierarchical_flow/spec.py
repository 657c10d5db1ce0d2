"""Spec of `hierarchical-flow`."""

from zoo.registry.spec import ModelSpec

SPEC = ModelSpec(
    name="hierarchical-flow",
    summary="Torsions by circular splines, then angles and bonds given them, around a Laplace approximation.",
    target="zoo.models.hierarchical_flow.model:HierarchicalFlow",
    config="zoo.models.hierarchical_flow.model:HierarchicalConfig",
    citation="Durkan et al., NeurIPS 2019, arXiv:1906.04032; Rezende et al., ICML 2020, arXiv:2002.02428",
    tasks=("density",),
    symmetries=("translation", "rotation"),
    recipes={
        "density": {
            "optim.lr": 1.5e-3,
            "train.batch_size": 512,
            "train.epochs": 60,
            "train.ema": 0.995,
            "train.gradient_clip": 20.0,
            # Reverse KL moves no mass between basins: the torsions learn from weighted draws, which
            # do; the local coordinates by reverse KL, given torsions. Warmer at first: barriers are lower.
            "task.stages": [
                {"share": 0.08, "temperature": 450, "objectives": [{"name": "reverse-kl"}]},
                {
                    "share": 0.92,
                    "objectives": [
                        {"name": "reverse-kl", "part": "local", "refresh": 300, "draws": 40_000},
                        {"name": "buffer", "part": "torsions", "refresh": 300, "draws": 40_000},
                    ],
                },
            ],
        }
    },
)
