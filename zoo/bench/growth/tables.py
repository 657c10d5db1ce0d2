"""Tables of `growth`: loss against parameters, what was promised, and who is better at equal size."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from zoo.bench.suite import Table
from zoo.run import Run
from zoo.verbs.compare import Record
from zoo.verbs.growing.record import growth_record, size_in_use

GROWN, EVERYWHERE, AT_ONCE = "grown", "grown-everywhere", "grown-at-once"
#: Labels of rows, and what they are called; a row of fixed width by its label.
NAMES = {
    GROWN: "grown: best neurons where they promise most",
    EVERYWHERE: "grown: random neurons evenly everywhere",
    AT_ONCE: "the same, all behind the first epoch",
}
#: Metric of the test split that is shown, by model, and its heading.
SHOWN = {
    "schnet": ("force_mae", "TEST FORCE MAE (eV/Å)"),
    "gat-autoencoder": ("mse", "TEST SQUARE ERROR (Å²)"),
}
#: Runs of each row with their seeds, by label.
Runs = dict[str, list[tuple[int, Run]]]
#: A difference counts from so many standard errors on.
CLEAR = 2.0


def tables(records: Sequence[Record]) -> list[Table]:
    """Return two tables for each model, of the records that did not fail."""
    out = []
    for model in dict.fromkeys(record["model"] for record in records):
        runs: Runs = {}
        for record in records:
            if record["error"] is None and record["model"] == model:
                label = str(record["row"]).partition(f"-{record['dataset']}-")[2]
                runs.setdefault(label, []).append((record["seed"], Run(Path(record["run"]))))
        if runs:
            out.append(_losses(model, runs))
        if GROWN in runs:
            out.append(_promises(model, runs[GROWN]))
    return out


def best_loss(run: Run) -> float:
    """Least validation loss of a run."""
    return min(row["val_loss"] for row in run.curve() if "val_loss" in row)


def verdict(runs: Runs, other: str) -> str:
    """Say whether the grown network is better than another kind, by differences of the same seeds."""
    mine, theirs = dict(runs.get(GROWN, [])), dict(runs.get(other, []))
    seeds = sorted(mine.keys() & theirs.keys())
    if not seeds:
        return ""
    differences = np.array([best_loss(mine[s]) / best_loss(theirs[s]) - 1 for s in seeds])
    mean = 100 * differences.mean()
    what = NAMES.get(other, _called(other))
    if len(seeds) < 2:
        return f"Against «{what}» the grown network's loss is {mean:+.1f} % (one seed)."
    error = 100 * differences.std(ddof=1) / len(seeds) ** 0.5
    sure = "better" if mean < -CLEAR * error else "worse" if mean > CLEAR * error else "no different"
    size = f"{mean:+.1f} ± {error:.1f} % ({len(seeds)} seeds)"
    return f"Against «{what}» the grown network's loss is {size}: {sure}."


def _losses(model: str, runs: Runs) -> Table:
    metric, heading = SHOWN[model]
    lines = []
    for label, found in sorted(runs.items(), key=lambda item: size_in_use(item[1][0][1])):
        own = [run for _, run in found]
        results = [run.results for run in own]
        lines.append(
            (
                NAMES.get(label, _called(label)),
                _cell([size_in_use(run) for run in own], "{:.0f}"),
                _cell([best_loss(run) for run in own], "{:.4g}"),
                _cell([r["metrics"][metric]["value"] for r in results], "{:.4g}"),
                _cell([r["seconds"] for r in results], "{:.0f}"),
                str(len(own)),
            )
        )
    header = ("NETWORK", "PARAMETERS IN USE", "VALIDATION LOSS", heading, "SECONDS", "SEEDS")
    others = [label for label in runs if label != GROWN]
    sentences = " ".join(
        [
            "All train equally many epochs on the same frames; embeddings of elements that do not occur are "
            "not counted; ±: standard deviation over seeds.",
            *filter(None, (verdict(runs, other) for other in others)),
        ]
    )
    return Table(f"{model} · loss against parameters", header, lines, sentences.removesuffix("."))


def _promises(model: str, found: list[tuple[int, Run]]) -> Table:
    """A line for each place: how often it was chosen, and whether its neurons brought what they promised."""
    events = [(seed, e) for seed, run in found for e in (growth_record(run) or {"events": []})["events"]]
    chosen = Counter(event["place"] for _, event in events)
    lines = []
    for place, count in chosen.most_common():
        own = [event for _, event in events if event["place"] == place]
        ratio = [event["measured"] / event["promised"] for event in own]
        gone = [100 * (1 - event["loss"]["after"] / event["loss"]["before"]) for event in own]
        lines.append(
            (
                place, str(count), str(sum(event["neurons"] for event in own)),
                f"{min(ratio):.6f} to {max(ratio):.6f}", f"{np.mean(gone):.2f}",
                _cell([event["bottleneck_share"] for event in own], "{:.2f}"),
            )
        )  # fmt: skip
    header = ("PLACE", "ADDITIONS", "NEURONS", "MEASURED / PROMISED GAIN", "LOSS AT ONCE (−%)", "Ψ/⟨‖V‖²⟩")
    note = (
        "Gain: −dL/dγ at amplitude γ = 0, on the training frames that were measured; loss at once: how far "
        "the line search over γ brought the loss of these frames down, on average over additions"
    )
    return Table(f"{model} · what additions promised and brought", header, lines, note)


def _called(label: str) -> str:
    width = label.removeprefix("fixed-")
    return f"fixed width {width}"


def _cell(found: Sequence[Any], form: str) -> str:
    text = form.format(float(np.mean(found)))
    spread = float(np.std(found, ddof=1)) if len(found) > 1 else 0.0
    return text if spread == 0 else f"{text} ± {spread:.1g}"
