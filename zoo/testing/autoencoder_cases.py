"""What autoencoders are tested on: a peptide with names, masses and forces, so that any map can be made."""

from __future__ import annotations

from functools import cache

import numpy as np
import torch
from torch import Tensor

from zoo import keys
from zoo.data.catalog import open_dataset
from zoo.data.info import DataInfo, data_info
from zoo.models.autoencoder import AutoencoderModel, Objective, SplitAutoencoder
from zoo.testing.systems import System

#: Small, with a backbone, residues, a chiral centre and methyls, whose hydrogens are alike.
MOLECULE = "alanine-dipeptide"
#: Share of the training at which objectives are looked at: warm, so that nothing is decided yet.
PROGRESS = 0.5


@cache
def molecule_info() -> DataInfo:
    """Facts of the molecule."""
    return data_info(open_dataset(MOLECULE).split("train"), "autoencoder")


def molecule_frames(count: int) -> tuple[Tensor, Tensor]:
    """Positions and forces `[count, particles, 3]` float64, evenly spaced in the training split."""
    x, forces = _frames(count)
    return x.clone(), forces.clone()  # a faulty model may change them


@cache
def _frames(count: int) -> tuple[Tensor, Tensor]:
    frames = open_dataset(MOLECULE).split("train")
    rows = np.linspace(0, len(frames) - 1, count).round().astype(int)
    x, f = (frames.array(key)[rows].astype(np.float64) for key in (keys.POSITIONS, keys.FORCES))
    return torch.from_numpy(x), torch.from_numpy(f)


def molecule_systems(count: int) -> list[System]:
    """The same frames one by one, where and as they lie."""
    types = torch.tensor(molecule_info().particle_types)
    return [System(x, types) for x in molecule_frames(count)[0]]


def loss_of(model: AutoencoderModel, x: Tensor, forces: Tensor | None) -> Objective:
    """Return what the model is trained by, with the same noise each time."""
    with torch.random.fork_rng():
        torch.manual_seed(9)
        if isinstance(model, SplitAutoencoder):
            return model.split_objective(PROGRESS)
        return model.objective(x, forces, PROGRESS)
