"""Structures that a network makes, to be turned by hand: draws, or decoded beside what was encoded."""

from __future__ import annotations

import numpy as np
import torch

from zoo import keys
from zoo.analysis.structures import rmsd
from zoo.config import Strict
from zoo.data.dataset import Frames
from zoo.errors import ConfigError, RunFailed
from zoo.models.autoencoder import AutoencoderModel
from zoo.models.density import DensityModel
from zoo.tasks.metrics import metric
from zoo.verbs.evaluate import predict
from zoo.verbs.inside.record import Inside
from zoo.verbs.inside.subject import Subject

#: Structures, unless told.
FRAMES = 20


class Options(Strict):
    """None."""


def look(
    subject: Subject, options: Options, *, against: Subject | None, frames: int | None, seed: int
) -> Inside:
    """Keep draws of a density, or frames of a split with what an autoencoder makes of each.

    Returns:
        `positions [structures, particles, 3]` and what is bound to what; of an autoencoder originals and
        decoded ones take turns. `facts["notes"]` has a line for each.

    Raises:
        ConfigError: the network makes no structures, or there is another to compare with.
        RunFailed: what it makes is not finite.
    """
    if against is not None:
        raise ConfigError("samples are compared with nothing")
    model, count = subject.model, frames or FRAMES
    if isinstance(model, DensityModel):
        x, notes = _drawn(model, count, seed)
    elif isinstance(model, AutoencoderModel):
        x, notes = _decoded(subject, count)
    else:
        raise ConfigError(f"{subject.label} makes no structures")
    finite = np.isfinite(x).all((1, 2))
    if not finite.any():
        raise RunFailed(f"no structure that {subject.label} makes is finite")
    system = subject.data.system
    return Inside(
        "samples",
        subject.label,
        {"finite": metric(finite.mean(), "1")},
        {"positions": x[finite], "elements": system.elements, "bonds": system.bonds},
        facts={
            "notes": [note for note, good in zip(notes, finite, strict=True) if good],
            "unit": subject.data.units.length, "dataset": subject.data.name, "seed": seed,
        },
    )  # fmt: skip


def _drawn(model: DensityModel, count: int, seed: int) -> tuple[np.ndarray, list[str]]:
    device = next(iter([*model.parameters(), *model.buffers()])).device
    x, _ = model.sample(count, torch.Generator(device=device).manual_seed(seed))
    return x.cpu().numpy().astype(np.float32), [f"draw {i + 1} of {count}" for i in range(count)]


def _decoded(subject: Subject, count: int) -> tuple[np.ndarray, list[str]]:
    split = subject.data.split(subject.split)
    rows = np.unique(np.linspace(0, len(split) - 1, max(1, count // 2)).round().astype(np.int64))
    chosen = Frames(subject.data, split.index[rows], subject.split)
    found = predict(subject.trained, chosen)
    made = found.get("decoded", found["reconstruction"]).astype(np.float64)
    original = chosen.array(keys.POSITIONS).astype(np.float64)
    apart = rmsd(made, original)
    unit = subject.data.units.length
    notes = []
    for i, frame in enumerate(chosen.index.tolist()):
        notes += [f"frame {frame}", f"frame {frame}, decoded: RMSD {apart[i]:.3g} {unit}"]
    both = np.stack([original, made], 1).reshape(-1, *made.shape[1:])
    return both.astype(np.float32), notes
