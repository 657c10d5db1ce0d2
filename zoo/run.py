"""A run directory: everything that happened, in files that other tools read."""

from __future__ import annotations

import csv
import io
import json
import platform
import subprocess
import sys
import zipfile
from dataclasses import asdict
from importlib import metadata
from pathlib import Path
from typing import Any

import numpy as np
import yaml

from zoo.analysis.flags import Flag
from zoo.config import RunConfig, read_yaml, validated
from zoo.errors import ConfigError, RunError
from zoo.files import write_bytes, write_json, write_text

CONFIG, ENVIRONMENT, METRICS = "config.yaml", "environment.json", "metrics.csv"
RESULTS, LAST = "results.json", "checkpoints/last.ckpt"
#: What goes wrong, in words; where a run stands that is not finished.
FLAGS, STATUS = "flags.json", "status.json"
#: What was added to a network that grew while it trained.
GROWTH = "growth.json"


class Run:
    """A run directory that exists.

    Args:
        path: the directory.

    Raises:
        RunError: there is no run at `path`.
    """

    def __init__(self, path: Path | str) -> None:
        self.path = Path(path)
        if not (self.path / CONFIG).is_file():
            raise RunError(f"no run at {self.path}: it has no {CONFIG}. `zoo train` makes one")

    @classmethod
    def create(cls, path: Path, config: RunConfig) -> Run:
        """Make a run directory. Raises `RunError` if there is something at `path` already."""
        path = Path(path)
        if path.exists() and (not path.is_dir() or any(path.iterdir())):
            raise RunError(f"{path} exists already; continue it with --resume or choose another --out")
        (path / "checkpoints").mkdir(parents=True, exist_ok=True)
        record = {"hash": config.digest(), **config.model_dump(mode="json")}
        write_json(path / ENVIRONMENT, environment())
        write_text(path / CONFIG, yaml.safe_dump(record, sort_keys=False, allow_unicode=True))
        return cls(path)

    def __repr__(self) -> str:
        return f"Run({str(self.path)!r})"

    @property
    def config(self) -> RunConfig:
        """The resolved configuration."""
        record = read_yaml(self.path / CONFIG)
        record.pop("hash", None)
        try:
            return validated(RunConfig, record)
        except ConfigError as error:
            raise RunError(f"{self.path / CONFIG}: {error}") from error

    @property
    def environment(self) -> dict[str, Any]:
        """Versions, device, commit."""
        return self._json(ENVIRONMENT)

    @property
    def results(self) -> dict[str, Any]:
        """Metrics of the test split, baselines, timing. Raises `RunError` before the run is done."""
        return self._json(RESULTS)

    @property
    def card(self) -> dict[str, Any]:
        """The card beside the weights."""
        return self._json("card.json")

    @property
    def done(self) -> bool:
        """Whether training and the final evaluation are finished."""
        return (self.path / RESULTS).is_file()

    def _json(self, name: str) -> dict[str, Any]:
        path = self.path / name
        if not path.is_file():
            raise RunError(f"{self.path} has no {name}: the run is not finished; continue it with --resume")
        try:
            return json.loads(path.read_text(encoding="utf-8"))
        except ValueError as error:
            raise RunError(f"{path} is not valid JSON: {error}") from error

    # --- metrics.csv: one row an epoch --------------------------------------------------------

    def curve(self) -> list[dict[str, float]]:
        """Rows of `metrics.csv`: epoch, step, seconds, losses and metrics."""
        path = self.path / METRICS
        if not path.is_file():
            return []
        try:
            with path.open(newline="", encoding="utf-8") as file:
                return [{k: float(v) for k, v in row.items() if v} for row in csv.DictReader(file)]
        except (ValueError, TypeError, csv.Error) as error:
            raise RunError(f"{path} is damaged: {error}; remove the bad lines") from error

    def write_curve(self, rows: list[dict[str, float]]) -> None:
        """Replace `metrics.csv`."""
        columns = list(dict.fromkeys(key for row in rows for key in row))
        text = io.StringIO()
        writer = csv.DictWriter(text, columns, lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
        write_text(self.path / METRICS, text.getvalue())

    # --- flags: what goes wrong, in words -------------------------------------------------------

    def write_flags(self, flags: list[Flag]) -> None:
        """Replace the flags; a run without any has no file of them."""
        if flags:
            write_json(self.path / FLAGS, {"format": 1, "flags": [asdict(flag) for flag in flags]})
        else:
            (self.path / FLAGS).unlink(missing_ok=True)

    # --- predictions --------------------------------------------------------------------------

    def predictions_path(self, split: str = "test", dataset: str | None = None) -> Path:
        """Where the predictions of a split of the run's own, or of another, dataset are kept."""
        if dataset is None and split == "test":
            return self.path / "predictions.npz"
        return self.path / f"predictions-{dataset + '-' if dataset else ''}{split}.npz"

    def save_predictions(self, arrays: dict[str, np.ndarray], path: Path) -> None:
        """Write prediction arrays."""
        buffer = io.BytesIO()
        np.savez_compressed(buffer, allow_pickle=False, **arrays)
        write_bytes(path, buffer.getvalue())

    def predictions(self, split: str = "test", dataset: str | None = None) -> dict[str, np.ndarray]:
        """Read prediction arrays. Raises `RunError` where there are none."""
        path = self.predictions_path(split, dataset)
        if not path.is_file():
            raise RunError(f"{self.path} holds no predictions of split {split!r}: run `zoo eval` first")
        try:
            with np.load(path, allow_pickle=False) as file:
                return {name: file[name] for name in file.files}
        except (ValueError, OSError, EOFError, zipfile.BadZipFile) as error:
            raise RunError(f"{path} cannot be read, it may be truncated: {error}") from error


def run_flags(run: Run) -> list[Flag]:
    """Return what training found wrong with a run, and what ended it early; empty for a healthy one.

    Raises:
        RunError: the file of flags is damaged.
    """
    path = run.path / FLAGS
    try:
        record = json.loads(path.read_text(encoding="utf-8"))
        return [Flag(**flag) for flag in record["flags"]]
    except FileNotFoundError:
        return []
    except (ValueError, KeyError, TypeError) as error:
        raise RunError(f"{path} is damaged; remove it: {error}") from error


def new_path(model: str, dataset: str, root: Path = Path("runs")) -> Path:
    """Return the first free `runs/MODEL-DATASET[-2, -3, …]`."""
    parts = [dataset] if Path(dataset).exists() else dataset.split("+")
    stem = f"{model}-{'+'.join(Path(p).name if Path(p).exists() else p for p in parts)}"
    stem = stem.replace("/", "-").replace(":", "-")
    number, path = 1, root / stem
    while path.exists():
        number += 1
        path = root / f"{stem}-{number}"
    return path


def environment() -> dict[str, Any]:
    """What this process runs on: versions, machine, device, commit, command."""
    import torch

    packages = ("molzoo", "torch", "torch-geometric", "lightning", "numpy", "e3nn", "ase")
    cuda = torch.cuda.is_available()
    return {
        "python": platform.python_version(),
        "platform": platform.platform(),
        "packages": {name: _version(name) for name in packages},
        "threads": torch.get_num_threads(),
        "gpu": torch.cuda.get_device_name() if cuda else None,
        "commit": _commit(),
        "command": _command(),
    }


def _command() -> list[str]:
    """What was typed; the path of the `zoo` script is of no use on another machine."""
    program, *rest = sys.argv
    ours = Path(program).name == "zoo" or program.endswith("zoo/cli/app.py")
    return ["zoo" if ours else program, *rest]


def _version(name: str) -> str | None:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return None


def _commit() -> str | None:
    """Commit of this source tree, None where it is installed as a package."""
    here = Path(__file__).resolve().parent
    try:
        out = subprocess.run(
            ["git", "describe", "--always", "--dirty", "--abbrev=12"],
            cwd=here, capture_output=True, text=True, timeout=5, check=True,
        )  # fmt: skip
        return out.stdout.strip()
    except (OSError, subprocess.SubprocessError):
        return None
