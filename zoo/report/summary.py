"""What was trained on what, in sentences."""

from __future__ import annotations

import numpy as np

from zoo.report.runs import Group
from zoo.report.words import metric_name
from zoo.verbs.compare import Place, Record

#: Models that get a line of their own; of more the table tells.
MOST = 8


def summary(group: Group) -> tuple[str, list[str]]:
    """Return a sentence on all runs of a group, and one on each model: size, frames, epochs, time, device."""
    board = group.board
    trained = [place for place in board.places if place.label in group.labels]
    runs, settings = len(group.runs), len(trained)
    names = list(dict.fromkeys(place.model for place in trained))
    if runs == 1:
        who = f"One run of {names[0]}"
    else:
        who = f"{runs} runs of {names[0] if len(names) == 1 else f'{len(names)} models'}"
        if settings > len(names):
            who += f", {settings} settings,"
        elif settings == 1:
            who += ", which differ in their seeds,"
    text = f"{who} on {_data(group)}, for the task {board.task}.{_test(group)}{_best(group, trained)}"
    lines = [_model(place, group) for place in trained[:MOST]]
    if settings > MOST:
        lines.append(f"{settings - MOST} more: see the table.")
    return text, lines


def _data(group: Group) -> str:
    if group.data is None:
        return group.board.dataset
    return (
        f"{group.board.dataset} ({group.data.system.num_particles:,} particles, {len(group.data):,} frames)"
    )


def _test(group: Group) -> str:
    frames = [float(r["frames"]["test"]) for r in group.records if (r.get("frames") or {}).get("test")]
    return f" Judged by {_span(frames)} frames of the test split." if frames else ""


def _best(group: Group, trained: list[Place]) -> str:
    board = group.board
    first = next((p for p in board.places if p.best), None)
    if first is None or len(board.places) < 2:
        return ""
    cell, unit = first.cells[board.headline], board.unit(board.headline)
    which = "highest" if board.larger_is_better else "lowest"
    kind = "" if first in trained else ", a model in closed form,"
    number = f"{cell.text()} {unit}".strip()
    return f" {first.label}{kind} has the {which} {metric_name(board.headline)}: {number}."


def _model(place: Place, group: Group) -> str:
    records = [r for r, label in zip(group.records, group.labels, strict=True) if label == place.label]
    parts = []
    if place.parameters is not None:
        parts.append(f"{place.parameters:,} parameters")
    fits = [float(r["frames"]["train"]) for r in records if (r.get("frames") or {}).get("train")]
    epochs = [float(r["epochs"]) for r in records if r.get("epochs")]
    if fits:
        times = "epoch" if epochs and max(epochs) == 1 else "epochs"
        how = f"{_span(epochs)} {times} on " if epochs else "fitted to "
        parts.append(f"{how}{_span(fits)} training frames")
    if place.seconds is not None:
        each = " each" if len(records) > 1 else ""
        parts.append(f"{place.seconds:,.1f} s{each} on {_devices(records)}")
    if len(records) > 1:
        parts.append(f"{len(records)} seeds")
    return f"{place.label}: {', '.join(parts)}."


def _devices(records: list[Record]) -> str:
    named = [r["gpu"] if str(r["device"]).startswith("cuda") else r["device"] for r in records]
    return " and ".join(dict.fromkeys(str(name) for name in named))


def _span(numbers: list[float]) -> str:
    low, high = int(np.min(numbers)), int(np.max(numbers))
    return f"{low:,}" if low == high else f"{low:,} to {high:,}"
