"""Folders of the public data sets: found, imported once, and what was published with them scored."""

from __future__ import annotations

import re
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from zoo import keys
from zoo.bench.suite import Table
from zoo.data.catalog import open_dataset
from zoo.data.dataset import Dataset
from zoo.data.formats import recognise
from zoo.data.formats.published import split_of
from zoo.errors import DataError, ZooError
from zoo.tasks.metrics import Metric
from zoo.tasks.propensity.scores import propensity_scores
from zoo.verbs.compare import Record
from zoo.verbs.importing import import_dataset

#: Formats of the public glass data.
GLASSES = ("glassbench", "botan", "deepmind")


def find(folder: Path) -> dict[str, list[Path]]:
    """Return the data sets below a folder: what to call each, and its files.

    Files go together that lie in one folder (or in its `train` and `test`) and name one temperature.

    Raises:
        DataError: the folder is not there, or holds no file of a public glass format.
    """
    if not folder.is_dir():
        raise DataError(f"--data {folder} is no folder")
    groups: dict[tuple[str, str, str], list[Path]] = {}
    for path in sorted(p for p in folder.rglob("*") if p.is_file() and not p.name.startswith(".")):
        try:
            kind = recognise([path])
        except ZooError:
            continue
        if kind not in GLASSES:
            continue
        home = path.parent.parent if split_of(path) else path.parent
        told = re.findall(r"T(\d+\.\d+)", path.name) or re.findall(r"T(\d+\.\d+)", str(home))
        groups.setdefault((kind, str(home), told[-1] if told else ""), []).append(path)
    if not groups:
        raise DataError(
            f"{folder} holds no files of GlassBench (npz), BOTAN (npz) or DeepMind (pickle); "
            "unpack the archives first"
        )
    out: dict[str, list[Path]] = {}
    for (kind, _, temperature), paths in groups.items():
        stem = kind + (f"-T{temperature}" if temperature else "")
        name = stem if stem not in out else f"{stem}-{sum(n.startswith(stem) for n in out) + 1}"
        out[name] = paths
    return out


def imported(folder: Path, out: Path) -> tuple[list[Path], list[str]]:
    """Import each data set below `folder` into `out`, once; return the dataset folders and failures."""
    folders, failures = [], []
    for name, paths in find(folder).items():
        target = out / name
        try:
            if not target.is_dir():
                print(f"importing {len(paths)} files as {target}", file=sys.stderr, flush=True)
                import_dataset("kob-andersen", paths, target)
            folders.append(target)
        except ZooError as error:
            failures.append(f"{name}: {error}")
    return folders, failures


def trainable(data: Dataset) -> bool:
    """Whether a data set has a training, a validation and a test split."""
    return {"train", "val", "test"} <= data.manifest.splits.keys()


def published(folder: Path) -> list[Record]:
    """Score what the test files hold of published methods; a record for each method."""
    data = open_dataset(folder)
    if "test" not in data.manifest.splits or keys.TARGETS not in data.arrays:
        return []
    frames = data.split("test")
    times = data.arrays[keys.TARGETS].shape[-1]
    out = []
    for name in data.arrays:
        if not name.startswith(keys.PUBLISHED):
            continue
        values = frames.array(name).astype(np.float64)
        if values.shape[-1] == 1:  # a structural indicator, the same for all times
            values = np.repeat(values, times, axis=-1)
        metrics: dict[str, Metric] = propensity_scores({keys.TARGETS: values}, frames)
        method = name.removeprefix(keys.PUBLISHED)
        out.append({"measure": "published", "row": f"{method} (published)", "dataset": folder.name,
                    "metrics": metrics, "error": None})  # fmt: skip
    return out


def paper_table(folder: Path, records: Sequence[Record], kind: str = "A") -> Table:
    """Return the paper's form of table: a line for each method, pooled / mean at each time."""
    data = open_dataset(folder)
    times = data.target_times or list(range(1, len(data.target_names) + 1))
    unit = " τ" if data.target_times else ""
    header = ("METHOD", *(f"{t:g}{unit}" for t in times))
    best: dict[str, list[Record]] = {}
    for record in records:
        if record["error"] is None and f"pearson_mean_{kind}" in record["metrics"]:
            best.setdefault(record["row"], []).append(record)
    lines = [(name, *_cells(found, kind, len(times))) for name, found in best.items()]
    lines.sort(key=lambda line: line[0])
    ceiling = next((r["metrics"] for r in records if r["error"] is None
                    and f"ceiling_mean_{kind}" in r["metrics"]), None)  # fmt: skip
    if ceiling:
        pooled, mean = (ceiling[f"ceiling_{how}_{kind}"]["value"] for how in ("pooled", "mean"))
        both = zip(pooled, mean, strict=True)
        lines.append(("(ceiling)", *(f"{p:.3f}/{m:.3f}" for p, m in both)))
    frames = len(data.split("test")) if "test" in data.manifest.splits else 0
    note = (
        f"Pearson correlation of {kind} particles with the propensity, pooled / mean over {frames} test "
        "configurations, as in Jung et al., arXiv:2311.14752. (published): the files' own predictions."
    )
    return Table(f"{folder.name} · pooled / mean at each time", header, lines, note)


def _cells(records: Sequence[Record], kind: str, times: int) -> list[str]:
    def mean(key: str) -> np.ndarray:
        return np.mean([np.atleast_1d(r["metrics"][key]["value"]) for r in records], axis=0)

    pooled, within = mean(f"pearson_pooled_{kind}"), mean(f"pearson_mean_{kind}")
    return [f"{p:.3f}/{m:.3f}" for p, m in zip(pooled[:times], within[:times], strict=True)]
