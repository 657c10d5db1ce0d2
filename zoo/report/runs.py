"""What a report reads: run directories, and the datasets that they name."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from zoo.data.catalog import open_dataset
from zoo.data.dataset import Dataset, Frames
from zoo.errors import RunError, ZooError
from zoo.run import CONFIG, Run
from zoo.verbs.compare import Board, Record, grouped, labels, leaderboard, run_record
from zoo.verbs.evaluate import data_digest


class LeftOut(Exception):
    """A figure that cannot be drawn from what there is; the message says what is missing."""


@dataclass(frozen=True)
class Group:
    """Runs of one dataset for one task.

    Args:
        runs, records, labels: one of each for each run; a label is shared by seeds of one setting.
        board: their leaderboard.
        data: the dataset, None where it is not to be had (`problem` says why).
        palette: labels of all groups of the page: a model has one colour on all of it.
    """

    runs: list[Run]
    records: list[Record]
    labels: list[str]
    board: Board
    data: Dataset | None
    problem: str
    palette: list[str]

    @property
    def dataset(self) -> Dataset:
        """The dataset. Raises `LeftOut` where it is not to be had."""
        if self.data is None:
            raise LeftOut(self.problem)
        return self.data

    @property
    def order(self) -> list[str]:
        """Labels of all models, the trained ones before those in closed form, the best first."""
        trained = [p.label for p in self.board.places if not p.fitted]
        return trained + [p.label for p in self.board.places if p.fitted]

    def first(self, label: str) -> Run | None:
        """The finished run of a model that has the lowest seed; None for a mere baseline."""
        found = zip(self.records, self.labels, self.runs, strict=True)
        mine = [(record["seed"] or 0, i, run) for i, (record, own, run) in enumerate(found) if own == label]
        return min(mine)[2] if mine else None

    def of(self, label: str) -> list[Run]:
        """All runs of a model: its seeds."""
        return [run for run, own in zip(self.runs, self.labels, strict=True) if own == label]

    def predicts(self, name: str) -> bool:
        """Whether the runs predict this key. Raises `LeftOut` where none can be read."""
        problem = None
        for run in self.runs:
            try:
                if name in run.predictions():
                    return True
            except RunError as error:
                problem = LeftOut(str(error))
        if problem is not None:
            raise problem
        return False

    def predicted(self, run: Run, name: str) -> tuple[np.ndarray, Frames]:
        """Predictions `[frames, …]` of the test split, and the frames that they are of.

        Raises:
            LeftOut: there are none, or they are of other data.
        """
        try:
            arrays = run.predictions()
        except RunError as error:
            raise LeftOut(str(error)) from error
        if name not in arrays or "frame" not in arrays:
            raise LeftOut(f"{run.path.name} predicts no {name}")
        frames = Frames(self.dataset, arrays["frame"], "test")
        index = frames.index
        if not index.size or index.max() >= len(self.dataset) or len(arrays[name]) != index.size:
            raise LeftOut(f"the predictions of {run.path.name} do not fit the dataset")
        return arrays[name], frames


def find_runs(paths: Iterable[Path]) -> list[Run]:
    """Return the runs at `paths`; a folder that is none gives those in it and in its `runs/`.

    Raises:
        RunError: there is no run at one of the paths, or none that is finished.
    """
    runs: list[Run] = []
    for path in map(Path, paths):
        if (path / CONFIG).is_file():
            runs.append(Run(path))
            continue
        inside = sorted([*path.glob(f"*/{CONFIG}"), *path.glob(f"runs/*/{CONFIG}")])
        if not inside:
            raise RunError(f"no run at {path}: it has no {CONFIG}. `zoo train` makes one")
        finished = [run for run in (Run(p.parent) for p in inside) if run.done]
        if not finished:
            raise RunError(f"none of the {len(inside)} runs in {path} is finished; continue with --resume")
        runs += finished
    unique = {run.path.resolve(): run for run in runs}
    return list(unique.values())


def group_runs(runs: Iterable[Run]) -> list[Group]:
    """Group finished runs by dataset and task. Raises `RunError` for one that is not finished."""
    pairs = [(run_record(run), run) for run in runs]
    by_path = {record["run"]: run for record, run in pairs}
    groups: list[Group] = []
    palette: list[str] = []
    for records in grouped(record for record, _ in pairs):
        members = [by_path[record["run"]] for record in records]
        data, problem = _open(members[0])
        names, board = labels(records), leaderboard(records)
        groups.append(Group(members, records, names, board, data, problem, palette))
    for fitted in (False, True):  # those that most figures show get the first colours
        for group in groups:
            places = [p.label for p in group.board.places if p.fitted == fitted]
            palette += [label for label in places if label not in palette]
    return groups


def _open(run: Run) -> tuple[Dataset | None, str]:
    named = run.config.dataset
    try:
        data = open_dataset(named["name"])
    except ZooError as error:
        return None, f"the dataset cannot be opened: {error}"
    if data_digest(data) != named.get("digest"):
        return None, f"{named['name']} has changed since the runs were made"
    return data, ""
