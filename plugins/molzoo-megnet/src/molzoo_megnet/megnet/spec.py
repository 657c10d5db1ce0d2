"""Spec of `megnet`: read by `zoo show` and `zoo train`, so it imports nothing heavy."""

from zoo.registry.spec import ModelSpec

SPEC = ModelSpec(
    name="megnet",
    summary="MEGNet: edges, nodes and a global state updated in turn; invariant, smooth at the cutoff.",
    target="molzoo_megnet.megnet.model:MEGNet",
    config="molzoo_megnet.megnet.config:MEGNetConfig",
    citation="Chen, Ye, Zuo, Zheng, Ong, Chem. Mater. 31, 3564 (2019), arXiv:1812.05055",
    tasks=("forces", "propensity"),
    recipes={
        "propensity": {
            "optim.lr": 3e-3,
            "optim.weight_decay": 1e-2,
            "train.batch_size": 1,
            "train.ema": 0.98,
        },
    },
)
