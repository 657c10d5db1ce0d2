"""What a benchmark is: rows of (model, dataset, task, settings) under a title, and what came out.

A suite is a few lines in a file, named by a `BenchmarkSpec` in the group `zoo.benchmarks`:

    def suite(options: Options) -> Suite:
        return Suite("Two models on a glass", (Row("schnet", "kob-andersen"), Row("gat", "kob-andersen")))

A benchmark that is no table of trained models returns an `Outcome` instead.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Options:
    """What the command line asks of a benchmark; None: the suite decides.

    Args:
        out: folder for runs and records.
        models: only these models, and the baselines.
        seeds: seeds of each trained model, from 0.
        epochs: of each trained model.
        accelerator: "auto", "cpu" or "gpu".
        quick: the shortest training that still shows something; a suite may not know it.
        data: folder of public data sets to be scored on as well; only some suites take one.
    """

    out: Path
    models: tuple[str, ...] | None = None
    seeds: int | None = None
    epochs: int | None = None
    accelerator: str | None = None
    quick: bool = False
    data: Path | None = None


@dataclass(frozen=True)
class Row:
    """One model on one dataset, with its settings as `zoo train --set` takes them."""

    model: str
    dataset: str
    task: str | None = None
    settings: Mapping[str, Any] = field(default_factory=dict)
    #: Distinguishes rows of one model and dataset that differ in settings.
    label: str = ""

    @property
    def name(self) -> str:
        """Name of the row, fit for a folder."""
        dataset = Path(self.dataset).name if Path(self.dataset).is_dir() else self.dataset
        parts = [self.model, dataset, self.label]
        return "-".join(p for p in parts if p).replace("/", "-").replace(":", "-")


@dataclass(frozen=True)
class Suite:
    """Rows to be trained and compared, dataset by dataset.

    Args:
        tables: draws the suite's own tables from its records, instead of leaderboards.
    """

    title: str
    rows: tuple[Row, ...]
    seeds: int = 1
    tables: Callable[[list[dict[str, Any]]], list[Table]] | None = None


@dataclass(frozen=True)
class Table:
    """A table for the terminal: cells are text."""

    title: str
    header: tuple[str, ...]
    rows: Sequence[tuple[str, ...]]
    note: str = ""


@dataclass(frozen=True)
class Matrix:
    """Scores of what was trained on one thing (rows) and scored on another (columns), for a heat map."""

    title: str
    rows: Sequence[str]
    columns: Sequence[str]
    values: Sequence[Sequence[float]]  # NaN where nothing was measured


@dataclass(frozen=True)
class Outcome:
    """What a benchmark found.

    Args:
        records: plain JSON, one for each run or measurement.
        tables: the same for people.
        runs: run directories that a report can be drawn from.
        failures: one line for each row that failed.
        matrices: drawn as heat maps beside the report.
    """

    title: str
    records: list[dict[str, Any]]
    tables: list[Table]
    runs: list[Path] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)
    matrices: list[Matrix] = field(default_factory=list)


def joined(title: str, *parts: Outcome) -> Outcome:
    """Put outcomes behind each other."""
    return Outcome(
        title,
        *(
            [x for part in parts for x in getattr(part, name)]
            for name in ("records", "tables", "runs", "failures", "matrices")
        ),
    )
