"""zoo: datasets and graph networks for molecules and soft matter.

Importing it is quick: nothing heavy is imported before it is used.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from zoo.version import __version__

if TYPE_CHECKING:
    from zoo.data.catalog import open_dataset as load_dataset
    from zoo.drivers.ase import calculator
    from zoo.registry import register
    from zoo.run import Run
    from zoo.verbs.create import (
        create_model,
        list_benchmarks,
        list_datasets,
        list_models,
        list_tasks,
    )
    from zoo.verbs.embed import embed
    from zoo.verbs.evaluate import evaluate
    from zoo.verbs.inside.analyze import analyze
    from zoo.verbs.large import predict
    from zoo.verbs.sample import sample
    from zoo.verbs.train import train
    from zoo.weights import load

#: Public name to where it lives.
_PUBLIC = {
    "Run": "zoo.run:Run",
    "analyze": "zoo.verbs.inside.analyze:analyze",
    "calculator": "zoo.drivers.ase:calculator",
    "create_model": "zoo.verbs.create:create_model",
    "embed": "zoo.verbs.embed:embed",
    "evaluate": "zoo.verbs.evaluate:evaluate",
    "list_benchmarks": "zoo.verbs.create:list_benchmarks",
    "list_datasets": "zoo.verbs.create:list_datasets",
    "list_models": "zoo.verbs.create:list_models",
    "list_tasks": "zoo.verbs.create:list_tasks",
    "load": "zoo.weights:load",
    "load_dataset": "zoo.data.catalog:open_dataset",
    "predict": "zoo.verbs.large:predict",
    "register": "zoo.registry:register",
    "sample": "zoo.verbs.sample:sample",
    "train": "zoo.verbs.train:train",
}

__all__ = [
    "Run",
    "__version__",
    "analyze",
    "calculator",
    "create_model",
    "embed",
    "evaluate",
    "list_benchmarks",
    "list_datasets",
    "list_models",
    "list_tasks",
    "load",
    "load_dataset",
    "predict",
    "register",
    "sample",
    "train",
]


def __getattr__(name: str) -> Any:
    if name not in _PUBLIC:
        raise AttributeError(f"module 'zoo' has no attribute {name!r}")
    module, _, attribute = _PUBLIC[name].partition(":")
    value = getattr(import_module(module), attribute)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
