"""The methods that are compared, and their settings at two-core size."""

from __future__ import annotations

from typing import Any

from zoo.bench.suite import Row
from zoo.registry import REGISTRY

#: Of ridge: densities alone; and all that the field used before message passing, without the long range.
RADIAL: dict[str, Any] = {
    "model.descriptors.diffused": [],
    "model.descriptors.energy": False,
    "model.descriptors.averages": 0,
}
NEIGHBOURS: dict[str, Any] = {"model.descriptors.diffused": [], "model.descriptors.orders": 12}

#: Model, label, settings.
ROWS: tuple[tuple[str, str, dict[str, Any]], ...] = (
    ("type-mean", "", {}),
    ("ridge", "thermal, radial", RADIAL),
    ("ridge", "inherent, averaged", {**NEIGHBOURS, "task.positions": "inherent"}),
    ("ridge", "inherent, diffused", {"task.positions": "inherent"}),
    ("ridge", "cage, no offset", {"task.positions": "cage", "model.descriptors.offset": False}),
    ("ridge", "cage, diffused", {"task.positions": "cage"}),
    ("descriptor-gnn", "cage", {"task.positions": "cage"}),
    ("descriptor-gnn", "cage, ensemble", {"task.positions": "cage", "task.members": 4}),
    ("softness-svm", "inherent", {"task.positions": "inherent"}),
    ("softness-svm", "pairs alone", {"task.positions": "inherent", "model.pair_correlation_only": True}),
    ("glass-mlp", "inherent", {"task.positions": "inherent"}),
    ("bapst", "thermal", {}),
    ("botan", "thermal", {}),
    ("schnet", "inherent", {"task.positions": "inherent"}),
    ("gat", "inherent", {"task.positions": "inherent"}),
    ("molzoo-megnet:megnet", "inherent", {"task.positions": "inherent"}),
    ("se3-glass", "inherent", {"task.positions": "inherent"}),
)

#: Epochs of what is trained by gradient descent, and with `--quick`.
EPOCHS, QUICK = 30, 6


def rows(dataset: str, quick: bool) -> tuple[Row, ...]:
    """Return a row for each method on a dataset; a plugin's where it is installed."""
    out = []
    for model, label, settings in ROWS:
        if ":" in model and not _installed(model):
            continue
        spec: Any = REGISTRY.get("models", model)
        length = {} if spec.fitted else {"train.epochs": QUICK if quick else EPOCHS}
        words = label.replace(", ", "-").replace(" ", "-")
        out.append(Row(model, dataset, "propensity", {**settings, **length}, words))
    return tuple(out)


def _installed(model: str) -> bool:
    return model.partition(":")[2] in REGISTRY.names("models") or model in REGISTRY.names("models")
