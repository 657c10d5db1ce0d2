"""What is looked into: a run, a dataset, or a trajectory file."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from zoo.data import formats
from zoo.data.catalog import open_dataset
from zoo.data.dataset import Dataset
from zoo.errors import ConfigError, DataError, RunError, UnknownName
from zoo.models.base import ZooModel
from zoo.run import CONFIG, Run
from zoo.tasks.base import Task
from zoo.verbs.evaluate import check_fits, data_digest, make_task
from zoo.verbs.importing import write_raw
from zoo.weights import CARD, load_weights, pretrained


@dataclass
class Subject:
    """What is looked into.

    Args:
        label: as pictures name it.
        data: the run's dataset, the dataset itself, or what the file holds.
        task: the run's task with its trained model; None for a dataset or a file.
        folder: of the run; None for a dataset or a file.
        split: of a run, the split that it is looked at on and compared with: "val" while it trains.
    """

    label: str
    data: Dataset
    task: Task | None = None
    folder: Path | None = None
    split: str = "test"
    _files: Any = field(default=None, repr=False)  # keeps what was unpacked until it is no longer needed

    @property
    def model(self) -> ZooModel:
        """The trained model. Raises `ConfigError` for a dataset or a file."""
        return self.trained.model

    @property
    def trained(self) -> Task:
        """The run's task. Raises `ConfigError` for a dataset or a file."""
        if self.task is None:
            raise ConfigError(f"{self.label} is no run: it has no network to look into")
        return self.task


def open_subject(
    name: str | Path | Run,
    *,
    dataset: str | Path | None = None,
    read: Mapping[str, Any] | None = None,
) -> Subject:
    """Open a run directory, a packaged model, a dataset or a trajectory file.

    Args:
        name: run, its directory, name of a packaged model, name or folder of a dataset, or a file of a
            format that `zoo data import` reads.
        dataset: of a run, if its dataset is no longer where it was, or another one.
        read: of a file, options of its format, such as `topology`.

    Raises:
        RunError: a run that is not finished, or is damaged.
        DataError: the data is not there, not the run's, or cannot be read.
        ConfigError: an option for another kind of subject.
    """
    folder = run_folder(name)
    if folder is not None:
        _refuse("--read", read, "is for files", name)
        return _open_run(folder, dataset)
    path = Path(str(name))
    _refuse("--dataset", dataset, "is for runs", name)
    if path.is_file():
        return _open_file(path, read or {})
    if read and path.suffix and not path.exists():
        raise DataError(f"there is no file {path}")
    _refuse("--read", read, "is for files", name)
    data = open_dataset(str(name))
    return Subject(path.name if path.is_dir() else str(name), data)


def open_both(
    name: str | Path | Run,
    against: str | Path | Run | None,
    *,
    dataset: str | Path | None = None,
    read: Mapping[str, Any],
) -> tuple[Subject, Subject | None]:
    """Open a subject and what it is compared with; see `open_subject`.

    Args:
        name, dataset: of the subject.
        against: as `name`, or None.
        read: options of the formats of files; where both are files, those of the subject's that the other
            format knows too.
    """
    if against is None or not _is_file(against):
        opened = open_subject(name, dataset=dataset, read=read)
        return opened, None if against is None else open_subject(against)
    if not _is_file(name):
        return open_subject(name, dataset=dataset), open_subject(against, read=read)
    known = formats.reader(formats.recognise([Path(str(against))])).Options.model_fields
    shared = {key: value for key, value in read.items() if key in known}
    return open_subject(name, dataset=dataset, read=read), open_subject(against, read=shared)


def _is_file(name: str | Path | Run) -> bool:
    return run_folder(name) is None and Path(str(name)).is_file()


def run_folder(name: str | Path | Run) -> Path | None:
    """Return the folder of a run or of a packaged model; None for what is neither."""
    path = name.path if isinstance(name, Run) else pretrained().get(str(name), Path(name))
    return path if (path / CONFIG).is_file() or (path / CARD).is_file() else None


def _open_run(folder: Path, dataset: str | Path | None) -> Subject:
    model = load_weights(folder)
    card = json.loads((folder / CARD).read_text(encoding="utf-8"))
    trained_on = Run(folder).config.dataset if (folder / CONFIG).is_file() else card["dataset"]
    try:
        data = open_dataset(dataset if dataset is not None else trained_on["name"])
    except (DataError, UnknownName) as error:
        if dataset is not None:
            raise
        raise DataError(f"the data of {folder} is gone; say where it is with --dataset: {error}") from error
    if dataset is None and data_digest(data) != trained_on["digest"]:
        raise DataError(
            f"{data.name} is no longer the data that {folder} was trained on (another sha256); "
            "to look at it all the same, name it with --dataset"
        )
    check_fits(model, data)
    spoilt = [name for name, weight in model.named_parameters() if not weight.isfinite().all()]
    if spoilt:
        raise RunError(
            f"{len(spoilt)} arrays of weights of {folder} hold NaN or infinity, the first is {spoilt[0]}: it "
            "shows nothing; train it anew, with a lower optim.lr"
        )
    return Subject(folder.resolve().name, data, make_task(model, card["task"]), folder)


def _open_file(path: Path, read: Mapping[str, Any]) -> Subject:
    try:
        raw = formats.read([path], **dict(read))
    except (ConfigError, DataError) as error:  # readers speak of `zoo data import`
        raise type(error)(str(error).replace("--set ", "--read ")) from error
    files = tempfile.TemporaryDirectory(prefix="zoo-")
    folder = write_raw(raw, "trajectory", Path(files.name) / "data")
    return Subject(path.name, Dataset(folder), _files=files)


def _refuse(option: str, value: Any, what: str, name: Any) -> None:
    if value:
        raise ConfigError(f"{option} {what}, and {name} is none")
