"""Folders as `zoo train` leaves them, of a density that is fitted in a moment."""

from __future__ import annotations

from pathlib import Path

from zoo.data.catalog import open_dataset
from zoo.verbs.evaluate import data_digest, fitted
from zoo.weights import save_weights


def laplace_run(dataset: str | Path, folder: Path, objective: str = "recipe") -> Path:
    """Fit `laplace` on a dataset and save it with its card."""
    data = open_dataset(dataset)
    model = fitted("laplace", {}, data.split("train"), {"name": "density", "objective": objective})
    folder.mkdir(parents=True)
    facts = {"task": {"name": "density"}, "dataset": {"name": str(dataset), "digest": data_digest(data)}}
    save_weights(model, folder, "laplace", **facts)
    return folder
