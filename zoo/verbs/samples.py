"""What `zoo sample` begins and ends with: the run with its dataset, and the files it makes."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass, field
from pathlib import Path

from zoo.data.catalog import open_dataset
from zoo.data.dataset import Dataset
from zoo.data.export import FORMATS
from zoo.errors import DataError, RunError, UnknownName
from zoo.models.base import ZooModel
from zoo.run import CONFIG, Run
from zoo.tasks.metrics import Metric
from zoo.verbs.evaluate import check_fits, data_digest
from zoo.weights import CARD, load, pretrained

#: Formats that name no atoms: `export` writes a pdb beside them.
_BARE = ("xtc", "dcd")
#: Interfaces of models that can be sampled, with what is done.
_SAMPLED = ("density", "potential")


@dataclass(frozen=True)
class Sample:
    """What `sample` made.

    Args:
        files: the trajectory, a pdb where it names no atoms, and what belongs to it: weights of draws, the
            record of a simulation.
        metrics: of draws `ess`, `log_z`, `mode_drop`, `energy_evaluations` and the like, of a simulation
            `stability`, `fes_rmsd`, `js_phi` and the like, as `evaluate` gives them.
        notes: what to know of them, a sentence each.
    """

    files: list[Path]
    metrics: dict[str, Metric] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)


def opened(run: Run | Path | str, dataset: str | Path | None) -> tuple[ZooModel, Dataset, Path]:
    """Return a run's model, its dataset and its folder.

    Args:
        run: a run, its directory, or the name of a packaged model.
        dataset: name or folder, if the dataset is no longer where it was.

    Raises:
        RunError: no such run, or one that cannot be sampled.
        DataError: the dataset is another one, or its particles are not the model's.
    """
    folder = run.path if isinstance(run, Run) else pretrained().get(str(run), Path(run))
    model = load(folder if folder.exists() else str(run))
    card = json.loads((folder / CARD).read_text(encoding="utf-8"))
    if model.info.interface not in _SAMPLED:
        task = card.get("task", {}).get("name", "something else")
        raise RunError(
            f"{run} predicts {task}; zoo sample is for runs of task density, which it draws from, "
            "and forces, which it simulates"
        )
    trained_on = Run(folder).config.dataset if (folder / CONFIG).is_file() else card["dataset"]
    data = open_dataset(dataset if dataset is not None else trained_on["name"])
    if dataset is None and data_digest(data) != trained_on["digest"]:
        raise DataError(
            f"{data.name} is no longer the data that {folder} was trained on (another sha256); "
            "to take its system all the same, name it with --dataset"
        )
    check_fits(model, data)
    return model, data, folder


def output_files(out: Path, companion: str, overwrite: bool) -> list[Path]:
    """Return what will be made: the file asked for, a pdb where it names no atoms, and a companion.

    Args:
        out: the file asked for.
        companion: ending of what is written beside it, such as `.weights.csv`.
        overwrite: whether files may be there already.

    Raises:
        UnknownName: no such format.
        DataError: a file exists.
    """
    ending = out.suffix.removeprefix(".").lower()
    if ending not in FORMATS:
        raise UnknownName("format to write", ending or out.name, FORMATS)
    files = [out, *([out.with_suffix(".pdb")] if ending in _BARE else []), out.with_suffix(companion)]
    for path in files:
        if path.is_dir() or (path.exists() and not overwrite):
            raise DataError(f"{path} exists already; choose another --out or remove it first")
    return files


def put_in_place(folder: Path, files: list[Path]) -> None:
    """Move whole files from a folder beside to where they belong, the one asked for last."""
    for path in reversed(files):
        os.replace(folder / path.name, path)
