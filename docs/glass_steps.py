"""What each step brings on a public glass data set of few configurations: each is left out once.

zoo data import kob-andersen /path/to/botan/T0.44/train --out data/botan
python docs/glass_steps.py data/botan runs/steps

Each row is trained as often as there are configurations (by gradient descent: four times): one is the
test, the next the validation (for choosing among epochs), the others the training. It prints a table, and
keeps what it has in FOLDER: stopped, it goes on.
"""

from __future__ import annotations

import json
import shutil
import sys
from pathlib import Path
from typing import Any

import numpy as np

import zoo
from zoo.files import write_json
from zoo.tasks.metrics import pearson

#: Without the distance of each particle from where the positions have it, which comes as the last step.
PLACE = {"model.descriptors.offset": False}
ORDERS = {**PLACE, "model.descriptors.orders": 12}
PLAIN = {**PLACE, "model.descriptors.diffused": []}
NOTHING = {**PLAIN, "model.descriptors.energy": False, "model.descriptors.averages": 0}
INHERENT, CAGE, AVERAGED = ({"task.positions": kind} for kind in ("inherent", "cage", "averaged"))

#: Left out of the rows that are trained for minutes.
FOUR = (1, 3, 5, 7)

#: Name, model, settings, seeds.
ROWS: tuple[tuple[str, str, dict[str, Any], int], ...] = (
    ("ridge: thermal, radial", "ridge", NOTHING, 1),
    ("ridge: thermal, orders, averaged twice", "ridge", {**PLAIN, **ORDERS}, 1),
    ("ridge: inherent, orders, averaged twice", "ridge", {**PLAIN, **ORDERS, **INHERENT}, 1),
    ("ridge: inherent, orders, and diffused", "ridge", {**ORDERS, **INHERENT}, 1),
    ("ridge: inherent, diffused", "ridge", {**INHERENT, **PLACE}, 1),
    ("ridge: cage, diffused", "ridge", {**CAGE, **PLACE}, 1),
    ("ridge: averaged, diffused", "ridge", {**AVERAGED, **PLACE}, 1),
    ("ridge: inherent, offset", "ridge", INHERENT, 1),
    ("ridge: cage, offset", "ridge", CAGE, 1),
    ("ridge: averaged, offset", "ridge", AVERAGED, 1),
    ("ridge: averaged, offset, within configurations", "ridge", {**AVERAGED, "model.center": True}, 1),
    ("descriptor-gnn: averaged", "descriptor-gnn", {**AVERAGED, **PLACE}, 2),
    ("descriptor-gnn: averaged, no messages", "descriptor-gnn",
     {**AVERAGED, **PLACE, "model.num_layers": 0}, 2),
    ("descriptor-gnn: averaged, 4 members", "descriptor-gnn", {**AVERAGED, **PLACE, "task.members": 4}, 1),
    ("descriptor-gnn: averaged, offset", "descriptor-gnn", AVERAGED, 1),
    ("se3-glass: averaged, on the same descriptors", "se3-glass",
     {**AVERAGED, **PLACE, "model.descriptors.centered": True, "train.epochs": 20}, 1),
)  # fmt: skip


def left_out(folder: Path, out: Path, k: int) -> Path:
    """Make the data set whose test is configuration `k`."""
    target = out / "data" / f"without-{k}"
    if (target / "manifest.json").is_file():
        return target
    target.mkdir(parents=True, exist_ok=True)
    manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    frames = next(iter(manifest["arrays"].values()))["shape"][0]
    val = (k + 1) % frames
    manifest["splits"] = {
        "train": [[i, i + 1] for i in range(frames) if i not in (k, val)],
        "val": [[val, val + 1]],
        "test": [[k, k + 1]],
    }
    for array in folder.glob("*.npy"):
        shutil.copy(array, target / array.name)
    write_json(target / "manifest.json", manifest)
    return target


def score(folder: Path, out: Path, name: str, model: str, settings: dict[str, Any], seed: int) -> Any:
    """Train one row with one seed on each set; return its scores."""
    data = zoo.load_dataset(folder)
    species = data.system.types == 0
    truth = data.array("targets")[..., -1].astype(np.float64)[:, species]
    guess, seconds = np.full_like(truth, np.nan), []
    chosen = range(len(data)) if model == "ridge" else FOUR
    for k in chosen:
        path = out / "runs" / f"{plain(name)}-{seed}-{k}"
        run = zoo.train(
            model, left_out(folder, out, k), task="propensity", settings={**settings, "train.seed": seed},
            out=path, resume=(path / "config.yaml").is_file(), with_baselines=False,
        )  # fmt: skip
        guess[k] = run.predictions()["targets"][0, species, -1]
        seconds.append(run.results["seconds"])
    each = pearson(truth, guess)
    known = ~np.isnan(guess)
    pooled = float(pearson(truth[known][None], guess[known][None])[0])
    found = {
        "each": [None if np.isnan(v) else float(v) for v in each],
        "pooled": pooled,
        "seconds": float(np.mean(seconds)),
    }
    return {"name": name, "seed": seed, **found}


def plain(name: str) -> str:
    """Return a row's name as one for files."""
    return name.replace(": ", "-").replace(", ", "-").replace(" ", "-")


def table(records: list[dict[str, Any]]) -> dict[str, Any]:
    """Return the table of the rows that are done."""
    lines = []
    for name, *_ in ROWS:
        mine = [r for r in records if r["name"] == name]
        if not mine:
            continue
        each = np.array([r["each"] for r in mine], np.float64)
        four = each[:, FOUR].mean(1)
        seeds = f"{four.std(ddof=1):.4f}" if len(mine) > 1 else "–"
        whole = "–" if np.isnan(each).any() else f"{each.mean():.3f}"
        lines.append([
            name, whole, f"{four.mean():.3f}", seeds, f"{np.mean([r['pooled'] for r in mine]):.3f}",
            " ".join("–" if np.isnan(v) else f"{v:.2f}" for v in each.mean(0)),
            f"{np.mean([r['seconds'] for r in mine]):.0f}",
        ])  # fmt: skip
    header = [
        "ROW", "A, MEAN", "OF FOUR", "± SEEDS", "A, POOLED", "EACH CONFIGURATION", "S TO TRAIN",
    ]  # fmt: skip
    note = (
        "Pearson correlation of A particles, each configuration left out once. Rows trained by gradient "
        "descent: the second, fourth, sixth and eighth alone, which is what OF FOUR is of all rows. "
        "Configurations differ by ± 0.05, alike in all rows"
    )
    return {"title": "What each step brings", "header": header, "rows": lines, "note": note}


def main(folder: Path, out: Path, only: str = "") -> None:
    """Train what is not there yet, and print the table."""
    (out / "records").mkdir(parents=True, exist_ok=True)
    for name, model, settings, seeds in ROWS:
        for seed in range(seeds):
            path = out / "records" / f"{plain(name)}-{seed}.json"
            if only in name and not path.is_file():
                write_json(path, score(folder, out, name, model, settings, seed))
    records = [json.loads(p.read_text(encoding="utf-8")) for p in sorted((out / "records").glob("*.json"))]
    found = table(records)
    command = "python docs/glass_steps.py data/botan runs/steps"
    write_json(out / "tables.json", {"command": command, "tables": [found]})
    for line in (found["header"], *found["rows"]):
        print(" | ".join(line))


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]), *sys.argv[3:])
