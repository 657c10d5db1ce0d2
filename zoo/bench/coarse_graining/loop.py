"""The loop closed: beads of alanine dipeptide, a potential by force matching, its free energy and its
clock.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

from zoo import keys
from zoo.bench.coarse_graining.cells import number
from zoo.bench.runner import run_suite
from zoo.bench.suite import Options, Outcome, Row, Suite, Table
from zoo.data.catalog import open_dataset
from zoo.data.dataset import Dataset
from zoo.data.store import Manifest, write_dataset
from zoo.errors import ZooError
from zoo.run import Run
from zoo.tasks.metrics import Metric
from zoo.units import EV_PER_KCAL_MOL
from zoo.verbs.compare import Record
from zoo.verbs.mapping import map_dataset
from zoo.verbs.sample import sample
from zoo.verbs.simulate import SIMULATION
from zoo.verbs.simulation_scores import compared

#: Maps by name, with their numbers of beads.
MAPS = {"backbone": 5, "backbone-beta": 6}
SYSTEM = "alanine-dipeptide"
#: What simulations are compared with: its basins have their true weights, which those of short runs have not.
REFERENCE = "alanine-dipeptide/replica-exchange"
TITLE, MODEL = "Coarse-grained potentials of alanine dipeptide", "schnet"
#: Frames of a simulation that free energies are found from.
FRAMES, QUICK_FRAMES = 3000, 500
CLOCKS = ("timescale", "timescale_data", "speed_up")
SETTINGS: dict[str, Any] = {
    "model.cutoff": 12.0, "model.hidden_channels": 64, "model.num_filters": 64, "model.num_interactions": 3,
    "optim.lr": 1e-3, "optim.warmup_steps": 200, "train.batch_size": 128, "train.ema": 0.995,
    "train.epochs": 80,
}  # fmt: skip
HEADER = (
    "BEADS", "MODEL", "FORCE MSE (kcal/mol/Å)²", "PRIOR ALONE", "NOISE FLOOR", "STABLE", "F(φ, ψ) RMSD kT",
    "FLOOR", "JS(φ, ψ) nats", "CLOCK ×",
)  # fmt: skip


def loop(options: Options) -> Outcome:
    """Map, train, simulate, compare; each step is left out that is done already."""
    if options.models is not None and MODEL not in options.models:
        return Outcome(TITLE, [], [])
    rows = tuple(_row(options, to) for to in MAPS)
    outcome = run_suite(Suite(TITLE, rows), options)
    for record in outcome.records:
        if record["error"] is None:
            try:
                _simulate(record, options, QUICK_FRAMES if options.quick else FRAMES)
            except ZooError as error:
                outcome.failures.append(f"{record['row']}: simulation: {error}")
    outcome.tables[:] = [table(outcome.records)]
    return outcome


def _row(options: Options, to: str) -> Row:
    short = {"train.epochs": 4} if options.quick else {}
    return Row(MODEL, str(_mapped(options, SYSTEM, to)), "forces", {**SETTINGS, **short})


def _mapped(options: Options, system: str, to: str) -> Path:
    folder = options.out / "data" / f"{system}-{to}".replace("/", "-")
    if not folder.is_dir():
        map_dataset(system, to, folder)
    return folder


def _simulate(record: Record, options: Options, frames: int) -> None:
    """Add the metrics of a simulation to a run's record, from its file where it is done already."""
    run = Run(record["run"])
    kept = run.path / "simulation-metrics.json"
    if not kept.is_file():
        to = Path(run.config.dataset["name"]).name.removeprefix(f"{SYSTEM}-")
        reference = _mapped(options, REFERENCE, to)
        made = sample(run, frames, run.path / "simulation.xtc", dataset=reference, overwrite=True)
        kept.write_text(json.dumps({**made.metrics, **_clocks(run)}), encoding="utf-8")
    record["metrics"] |= json.loads(kept.read_text(encoding="utf-8"))


def _clocks(run: Run) -> dict[str, Metric]:
    """Time scales beside those of the plain dynamics: replica exchange has no clock."""
    atoms = open_dataset(run.config.dataset["name"])
    with np.load(run.path / SIMULATION, allow_pickle=False) as file:
        order = np.lexsort((file["time"], file["replica"]))
        arrays = {
            keys.POSITIONS: file["positions"][order], keys.RUN: file["replica"][order].astype(np.int32),
            keys.TIME: file["time"][order],
        }  # fmt: skip
    manifest = Manifest(
        name=atoms.name, version="simulated", units=atoms.manifest.units, temperature=atoms.temperature,
        system=atoms.system.to_json(), splits={},
    )  # fmt: skip
    with TemporaryDirectory() as work:
        units = {keys.POSITIONS: atoms.units.length, keys.RUN: "1", keys.TIME: atoms.units.time}
        simulated = Dataset(write_dataset(Path(work) / "simulated", manifest, arrays, units))
        interval = float(np.diff(arrays[keys.TIME][:2])[0])
        found = compared(atoms, simulated, interval).metrics
    return {key: found[key] for key in CLOCKS if key in found}


def table(records: Sequence[Record]) -> Table:
    """A line for each map and model."""
    lines = []
    unit = EV_PER_KCAL_MOL**-2
    for record in records:
        label = Path(record["dataset"]).name
        metrics = record["metrics"]
        prior = record.get("baselines", {}).get("prior-only", {})
        lines.append((
            label.removeprefix(f"{SYSTEM}-"), record["model"], _cell(metrics, "force_mse", unit),
            _cell(prior, "force_mse", unit), _cell(metrics, "noise_floor", unit), _cell(metrics, "stability"),
            _cell(metrics, "fes_rmsd"), _cell(metrics, "fes_rmsd_floor"), _cell(metrics, "js_phi_psi"),
            _cell(metrics, "speed_up"),
        ))  # fmt: skip
    note = (
        "Force matching on the test split: most of the loss is noise that no potential of the beads "
        "explains, so that it stands beside its floor. Free energy of φ and ψ of the simulation against "
        "replica exchange of the atoms, where that is below 4 kT; its floor: what a perfect model with as "
        "many frames would have. Clock: slowest time scale of the atoms' plain dynamics over that of the "
        "beads (friction 1/ps)"
    )
    return Table(TITLE, HEADER, lines, note)


def _cell(metrics: dict[str, Any], key: str, factor: float = 1.0) -> str:
    found = metrics.get(key)
    if found is None or found["value"] is None:
        return "–"
    error = found.get("error")
    text = number(factor * found["value"])
    return text if error is None else f"{text} ± {factor * error:.1g}"
