"""Train every row of a suite with every seed; killed, it goes on where it was."""

from __future__ import annotations

import shutil
import sys
import traceback
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from zoo.bench.suite import Options, Outcome, Row, Suite
from zoo.bench.tables import board_table
from zoo.data.catalog import open_dataset
from zoo.errors import ConfigError, RunError, UnknownName, ZooError
from zoo.files import write_json
from zoo.registry import REGISTRY
from zoo.registry.spec import BenchmarkSpec, ModelSpec, TaskSpec
from zoo.run import CONFIG, ENVIRONMENT, Run
from zoo.verbs.compare import Record, leaderboards, run_record
from zoo.verbs.evaluate import data_digest
from zoo.verbs.plan import common_task, resolve
from zoo.verbs.train import train

RECORDS = "records.json"


@dataclass(frozen=True)
class Job:
    """One row with one seed."""

    row: Row
    seed: int
    path: Path
    settings: dict[str, Any]


def bench(name: str, options: Options) -> Outcome:
    """Run a benchmark of the registry and write its records to `options.out`.

    Raises:
        UnknownName: no such benchmark, or no row of it has one of `options.models`.
        RunError: `options.out` holds runs of other settings.
    """
    spec = cast(BenchmarkSpec, REGISTRY.get("benchmarks", name))
    REGISTRY.require(spec)
    if options.data is not None and not spec.takes_data:
        raise ConfigError(f"zoo bench {name} takes no --data; `zoo bench glass` does")
    found = REGISTRY.load_target(spec)(options)
    outcome = run_suite(found, options) if isinstance(found, Suite) else cast(Outcome, found)
    options.out.mkdir(parents=True, exist_ok=True)
    write_json(options.out / RECORDS, outcome.records)
    return outcome


def run_suite(suite: Suite, options: Options) -> Outcome:
    """Train the rows of a suite; a row that fails is reported and the rest goes on."""
    rows = chosen(suite, options.models)
    jobs = [job for row in rows for job in _jobs(suite, row, options)]
    for job in jobs:
        _check_continues(job)
    records: list[Record] = []
    failures: list[str] = []
    for number, job in enumerate(jobs, 1):
        print(f"[{number}/{len(jobs)}] {job.path.name}", file=sys.stderr, flush=True)
        try:
            record = run_record(_run(job, _bring_baselines(job.row, rows)))
        except Exception as error:  # a plugin's model may raise anything
            text = str(error) if isinstance(error, ZooError) else f"{type(error).__name__}: {error}"
            if not isinstance(error, ZooError):
                traceback.print_exc()
            failures.append(f"{job.path.name}: {text}")
            record = _failed(job, text)
        records.append({"row": job.row.name, **record})
        options.out.mkdir(parents=True, exist_ok=True)
        write_json(options.out / RECORDS, records)
    runs = [job.path for job, record in zip(jobs, records, strict=True) if record["error"] is None]
    draw = suite.tables or (lambda all_: [board_table(board) for board in leaderboards(all_)])
    return Outcome(suite.title, records, draw(records), runs, failures)


def chosen(suite: Suite, models: tuple[str, ...] | None) -> list[Row]:
    """Return the rows of `models`, with the baselines that a suite compares them to.

    Raises:
        UnknownName: the suite has no row of one of the models.
    """
    if models is None:
        return list(suite.rows)
    known = {row.model for row in suite.rows}
    for model in models:
        if model not in known:
            raise UnknownName("model in this benchmark", model, known)
    return [row for row in suite.rows if row.model in models or _is_fitted(row.model)]


def _jobs(suite: Suite, row: Row, options: Options) -> list[Job]:
    fitted = _is_fitted(row.model)
    seeds = 1 if fitted else options.seeds or suite.seeds
    if seeds < 1:
        raise ConfigError(f"--seeds takes a positive number, got {seeds}")
    over: dict[str, Any] = {}
    if options.epochs is not None and not fitted:
        over["train.epochs"] = options.epochs
    if options.accelerator is not None:
        over["train.accelerator"] = options.accelerator
    return [
        Job(
            row, seed, options.out / "runs" / f"{row.name}-seed{seed}",
            {**row.settings, **over, "train.seed": seed},
        )
        for seed in range(seeds)
    ]  # fmt: skip


def _check_continues(job: Job) -> None:
    """Raise `RunError` where the job's folder holds a run of other settings."""
    if not (job.path / CONFIG).is_file():
        return
    try:
        plan = resolve(job.row.model, job.row.dataset, task=job.row.task, settings=job.settings)
    except ZooError:  # the row will fail and be reported when its turn comes
        return
    if Run(job.path).config.digest() != plan.config.digest():
        raise RunError(
            f"{job.path} was made with other settings or data; choose another --out, "
            "or remove that folder to train it again"
        )


def _run(job: Job, with_baselines: bool) -> Run:
    resume = (job.path / CONFIG).is_file()
    if not resume:
        _clear_unborn(job.path)
    return train(
        job.row.model,
        job.row.dataset,
        task=job.row.task,
        settings=job.settings,
        out=job.path,
        resume=resume,
        with_baselines=with_baselines,
    )


def _clear_unborn(path: Path) -> None:
    """Remove what a process left that was killed while it made a run directory."""
    if path.is_dir():
        born = [p for p in path.rglob("*") if p.is_file() and p.name != ENVIRONMENT and p.name[0] != "."]
        if not born:
            shutil.rmtree(path)


def _bring_baselines(row: Row, rows: list[Row]) -> bool:
    """Whether a run must score its task's baselines itself, as no rows of the suite are them."""
    beside = {r.model for r in rows if r.dataset == row.dataset}
    task = REGISTRY.get("tasks", row.task) if row.task else None
    return not isinstance(task, TaskSpec) or not set(task.baselines) <= beside


def _is_fitted(model: str) -> bool:
    try:
        return cast(ModelSpec, REGISTRY.get("models", model)).fitted
    except ZooError:  # the row will fail and be reported when its turn comes
        return False


def _failed(job: Job, error: str) -> Record:
    row = job.row
    name, digest, task = row.dataset, None, row.task
    try:  # named as the rows that worked, to stand beside them
        data = open_dataset(row.dataset)
        name, digest = data.name, data_digest(data)
        task = task or common_task(cast(ModelSpec, REGISTRY.get("models", row.model)), data)
    except ZooError:
        pass
    named = {"model": row.model, "dataset": name, "data_digest": digest, "task": task, "seed": job.seed}
    empty = dict.fromkeys(("parameters", "seconds", "device", "commit", "command", "config_hash"))
    return {
        **named,
        "metrics": {},
        "baselines": {},
        **empty,
        "versions": {},
        "run": str(job.path),
        "error": error,
    }
