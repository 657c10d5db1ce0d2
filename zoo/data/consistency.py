"""What must hold between a manifest and its arrays: asked before writing and after opening."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np

from zoo import keys
from zoo.data.splits import Ranges, check_disjoint
from zoo.data.system import System
from zoo.errors import DataError


def check_consistency(
    where: Path,
    system: System,
    arrays: Mapping[str, np.ndarray],
    splits: dict[str, Ranges],
    target_names: list[str],
    target_times: list[float],
) -> None:
    """Raise `DataError` where sizes, splits, cell or targets do not fit together."""
    if keys.POSITIONS not in arrays:
        raise DataError(f"{where}: the dataset has no positions")
    frames, particles = arrays[keys.POSITIONS].shape[:2]
    if frames == 0 or particles == 0:
        raise DataError(f"{where}: the dataset holds {frames} frames of {particles} particles")
    if particles != system.num_particles:
        raise DataError(
            f"{where}: positions of {particles} particles, but the system has {system.num_particles}"
        )
    for name, array in arrays.items():
        if len(array) != frames:
            raise DataError(f"{where}: {name} has {len(array)} frames of {frames}")
    if system.periodic and keys.CELLS not in arrays:
        raise DataError(f"{where}: the system is periodic but there is no cell (box)")
    if keys.TARGETS in arrays:
        number = arrays[keys.TARGETS].shape[-1]
        for what, given in (("target_names", target_names), ("target_times", target_times)):
            if given and len(given) != number:
                raise DataError(f"{where}: {len(given)} {what} for {number} targets")
    check_disjoint(splits, frames)
