"""Networks that grew in training: loss against parameters beside fixed ones, promised and real gain."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from zoo.errors import RunError
from zoo.report.plot import Drawing, finish, legend, look, panels, set_scale
from zoo.report.runs import Group, LeftOut
from zoo.run import Run
from zoo.verbs.growing.record import growth_record, size_in_use

#: The ways are shown up to so many times the largest loss in the end.
HIGHEST = 3.0


def draw(group: Group) -> Drawing | None:
    """Validation loss against parameters, of grown networks with their way; gain promised and measured."""
    try:
        grown = {run.path: record for run in group.runs if (record := growth_record(run)) is not None}
        if not grown:
            return None
        sizes = {run.path: size_in_use(run) for run in group.runs if run.curve()}
    except RunError as error:
        raise LeftOut(str(error)) from error
    styles = look(group.palette)
    events = [(label, event) for label in group.order for run in group.of(label) if run.path in grown
              for event in grown[run.path]["events"] if "promised" in event]  # fmt: skip
    figure, axes = panels(2 if events else 1, width=4.4, height=3.3)
    losses, ends, finals = [], [], []
    for label in group.order:
        runs = [run for run in group.of(label) if run.path in sizes]
        if not runs:
            continue
        best = np.array([min(row["val_loss"] for row in _validated(run)) for run in runs])
        x = np.array([sizes[run.path] for run in runs])
        style: dict[str, Any] = styles[label] | {"linestyle": "none"}
        spread = best.std(ddof=1) if len(best) > 1 else None
        axes[0, 0].errorbar(x.mean(), best.mean(), yerr=spread, capsize=3, label=label, **style)
        for run in runs:
            if run.path in grown:
                way = _way(run, grown[run.path])
                axes[0, 0].plot(*zip(*way, strict=True), color=style["color"], alpha=0.4, linewidth=1)
                losses += [loss for _, loss in way]
        losses += best.tolist()
        finals += [(label, loss) for loss in best.tolist()]
        ends.append(f"{label} {x.mean():.0f} parameters, {best.mean():.3g}")
    ends_at = max(end for _, end in finals)
    set_scale(axes[0, 0], [loss for loss in losses if loss <= HIGHEST * ends_at])
    axes[0, 0].set_ylim(top=HIGHEST * ends_at)  # how the loss falls at first would flatten the rest
    axes[0, 0].set(
        xlabel="parameters in use", ylabel="best validation loss (no unit)", title="Loss against parameters"
    )
    if events:
        _promises(axes[0, 1], events, styles)
    legend(figure, axes[0, 0])
    return finish(figure, "Growth", f"Best validation loss: {'; '.join(ends)}.", _caption(bool(events)))


def _validated(run: Run) -> list[dict[str, float]]:
    return [row for row in run.curve() if "val_loss" in row]


def _way(run: Run, record: dict[str, Any]) -> list[tuple[float, float]]:
    """Parameters and the best loss so far, epoch by epoch."""
    added = {event["epoch"]: event["parameters"]["after"] for event in record["events"]}
    size, least, way = record["parameters"], np.inf, []
    for row in _validated(run):
        least = min(least, row["val_loss"])
        way.append((float(size), least))
        size = added.get(int(row["epoch"]) + 1, size)
    return way


def _promises(axis: Any, events: Sequence[tuple[str, dict[str, Any]]], styles: dict[str, Any]) -> None:
    every = [event[key] for _, event in events for key in ("promised", "measured")]
    ends = [min(every), max(every)]
    axis.plot(ends, ends, color="#888888", linewidth=0.8)
    for label in dict.fromkeys(label for label, _ in events):
        own = [event for name, event in events if name == label]
        axis.plot(
            [event["promised"] for event in own], [event["measured"] for event in own],
            **styles[label] | {"linestyle": "none"},
        )  # fmt: skip
    axis.set(
        xscale="log", yscale="log", xlabel="promised gain (loss per unit of amplitude)",
        ylabel="measured −dL/dγ at γ = 0 (same unit)", title="Promise of each addition",
    )  # fmt: skip


def _caption(promises: bool) -> str:
    text = (
        "Left: the best validation loss of each network against its parameters (embeddings of elements that "
        "do not occur are not counted), mean and standard deviation over seeds; thin lines are the ways of "
        "networks that grew: down while they train, to the right where neurons are added. Look whether "
        "a grown network is below the fixed ones of its size: it has used its parameters better; one above "
        "them would rather have been built wide. "
    )
    if promises:
        text += (
            "Right: what the best neurons promise to first order, and what the loss does. On the line, "
            "promise and measurement are one. Look for points off it: something between the layers is not "
            "what it was measured as."
        )
    return text
