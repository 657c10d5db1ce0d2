"""Conformations of a subject: a density draws, an autoencoder decodes or draws, a potential moves."""

from __future__ import annotations

import numpy as np
import torch

from zoo.analysis.weights import clipped, ess, log_weights, normalised
from zoo.data.potential import has_potential, potential_of
from zoo.errors import ConfigError, DataError, RunFailed
from zoo.models.autoencoder import AutoencoderModel
from zoo.models.density import DensityModel
from zoo.progress import progress
from zoo.tasks.density.predictions import scored
from zoo.verbs.drawing import chunks
from zoo.verbs.inside.conformations.made import made
from zoo.verbs.inside.conformations.motion import simulated
from zoo.verbs.inside.conformations.options import Options
from zoo.verbs.inside.conformations.sample import DRAWN, Sample, of_dataset
from zoo.verbs.inside.subject import Subject


def conformations_of(subject: Subject, options: Options, frames: int | None, seed: int) -> Sample:
    """Return what there is to look at.

    Args:
        subject: run, dataset or file.
        options: of the look.
        frames: how many; by default all of a dataset, 2000 draws of a network.
        seed: of draws.

    Raises:
        ConfigError: the run makes no conformations.
        DataError: periodic data, or positions that are not finite.
        RunFailed: no draw is finite, or every replica broke down.
    """
    data = subject.data
    if subject.task is None:
        return of_dataset(data, data.split("all"), subject.label, frames, options.spacing)
    model = subject.model.eval()
    kind = model.info.interface
    if kind == "node":
        raise ConfigError(
            f"{subject.label} predicts targets of particles and makes no conformations: look at "
            f"`zoo analyze {subject.folder or subject.label} latent`, or layers"
        )
    if isinstance(model, DensityModel):
        return _drawn(subject, model, options, frames or DRAWN, seed)
    if options.reweight:
        raise ConfigError(f"reweight is for draws of a density, and {subject.label} is none")
    if isinstance(model, AutoencoderModel):
        sample = getattr(model, "sample", None)
        if sample is None:
            return _decoded(subject, model, frames)
        generator = torch.Generator().manual_seed(seed)
        n = frames or DRAWN
        x = sample(n, generator).cpu().numpy()
        return made(subject, x, f"{n} structures from latents of the prior", "draws have no time")
    return simulated(subject, model, frames, seed)


def reference_of(
    subject: Subject, against: Subject | None, options: Options, frames: int | None, seed: int
) -> Sample | None:
    """Return what the subject is compared with: `against`, or the split of a run's own data.

    Raises:
        DataError: it is of other particles.
    """
    if against is not None:
        own = options.model_copy(update={"reweight": options.reweight and against.task is not None})
        found = conformations_of(against, own, frames if against.task is not None else None, seed + 1)
    elif subject.task is not None:
        data = subject.data
        split = subject.split if subject.split in data.manifest.splits else "all"
        found = of_dataset(data, data.split(split), f"{data.name}, {split} split", None, options.spacing)
    else:
        return None
    same = found.system.types.tolist() == subject.data.system.types.tolist()
    if not same or found.units.name != subject.data.units.name:
        raise DataError(f"{found.label} is not of the particles of {subject.label}: they cannot be compared")
    return found


# --- what networks make -----------------------------------------------------------------------------


def _drawn(subject: Subject, model: DensityModel, options: Options, n: int, seed: int) -> Sample:
    data = subject.data
    kT = None if data.temperature is None else data.units.boltzmann * data.temperature
    if options.reweight and (kT is None or not has_potential(data)):
        raise ConfigError(f"reweight needs an energy function and a temperature, and {data.name} lacks one")
    potential = potential_of(data) if options.reweight else None
    like = next(t for t in [*model.parameters(), *model.buffers()] if t.is_floating_point())
    generator = torch.Generator(device=like.device).manual_seed(seed)
    nothing = np.zeros((0, 4), np.int64)
    parts: list[dict[str, np.ndarray]] = []
    with progress("drawing", n, "draws") as bar:
        for rows in chunks(n, data.system.num_particles):
            x, log_prob = model.sample(len(rows), generator)
            part = {"positions": x.cpu().numpy()}
            if potential is not None:
                part |= scored(model, x, log_prob, potential, nothing)
            parts.append(part)
            bar.advance(len(rows))
    found = {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
    weights = None
    what = f"{n} draws"
    if kT is not None and options.reweight:
        weights = clipped(
            normalised(log_weights(found["energy"], found["log_volume"], found["log_prob"], kT))
        )
        if not weights.any():
            raise RunFailed(f"no draw of {subject.label} has a finite energy: leave reweight out")
        what += f" with importance weights (effective share {ess(weights):.2g})"
    return made(subject, found["positions"], what, "draws have no time", weights=weights)


def _decoded(subject: Subject, model: AutoencoderModel, frames: int | None) -> Sample:
    data = subject.data
    split = subject.split if subject.split in data.manifest.splits else "all"
    originals = of_dataset(data, data.split(split), subject.label, frames)
    like = next((t for t in [*model.parameters(), *model.buffers()] if t.is_floating_point()), torch.zeros(1))
    parts = []
    with torch.no_grad():
        for i in range(0, len(originals), 256):
            x = torch.from_numpy(originals.positions[i : i + 256].astype(np.float64)).to(like)
            parts.append(model.reconstruct(x - x.mean(1, keepdim=True)).cpu().numpy())
    return made(
        subject, np.concatenate(parts), f"decoded frames of the {split} split",
        "decoded frames move as the originals do", originals.run, originals.weights,
    )  # fmt: skip
