"""An earlier dataset of the same request, of which only the missing arrays are computed."""

from __future__ import annotations

from collections.abc import Mapping
from importlib.metadata import version
from pathlib import Path
from typing import Any

from zoo import keys
from zoo.data.dataset import Dataset
from zoo.errors import DataError

#: Options that an earlier dataset need not share: what they decide is computed from its positions.
LATER = ("cage_time", "cage_radius", "hop_window", "hop_spacing", "quiet_time")


def reused(folder: str, name: str, seed: int, request: Mapping[str, Any]) -> Dataset:
    """Open the dataset in `folder` and see that it is the one that `request` asks for.

    Every piece of a simulation is a pure function of options, seed and the configuration that it
    starts from: what is added is bit for bit what making the whole again would give.

    Raises:
        DataError: there is none, or it has another name, seed, option or version of LAMMPS.
    """
    dataset = Dataset(Path(folder), verify=True)
    provenance = dataset.manifest.provenance
    mine = {
        "name": name,
        "seed": seed,
        "engine": f"LAMMPS {version('lammps')}",
        **{key: value for key, value in request.items() if key not in LATER},
    }
    theirs = {
        "name": dataset.manifest.name,
        "seed": provenance.get("seed"),
        "engine": provenance.get("engine"),
        **{key: value for key, value in provenance.get("options", {}).items() if key not in LATER},
    }
    differ = sorted(key for key in mine.keys() | theirs.keys() if mine.get(key) != theirs.get(key))
    if differ:
        told = ", ".join(f"{key} {theirs.get(key)!r}, not {mine.get(key)!r}" for key in differ)
        raise DataError(f"reuse={folder}: that dataset has {told}; make the new one without it")
    for later in (keys.CAGE, keys.P_HOP, keys.REARRANGES):
        dataset.arrays.pop(later, None)
    return dataset
