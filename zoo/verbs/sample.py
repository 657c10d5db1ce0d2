"""`sample`: draws of a density run, or a simulation of a forces run, in a file that other programs read."""

from __future__ import annotations

import math
import tempfile
from dataclasses import asdict
from pathlib import Path

import numpy as np
import torch

from zoo import keys
from zoo.analysis.peptides import named_torsions
from zoo.analysis.weights import clipped, ess, log_weights, normalised, weight_scores
from zoo.data.dataset import Dataset
from zoo.data.export import export
from zoo.data.potential import Potential, has_potential, potential_of
from zoo.errors import ConfigError, DataError, RunFailed
from zoo.models.base import ZooModel
from zoo.models.density import DensityModel
from zoo.physics.torsions import torsions
from zoo.run import Run
from zoo.tasks.density.scores import basin_members, judged
from zoo.tasks.metrics import Metric, metric
from zoo.verbs.drawing import ROWS, Draws, copied, draw, resampled, write_table
from zoo.verbs.refining import Refined
from zoo.verbs.refining import refine as walked
from zoo.verbs.samples import Sample, opened, output_files, put_in_place
from zoo.verbs.simulate import Dynamics, simulate

#: Names of columns as arrays of a dataset.
_ARRAYS = {"weight": keys.WEIGHTS, "energy": keys.ENERGIES}
#: Blocks of draws that the error of the ESS is found from.
BLOCKS = 10
#: Draws of a toy that its basins are counted in.
JUDGED = 100_000


def sample(
    run: Run | Path | str,
    n: int,
    out: Path | str,
    *,
    seed: int = 0,
    temperature: float | None = None,
    resample: bool = False,
    refine: int = 0,
    replicas: int | None = None,
    timestep: float | None = None,
    friction: float | None = None,
    interval: float | None = None,
    equilibrate: float | None = None,
    dataset: str | Path | None = None,
    overwrite: bool = False,
) -> Sample:
    """Draw configurations from a run of task `density`, or simulate a run of task `forces`.

    Of draws, `STEM.weights.csv` has a row for each frame: `weight` (mean 1) and `log_weight` (its logarithm
    before that) for averages at equilibrium, `log_prob` (density of the draw with respect to the model's
    coordinates) and `energy`, infinite outside of the model's domain; without an energy function
    `log_prob` alone. npz has the same as arrays. Energies are those before a format rounds positions.
    A simulation is Langevin dynamics of many replicas; see `zoo.verbs.simulate` for what is beside it.

    Args:
        run: a run, its directory, or the name of a packaged model.
        n: number of frames.
        out: file to make; its ending names the format: extxyz (or xyz), pdb, xtc, dcd, npz.
        seed: of everything random.
        temperature: of the simulation, or that weights are for; the dataset's if None. A density that knows
            how makes its local coordinates as wide as they are there.
        resample: draw by weight with replacement: a sample at equilibrium, all weights 1.
        refine: iterations of Hamiltonian Monte Carlo on each frame, after resampling; the weights stay
            valid, and so do `log_weight` and `log_prob`, which are those of the draw.
        replicas, timestep, friction, interval, equilibrate: of a simulation, see `zoo.verbs.simulate`.
        dataset: name or folder of the run's dataset, if it is no longer where it was.
        overwrite: replace files that are there.

    Raises:
        ConfigError: a number out of range, or an option of the other kind of run.
        RunError: no such run, or one of another task.
        UnknownName: no such format.
        DataError: a file exists, or the dataset lacks energies that are needed or is another one.
        RunFailed: no draw has a weight to resample by; no replica of a simulation stayed whole.
    """
    out = Path(out)
    _check_numbers(n, temperature, refine)
    dynamics = Dynamics(replicas, timestep, friction, interval, equilibrate)
    model, data, folder = opened(run, dataset)
    if model.info.interface == "potential":
        _refuse({"resample": resample or None, "refine": refine or None}, run, "forces")
        return simulate(
            model, data, n, out, dynamics, folder, seed=seed, temperature=temperature, overwrite=overwrite
        )
    _refuse(asdict(dynamics), run, "density")
    _check_same(model, data, folder)
    assert isinstance(model, DensityModel)
    files = output_files(out, ".weights.csv", overwrite)
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


def _refuse(options: dict[str, float | None], run: Run | Path | str, task: str) -> None:
    given = [f"--{name}" for name, value in options.items() if value is not None]
    if given:
        other = "density" if task == "forces" else "forces"
        raise ConfigError(
            f"{' and '.join(given)}: for runs of task {other}, and {run} is of {task}; leave it out"
        )


def _check_same(model: ZooModel, data: Dataset, folder: Path) -> None:
    if data.system.types.tolist() != model.info.particle_types:
        raise DataError(f"{data.name} is not of the particles that {folder} draws")


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
    output_files(out, ".weights.csv", overwrite)  # another process may have made one meanwhile
    put_in_place(folder, files)
