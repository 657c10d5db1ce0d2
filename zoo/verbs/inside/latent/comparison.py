"""How alike two latents are: layers of one network, or of two."""

from __future__ import annotations

import numpy as np

from zoo.analysis.latent.similarity import Similarity, linear_cka, procrustes_distance, similarity
from zoo.errors import ConfigError
from zoo.verbs.evaluate import check_fits
from zoo.verbs.inside.latent.samples import Samples, same_layers, varying
from zoo.verbs.inside.subject import Subject


def layer_matrix(one: dict[str, np.ndarray], other: dict[str, np.ndarray]) -> np.ndarray:
    """Return linear CKA of each layer of one network with each of the other `[layers, others]`."""
    return np.array([[linear_cka(x, y) for y in other.values()] for x in one.values()])


def other_layers(against: Subject, samples: Samples) -> dict[str, np.ndarray]:
    """Return what a second run's network makes of the same samples.

    Raises:
        ConfigError: it is no run, or knows no samples of this kind.
        DataError: its network was trained on another system.
    """
    if against.task is None:
        raise ConfigError(f"--against takes a second run to compare latents with; {against.label} is none")
    node = against.task.interface == "node"
    if (samples.rows is not None) != node:
        raise ConfigError("one of the two runs has particles as samples, the other frames: no common samples")
    check_fits(against.task.model, samples.frames.dataset)
    return varying(same_layers(against.task, samples))


def compared(samples: Samples, other: np.ndarray, seed: int) -> dict[str, Similarity]:
    """Return CKA and Procrustes distance of two latents, with errors and nulls."""
    free = samples.rows is not None
    return {
        name: similarity(measure, samples.flat, other, samples.block, free=free, seed=seed)
        for name, measure in {"cka": linear_cka, "procrustes": procrustes_distance}.items()
    }
