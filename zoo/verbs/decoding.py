"""`zoo data decode`: a dataset of particles from beads, the way back of `zoo data map`."""

from __future__ import annotations

import zipfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch

from zoo import keys
from zoo.coarse.beads import map_of
from zoo.data.catalog import is_registered, open_dataset
from zoo.data.dataset import Dataset
from zoo.data.store import Manifest, dataset_writer
from zoo.errors import ConfigError, DataError, RunError
from zoo.models.autoencoder import AutoencoderModel, BeadAutoencoder, system_of
from zoo.progress import progress
from zoo.run import CONFIG, Run
from zoo.verbs.simulate import SIMULATION
from zoo.version import __version__
from zoo.weights import load, pretrained

#: Numbers of decoded positions that are held at once.
CHUNK = 2_000_000
#: By how much two maps may differ.
ALIKE = 1e-4


def decode_dataset(
    beads: str | Path, by: str | Path, out: Path | None = None, *, draws: int = 0, seed: int = 0
) -> Path:
    """Write the particles that an autoencoder sees in beads, as a dataset.

    Args:
        beads: dataset of beads (as `map_dataset` makes it), or a run of task forces that was simulated.
        by: run (or packaged model) of an autoencoder with the very map that the beads were made by.
        out: folder to make; by default `data/NAME-decoded`.
        draws: structures of each configuration of a variational model, drawn; 0: the most likely one.
        seed: of the draws.

    Raises:
        ConfigError: draws of a model that has but one structure for each configuration.
        DataError: the beads are not those of the autoencoder.
        RunError: no such run, or it is no autoencoder, or was not simulated.
    """
    model = _autoencoder(by)
    if draws and type(model).draw is AutoencoderModel.draw:
        raise ConfigError(
            f"{by} decodes beads to one structure each: leave --draws out, or take a run of cg-vae"
        )
    data, positions, run, time = _beads(beads)
    _check(data, model)
    system = system_of(model.info)
    manifest = Manifest(
        name=f"{data.name}/decoded", version=f"decoded by zoo {__version__}", units=data.manifest.units,
        temperature=data.temperature, system=system.to_json(), splits={},
        provenance={"decoded from": str(beads), "by": str(by), "draws": draws, "seed": seed},
    )  # fmt: skip
    out = out or Path("data") / f"{Path(beads).name}-decoded"
    units = {keys.POSITIONS: data.units.length, keys.RUN: "1", keys.TIME: data.units.time}
    generator = torch.Generator().manual_seed(seed)
    copies = max(1, draws)
    with dataset_writer(out, units) as writer:
        for rows in _chunks(len(positions), CHUNK // (3 * system.num_particles * copies)):
            z = torch.from_numpy(positions[rows].astype(np.float32)).repeat_interleave(copies, 0)
            with torch.no_grad():
                x = model.draw(z, generator) if draws else model.decode(z)
            writer.append({
                keys.POSITIONS: x.numpy().astype(np.float32),
                keys.RUN: np.repeat(run[rows], copies).astype(np.int32),
                keys.TIME: np.repeat(time[rows], copies).astype(np.float64),
            })  # fmt: skip
        writer.finish(manifest)
    return out


def _autoencoder(by: str | Path) -> BeadAutoencoder:
    model = load(str(by) if str(by) in pretrained() else Path(by))
    if not isinstance(model, BeadAutoencoder):
        raise RunError(f"{by} decodes no beads: take a run of cg-vae or cg-autoencoder")
    return model.float()


def _beads(name: str | Path) -> tuple[Dataset, np.ndarray, np.ndarray, np.ndarray]:
    """The dataset of beads, and positions, runs and times of its frames or of a simulation."""
    path = Path(name)
    if not is_registered(str(name)) and (path / CONFIG).is_file():
        kept = path / SIMULATION
        if not kept.is_file():
            raise RunError(f"{name} was not simulated: `zoo sample {name} -n 1000 --out FILE` does it")
        data = open_dataset(Run(path).config.dataset["name"])
        try:
            with np.load(kept, allow_pickle=False) as file:
                positions, run, time = (file[k] for k in ("positions", "replica", "time"))
        except (ValueError, OSError, EOFError, KeyError, zipfile.BadZipFile) as error:
            raise RunError(f"{kept} cannot be read: {error}; `zoo sample` makes it anew") from error
        order = np.lexsort((time, run))
        return data, positions[order], run[order], time[order]
    data = open_dataset(name)
    time = data.array(keys.TIME) if keys.TIME in data.arrays else np.arange(len(data), dtype=np.float64)
    return data, data.array(keys.POSITIONS), data.runs(), np.asarray(time)


def _check(data: Dataset, model: BeadAutoencoder) -> None:
    """Raise `DataError` unless the beads are those of the model's map."""
    known, own = map_of(data.system), model.coarse_map().positions
    if known is None:
        raise DataError(f"{data.name} does not say what map its beads were made by; `zoo data map` writes it")
    if known.positions.shape != own.shape or np.abs(known.positions - own).max() > ALIKE:
        raise DataError(
            f"the beads of {data.name} are not those that the model decodes ({known.positions.shape[0]} of "
            f"{known.positions.shape[1]} particles, the model has {own.shape[0]} of {own.shape[1]}, or they "
            "have other centres); `zoo data map DATASET --to RUN` makes beads by the model's own map"
        )


def _chunks(n: int, size: int) -> Iterator[slice]:
    with progress("decoding", n, "frames") as bar:
        for start in range(0, n, max(1, size)):
            stop = min(start + max(1, size), n)
            yield slice(start, stop)
            bar.advance(stop - start)
