"""`sample`: draws of a density run in a file that other programs read, their weights beside it."""

from __future__ import annotations

import json
import math
import os
import tempfile
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import torch

from zoo import keys
from zoo.analysis.peptides import named_torsions
from zoo.analysis.weights import clipped, ess, log_weights, normalised, weight_scores
from zoo.data.catalog import open_dataset
from zoo.data.dataset import Dataset
from zoo.data.export import FORMATS, export
from zoo.data.potential import Potential, has_potential, potential_of
from zoo.errors import ConfigError, DataError, RunError, RunFailed, UnknownName
from zoo.models.density import DensityModel
from zoo.physics.torsions import torsions
from zoo.run import CONFIG, Run
from zoo.tasks.density.scores import basin_members, judged
from zoo.tasks.metrics import Metric, metric
from zoo.verbs.drawing import ROWS, Draws, copied, draw, resampled, write_table
from zoo.verbs.evaluate import check_fits, data_digest
from zoo.verbs.refining import Refined
from zoo.verbs.refining import refine as walked
from zoo.weights import CARD, load, pretrained

#: Formats that name no atoms: `export` writes a pdb beside them.
_BARE = ("xtc", "dcd")
#: Names of columns as arrays of a dataset.
_ARRAYS = {"weight": keys.WEIGHTS, "energy": keys.ENERGIES}
#: Blocks of draws that the error of the ESS is found from.
BLOCKS = 10
#: Draws of a toy that its basins are counted in.
JUDGED = 100_000


@dataclass(frozen=True)
class Sample:
    """What `sample` made.

    Args:
        files: the trajectory, a pdb where it names no atoms, the table of weights.
        metrics: `ess`, `log_z`, `mode_drop`, `energy_evaluations` and the like, as `evaluate` gives them.
        notes: what to know of them, a sentence each.
    """

    files: list[Path]
    metrics: dict[str, Metric] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)


def sample(
    run: Run | Path | str,
    n: int,
    out: Path | str,
    *,
    seed: int = 0,
    temperature: float | None = None,
    resample: bool = False,
    refine: int = 0,
    dataset: str | Path | None = None,
    overwrite: bool = False,
) -> Sample:
    """Draw configurations from a run of task `density` and write them, with their weights beside them.

    `STEM.weights.csv` has a row for each frame: `weight` (mean 1) and `log_weight` (its logarithm before
    that) for averages at equilibrium, `log_prob` (density of the draw with respect to the model's
    coordinates) and `energy`, infinite outside of the model's domain; without an energy function
    `log_prob` alone. npz has the same as arrays. Energies are those before a format rounds positions.

    Args:
        run: a run, its directory, or the name of a packaged model.
        n: number of frames.
        out: file to make; its ending names the format: extxyz (or xyz), pdb, xtc, dcd, npz.
        seed: of everything random.
        temperature: that weights are for, the dataset's if None. A model that knows how makes its local
            coordinates as wide as they are there.
        resample: draw by weight with replacement: a sample at equilibrium, all weights 1.
        refine: iterations of Hamiltonian Monte Carlo on each frame, after resampling; the weights stay
            valid, and so do `log_weight` and `log_prob`, which are those of the draw.
        dataset: name or folder of the run's dataset, if it is no longer where it was.
        overwrite: replace files that are there.

    Raises:
        ConfigError: a number out of range.
        RunError: no such run, or one of another task.
        UnknownName: no such format.
        DataError: a file exists, or the dataset lacks energies that are needed or is another one.
        RunFailed: no draw has a weight to resample by.
    """
    out = Path(out)
    _check_numbers(n, temperature, refine)
    files = _files(out, overwrite)
    model, data = _opened(run, dataset)
    potential, kT = _energy(data, temperature, resample, refine)
    metrics: dict[str, Metric] = {}
    notes: list[str] = []
    change = None if temperature is None else _widened(model, data, temperature)
    generator = torch.Generator().manual_seed(seed)
    out.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=f".{out.name}.", dir=out.parent) as name:
        work = Path(name)
        draws = draw(model, data, potential, n, generator, work / "draws")
        frames, columns, spent = draws.dataset, {"log_prob": draws.log_prob}, 0
        weights = None
        if potential is not None:
            columns["energy"], spent = draws.energy, n
        if kT is not None:
            log_w = log_weights(draws.energy, draws.log_volume, draws.log_prob, kT)
            weights = normalised(log_w)
            columns = {"weight": weights, "log_weight": log_w, **columns}
            metrics |= _weight_metrics(log_w, weights)
            if change is not None:
                notes.append(f"{change}: ESS {metrics['ess']['value']:.3g} of {n} draws")
        if temperature in (None, data.temperature):
            metrics |= _verdict(draws, data, weights)
        if resample:
            frames, columns = _resampled(draws.dataset, columns, generator, work / "resampled")
            distinct = len(np.unique(columns["draw"]))
            metrics["distinct"] = metric(distinct, "frames")
        if refine and potential is not None and kT is not None:
            moved = walked(model, frames, potential, kT, refine, generator, work / "refined")
            frames, columns["energy"] = moved.dataset, moved.energy
            metrics["acceptance"] = metric(moved.acceptance, "1")
            notes += _walk_notes(moved)
            spent += moved.evaluations
        if spent:
            metrics["energy_evaluations"] = metric(spent, "1")
        frames.manifest.temperature = temperature or data.temperature
        _write(frames, columns, work / "made", files, overwrite)
    return Sample(files, metrics, notes)


# --- before anything is drawn ---------------------------------------------------------------------


def _check_numbers(n: int, temperature: float | None, refine: int) -> None:
    if n < 1:
        raise ConfigError(f"-n takes a positive number of frames, got {n}")
    if temperature is not None and not 0 < temperature < math.inf:
        raise ConfigError(f"--temperature takes a positive number, got {temperature:g}")
    if refine < 0:
        raise ConfigError(f"--refine takes a number of HMC iterations, got {refine}")


def _files(out: Path, overwrite: bool) -> list[Path]:
    """Return what will be made, the file asked for first."""
    ending = out.suffix.removeprefix(".").lower()
    if ending not in FORMATS:
        raise UnknownName("format to write", ending or out.name, FORMATS)
    files = [out, *([out.with_suffix(".pdb")] if ending in _BARE else []), out.with_suffix(".weights.csv")]
    for path in files:
        if path.is_dir() or (path.exists() and not overwrite):
            raise DataError(f"{path} exists already; choose another --out or remove it first")
    return files


def _opened(run: Run | Path | str, dataset: str | Path | None) -> tuple[DensityModel, Dataset]:
    folder = run.path if isinstance(run, Run) else pretrained().get(str(run), Path(run))
    model = load(folder if folder.exists() else str(run))
    card = json.loads((folder / CARD).read_text(encoding="utf-8"))
    if not isinstance(model, DensityModel):
        task = card.get("task", {}).get("name", "something else")
        raise RunError(f"{run} predicts {task}; zoo sample is for runs of task density")
    trained_on = Run(folder).config.dataset if (folder / CONFIG).is_file() else card["dataset"]
    data = open_dataset(dataset if dataset is not None else trained_on["name"])
    if dataset is None and data_digest(data) != trained_on["digest"]:
        raise DataError(
            f"{data.name} is no longer the data that {folder} was trained on (another sha256); "
            "to take its system all the same, name it with --dataset"
        )
    check_fits(model, data)
    if data.system.types.tolist() != model.info.particle_types:
        raise DataError(f"{data.name} is not of the particles that {folder} draws")
    return model, data


def _energy(
    data: Dataset, temperature: float | None, resample: bool, refine: int
) -> tuple[Potential | None, float | None]:
    """Return the potential and the kT that weights are for; None where they are not known."""
    asked = {"--temperature": temperature is not None, "--resample": resample, "--refine": refine > 0}
    needs = " and ".join(option for option, given in asked.items() if given)
    potential = potential_of(data) if has_potential(data) else None
    if potential is None:
        if needs:
            raise DataError(f"{needs} needs energies, and {data.name} holds no energy function: leave it out")
        return None, None
    warm = data.temperature if temperature is None else temperature
    if warm is None and needs:
        raise DataError(f"{needs} needs a temperature, and {data.name} states none: add --temperature")
    return potential, None if warm is None else data.units.boltzmann * warm


def _widened(model: DensityModel, data: Dataset, temperature: float) -> str | None:
    """Make local coordinates as wide as at another temperature; say what was done, None if nothing was."""
    own, unit = data.temperature, data.units.temperature
    if own is None or temperature == own:
        return None
    if type(model).rescale is DensityModel.rescale:
        return f"draws are those for {own:g} {unit}, weights those of {temperature:g} {unit}"
    model.rescale(temperature / own)
    return f"variances of local coordinates times {temperature:g}/{own:g}, torsions as trained"


# --- scores ---------------------------------------------------------------------------------------


def _weight_metrics(log_w: np.ndarray, weights: np.ndarray) -> dict[str, Metric]:
    if not weights.any():
        raise RunFailed("no draw has a finite energy within the model's domain; is the run trained?")
    if len(log_w) < BLOCKS:
        return {"ess": metric(ess(weights), "1")}
    found = weight_scores(log_w, BLOCKS)
    out = {
        "ess": metric(found.ess, "1", found.ess_error),
        "ess_clipped": metric(found.ess_clipped, "1"),
        "largest_weight": metric(found.largest, "1"),
        "outside": metric(found.outside, "1"),
    }
    if math.isfinite(found.log_z):
        out["log_z"] = metric(found.log_z, "nats", found.log_z_error)
    return out


def _verdict(draws: Draws, data: Dataset, weights: np.ndarray | None) -> dict[str, Metric]:
    """Which basins the draws miss, beside the dataset's test split; empty where there are no basins."""
    frames = data.split("test" if "test" in data.manifest.splits else "all")
    named = np.array(list(named_torsions(data.system).values()), int).reshape(-1, 4)
    positions = frames.array(keys.POSITIONS)
    parts = [positions[i : i + ROWS].astype(np.float64) for i in range(0, len(positions), ROWS)]
    kept = len(draws.torsions) if len(named) else JUDGED
    found = {
        "torsions": draws.torsions[:kept],
        "positions": draws.dataset.array(keys.POSITIONS)[:kept],
        "reference_torsions": np.concatenate([torsions(part, named) for part in parts]),
    }
    if basin_members(found, frames) is None:
        return {}
    judgement = judged(found, frames, None if weights is None else clipped(weights)[:kept])
    return {"mode_drop": {"value": judgement.status, "unit": "1"}}


def _walk_notes(moved: Refined) -> list[str]:
    notes = []
    if moved.turned_back:
        notes.append(f"{moved.turned_back} moves would have left the model's domain and were not accepted")
    if moved.left_alone:
        notes.append(f"{moved.left_alone} frames of weight 0 (outside of the domain) were not refined")
    return notes


# --- frames and files -----------------------------------------------------------------------------


def _resampled(
    draws: Dataset, columns: dict[str, np.ndarray], generator: torch.Generator, folder: Path
) -> tuple[Dataset, dict[str, np.ndarray]]:
    """Take each draw as often as its weight says; each frame then has the mean weight."""
    index = resampled(columns["weight"], generator)
    taken = {name: column[index] for name, column in columns.items()}
    log_w = columns["log_weight"]
    mean = log_w.max() + np.log(np.exp(log_w - log_w.max()).mean())
    taken |= {"weight": np.ones(len(index)), "log_weight": np.full(len(index), mean), "draw": index}
    return copied(draws, index, folder), taken


def _write(
    frames: Dataset, columns: dict[str, np.ndarray], folder: Path, files: list[Path], overwrite: bool
) -> None:
    """Write all files to a folder, then move them to where they belong, the one asked for last."""
    arrays = {_ARRAYS.get(name, name): column for name, column in columns.items()}
    frames.arrays |= arrays
    out, table = files[0], files[-1]
    folder.mkdir()
    export(frames.split("all"), folder / out.name)
    units = {"energy": frames.units.energy}
    named = {f"{n} ({units[n]})" if n in units else n: column for n, column in columns.items()}
    write_table(folder / table.name, named)
    _files(out, overwrite)  # another process may have made one meanwhile
    for path in reversed(files):
        os.replace(folder / path.name, path)
