"""Spec of `equivariant-flow`."""

from zoo.registry.spec import ModelSpec

SPEC = ModelSpec(
    name="equivariant-flow",
    summary="Continuous flow on Cartesian coordinates, equivariant field (egnn or gat), flow matching.",
    target="zoo.models.equivariant_flow.model:EquivariantFlow",
    config="zoo.models.equivariant_flow.config:EquivariantFlowConfig",
    citation=(
        "Köhler, Klein, Noé, ICML 2020, arXiv:2006.02425; Satorras et al., NeurIPS 2021, arXiv:2105.09016; "
        "Klein, Krämer, Noé, NeurIPS 2023, arXiv:2306.15030"
    ),
    tasks=("density",),
    recipes={
        "density": {
            "optim.lr": 4e-3,
            "train.batch_size": 256,
            "train.epochs": 150,
            "train.ema": 0.995,
            "train.gradient_clip": 5.0,
            "train.validate_every": 5,
            # a density costs some forty evaluations of the field: draws are dear, matching is not
            "task.objective": "data",
            "task.samples": 2000,
            "task.val_samples": 512,
        }
    },
    symmetries=("translation", "rotation", "permutation"),
)
