"""Metrics of forces and energies."""

from __future__ import annotations

import numpy as np

from zoo import keys
from zoo.coarse.noise import noise_floor
from zoo.data.dataset import Frames
from zoo.tasks.base import Predictions
from zoo.tasks.metrics import Metric, block_means, metric, standard_error


def force_scores(predictions: Predictions, frames: Frames) -> dict[str, Metric]:
    """Mean absolute and root mean square errors per component, and of the total energy."""
    units = frames.dataset.units
    residual = predictions[keys.FORCES] - frames.array(keys.FORCES).astype(np.float64)
    absolute = np.abs(residual).mean((1, 2))
    blocks = _blocks(frames)
    out = {
        "force_mae": metric(absolute.mean(), units.force, standard_error(block_means(absolute, blocks))),
        "force_rmse": metric(np.sqrt((residual**2).mean()), units.force),
    }
    if keys.ENERGIES in frames.dataset.arrays:
        error = np.abs(predictions[keys.ENERGY] - frames.array(keys.ENERGIES))
        out["energy_mae"] = metric(error.mean(), units.energy, standard_error(block_means(error, blocks)))
    return out


def floor_scores(predictions: Predictions, frames: Frames) -> dict[str, Metric]:
    """Mean square error per component beside the noise in it; `excess` is the error of the mean forces."""
    unit = f"({frames.dataset.units.force})²"
    residual = frames.array(keys.FORCES).astype(np.float64) - predictions[keys.FORCES]
    square = (residual**2).mean((1, 2))
    out = {"force_mse": metric(square.mean(), unit, standard_error(block_means(square, _blocks(frames))))}
    runs = frames.dataset.runs()[frames.index]
    found = noise_floor(frames.array(keys.POSITIONS).astype(np.float64), residual, runs)
    if found is not None:
        out["noise_floor"] = metric(found.floor, unit, found.floor_error)
        out["excess"] = metric(found.excess, unit, found.excess_error)
    return out


def denoising_scores(predictions: Predictions, frames: Frames) -> dict[str, Metric]:
    """Mean square error per component of the forces that undo noise, and their own mean square."""
    unit = f"({frames.dataset.units.force})²"
    target = predictions["denoising_target"].astype(np.float64)
    square = ((predictions["denoising"] - target) ** 2).mean((1, 2))
    return {
        "denoising_mse": metric(square.mean(), unit, standard_error(block_means(square, _blocks(frames)))),
        "denoising_mean_square": metric((target**2).mean(), unit),
    }


def _blocks(frames: Frames) -> np.ndarray:
    """Number the contiguous stretches of frames of one run."""
    index = frames.index
    new = np.diff(index) != 1
    if keys.RUN in frames.dataset.arrays:
        new |= np.diff(frames.array(keys.RUN)) != 0
    return np.concatenate([[0], np.cumsum(new)])
