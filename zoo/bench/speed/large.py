"""Targets of glasses of growing size, tile by tile: time of each particle and memory, in a process each."""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
import time
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from zoo import keys
from zoo.bench.suite import Table
from zoo.data.catalog import open_dataset
from zoo.errors import RunFailed
from zoo.progress import progress

#: Names of the models measured, and their settings: those of their recipes that matter to the cost.
MODELS: dict[str, dict[str, Any]] = {
    "ridge": {},
    "gat": {"hidden_channels": 32, "num_layers": 2, "num_gaussians": 25, "cutoff": 2.0},
}


@dataclass(frozen=True)
class Size:
    """What is measured: one configuration of 1,000 particles, repeated along each axis."""

    dataset: str = "kob-andersen"
    copies: tuple[tuple[int, int, int], ...] = ((2, 2, 2), (3, 3, 3), (4, 4, 4))
    models: tuple[str, ...] = ("gat",)


def large(size: Size, device: str) -> tuple[list[dict[str, Any]], Table]:
    """Measure prediction of each size; weights are not trained, which costs the same. Stays on the CPU.

    Raises:
        RunFailed: a measurement ended with an error, or ran out of memory.
    """
    records: list[dict[str, Any]] = []
    rows = []
    with progress("large systems", len(size.copies) * len(size.models), "sizes") as bar:
        for model in size.models:
            mine = []
            for copies in size.copies:
                mine.append(_in_a_process(model, size.dataset, copies))
                bar.advance(1)
            slope = exponent(mine)
            for found in mine:
                records.append({"measure": "large systems", "unit": "s", "exponent": slope, **found})
                each = found["seconds"] / found["particles"]
                rows.append((
                    model, f"{found['particles']:,}", f"{found['seconds']:.1f}", f"{each * 1e6:.0f}",
                    f"{found['peak_bytes'] / 2**30:.2f}", f"N^{slope:.2f}",
                ))  # fmt: skip
    header = ("MODEL", "PARTICLES", "s", "µs/PARTICLE", "PEAK GB", "COST GROWS AS")
    note = (
        "Prediction tile by tile, each size in a process of its own; peak: most memory of the process, "
        "with everything that is imported. Exponent: least squares of log time on log N."
    )
    return records, Table(f"Large systems: {size.dataset} replicated", header, rows, note)


def exponent(records: list[dict[str, Any]]) -> float:
    """Return the slope of log time against log N; NaN for one size."""
    if len(records) < 2:
        return float("nan")
    n, t = ([np.log(record[key]) for record in records] for key in ("particles", "seconds"))
    return float(np.polyfit(n, t, 1)[0])


def measure(model: str, dataset: str, copies: tuple[int, int, int]) -> dict[str, Any]:
    """Predict one replicated configuration in this process; return seconds and peak memory.

    `cpu_seconds` are of the whole process with its imports, which a busy machine does not lengthen.
    """
    from zoo.tasks.propensity.config import PropensityConfig
    from zoo.tasks.propensity.task import PropensityTask
    from zoo.tasks.propensity.tiles import Whole, predict_whole
    from zoo.verbs.create import create_model

    data = open_dataset(dataset)
    network: Any = create_model(model, dataset=data, task="propensity", **MODELS[model])
    task = PropensityTask(network, PropensityConfig.model_validate({})).eval()
    x = np.asarray(data.array(keys.POSITIONS)[0], np.float64)
    cell = np.asarray(data.array(keys.CELLS)[0], np.float64)
    steps = np.stack(np.meshgrid(*map(np.arange, copies), indexing="ij"), -1).reshape(-1, 3)
    big = (x[None] + (steps @ cell)[:, None]).reshape(-1, 3)
    types = torch.from_numpy(np.tile(data.system.types, len(steps)))
    box = torch.from_numpy(np.array(copies)[:, None] * cell)
    whole = Whole(torch.from_numpy(big), types, box, data.system.pbc)
    start = time.perf_counter()
    predict_whole(task.on_device, network, whole)
    seconds = time.perf_counter() - start
    used = resource.getrusage(resource.RUSAGE_SELF)
    peak = used.ru_maxrss * (1 if sys.platform == "darwin" else 1024)
    spent = {"seconds": seconds, "cpu_seconds": used.ru_utime + used.ru_stime, "peak_bytes": peak}
    return {"way": model, "particles": len(big), **spent}


def _in_a_process(model: str, dataset: str, copies: tuple[int, int, int]) -> dict[str, Any]:
    job = json.dumps({"model": model, "dataset": dataset, "copies": copies})
    path = os.pathsep.join(p for p in sys.path if p)
    done = subprocess.run(
        [sys.executable, "-m", "zoo.bench.speed.large", job],
        capture_output=True, text=True, env=os.environ | {"PYTHONPATH": path},
    )  # fmt: skip
    if done.returncode:
        lines = done.stderr.strip().splitlines() or [f"exit status {done.returncode}: out of memory?"]
        raise RunFailed(f"{model} on {copies} copies failed: {lines[-1]}")
    found: dict[str, Any] = json.loads(done.stdout.strip().splitlines()[-1])
    return found


if __name__ == "__main__":
    given = json.loads(sys.argv[1])
    print(json.dumps(measure(given["model"], given["dataset"], tuple(given["copies"]))))
