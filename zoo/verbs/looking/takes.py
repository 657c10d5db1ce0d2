"""Which looks are taken of a network that trains, and how small."""

from __future__ import annotations

from dataclasses import dataclass, field
from importlib import import_module
from typing import Any

import numpy as np

from zoo import keys
from zoo.analysis.flags import Flag
from zoo.analysis.health import collapse
from zoo.config import nest, validated
from zoo.data.dataset import Frames
from zoo.data.info import Interface
from zoo.verbs.evaluate import predict
from zoo.verbs.inside.analyze import LOOKS
from zoo.verbs.inside.record import Inside
from zoo.verbs.inside.subject import Subject

#: Looks that have a meaning for a network in training alone.
SMALL = {
    "slice": "zoo.verbs.inside.slice",
    "samples": "zoo.verbs.inside.samples",
}
#: Frames whose predictions are compared with what they shall be.
JUDGED = 8


@dataclass(frozen=True)
class Take:
    """How a look is taken.

    Args:
        frames: how many.
        settings: options of the kind of look.
    """

    frames: int
    settings: dict[str, Any] = field(default_factory=dict)


LAYERS = {"split": "val", "line_search": False}
LATENT = Take(200, {"nulls": 10, "steps": 9})
#: By interface, in the order in which they are taken: those that are quick first.
TAKES: dict[Interface, dict[str, Take]] = {
    "density": {
        "samples": Take(40), "conformations": Take(400), "latent": LATENT, "layers": Take(8, LAYERS),
    },
    "autoencoder": {
        "samples": Take(20), "conformations": Take(400), "latent": LATENT, "layers": Take(8, LAYERS),
    },
    "node": {"slice": Take(2), "layers": Take(2, LAYERS)},
    "potential": {"layers": Take(8, LAYERS)},
}  # fmt: skip


def taken(subject: Subject) -> list[str]:
    """Kinds of look that a network of this interface has."""
    return list(TAKES[subject.model.info.interface])


def take(kind: str, subject: Subject) -> Inside:
    """Look at `subject`, small. Raises what the look raises."""
    how = TAKES[subject.model.info.interface][kind]
    module = import_module({**LOOKS, **SMALL}[kind])
    options = validated(module.Options, nest(how.settings))
    found: Inside = module.look(subject, options, against=None, frames=how.frames, seed=0)
    return found


def prediction_flags(subject: Subject) -> list[Flag]:
    """Say whether predicted forces or targets of some frames of the split are all the same."""
    split = subject.data.split(subject.split)
    named = {"potential": (keys.FORCES, "forces"), "node": (keys.TARGETS, "targets")}
    key, what = named.get(subject.model.info.interface, ("", ""))
    if key not in subject.data.arrays:
        return []
    rows = np.unique(np.linspace(0, len(split) - 1, JUDGED).round().astype(np.int64))
    frames = Frames(subject.data, split.index[rows], subject.split)
    guess, truth = predict(subject.trained, frames)[key], frames.array(key)
    width = truth.shape[-1]
    found = collapse(what, guess.reshape(-1, width), truth.reshape(-1, width))
    return [] if found is None else [found]
