"""The way of a training without data: temperature, effective sample size, energies computed."""

from __future__ import annotations

from typing import Any

from zoo.report.density import TASK
from zoo.report.plot import Drawing, finish, legend, look, panels, with_unit
from zoo.report.runs import Group

Row = dict[str, float]


def draw(group: Group) -> Drawing | None:
    """Temperature and ESS by step; ESS by the number of energies."""
    if group.board.task != TASK:
        return None
    curves = [(label, run.curve()) for label in group.order if (run := group.first(label))]
    curves = [(label, rows) for label, rows in curves if any(r.get("val_ess") is not None for r in rows)]
    if not curves:
        return None
    styles = look(group.palette)
    figure, axes = panels(3, width=3.2, height=2.8)
    temperature, ess, cost = axes[0]
    for label, rows in curves:
        own = styles[label]
        line = {"color": own["color"], "linestyle": own["linestyle"]}
        _plot(temperature, rows, "step", "temperature", label=label, **line)
        _plot(ess, rows, "step", "train_buffer_ess", **{**line, "linestyle": ":", "linewidth": 1.1})
        _plot(ess, rows, "step", "val_ess", **line)
        _plot(cost, rows, "energy_evaluations", "val_ess", **line)
    if group.data is not None and group.data.temperature:
        temperature.axhline(group.data.temperature, color="0.5", linewidth=0.8, linestyle=":")
    unit = group.data.units.temperature if group.data is not None else ""
    temperature.set(xlabel="step", ylabel=with_unit("temperature", unit), title="Target's temperature")
    ess.set(xlabel="step", ylabel="ESS over draws (no unit)", title="ESS (dotted: buffer)", ylim=(0, 1))
    cost.set(xlabel="energies computed", ylabel="ESS over draws (no unit)", title="ESS by cost", ylim=(0, 1))
    if all(r.get("energy_evaluations", 0) > 0 for _, rows in curves for r in rows):
        cost.set_xscale("log")
    legend(figure, temperature)
    caption = (
        "Left: the temperature of the target; where it falls, the next rung was chosen by the buffer's "
        "effective sample size (dotted line: the dataset's temperature). Middle: Kish's effective sample "
        "size of fresh draws at the dataset's temperature, unclipped, and of the buffer (dotted). Right: the "
        "same against the number of energies computed so far. Few draws make these values rough; the table's "
        "are of the whole sample (ESS as a share of the draws, no unit). Look for values that fall after "
        "they rose: a mode was lost, or found."
    )
    ends = ", ".join(f"{label} {_last(rows, 'val_ess'):.2g}" for label, rows in curves)
    return finish(figure, "Temperature and effective sample size in training", f"Last ESS: {ends}", caption)


def _plot(axis: Any, rows: list[Row], x: str, y: str, **how: Any) -> None:
    known = [r for r in rows if x in r and y in r]
    axis.plot([r[x] for r in known], [r[y] for r in known], **how)


def _last(rows: list[Row], name: str) -> float:
    return next((r[name] for r in reversed(rows) if name in r), float("nan"))
