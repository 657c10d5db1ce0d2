"""Correlation with the propensity against time, beside ceiling and baselines."""

from __future__ import annotations

from zoo.report.plot import INK, Drawing, finish, legend, look, panels, with_unit
from zoo.report.runs import Group

PREFIX = "pearson_mean_"


def draw(group: Group) -> Drawing | None:
    """One panel for each type of particle."""
    board = group.board
    columns = [key for key in board.columns if key.startswith(PREFIX) and board.listed(key)]
    if not columns:
        return None
    times, unit = group.dataset.target_times, group.dataset.units.time
    figure, axes = panels(len(columns), width=3.9, height=3.1, sharey=True)
    styles = look(group.palette)
    for axis, key in zip(axes[0], columns, strict=True):
        x = times if len(times) == len(_values(group, key)) else range(len(_values(group, key)))
        if key in board.ceiling:
            axis.plot(
                x,
                board.ceiling[key].value,
                color=INK,
                linestyle="--",
                linewidth=1.1,
                label="ceiling",
                zorder=3,
            )
        for place in (p for label in group.order for p in board.places if p.label == label):
            if key not in place.cells:
                continue
            cell, how = place.cells[key], styles[place.label]
            how = {**how, "linestyle": ":" if place.fitted else "-", "markersize": 4}
            axis.errorbar(x, cell.value, yerr=cell.spread, capsize=2, label=place.label, **how)
        if len(times) and min(times) > 0:
            axis.set_xscale("log")
        axis.set(
            xlabel=with_unit("time", unit), title=f"particles {key.removeprefix(PREFIX)}", ylim=(None, 1)
        )
    axes[0, 0].set_ylabel("Pearson correlation (no unit)")
    legend(figure, axes[0, 0])
    bars = board.note().partition("± ")[2].partition(";")[0]
    caption = (
        "Pearson correlation of predicted and measured propensity within a configuration, averaged "
        f"over the test configurations, against time in {unit}. Dotted: models in closed form. Dashed: "
        f"the ceiling that the finite number of clones sets. Bars: {bars}. Look for the gap between a "
        "network and the ridge, and for what is left below the ceiling."
    )
    best = next((p for p in board.places if p.best), None)
    alt = "Correlation against time." + (f" The best is {best.label}." if best else "")
    return finish(figure, "Correlation with the propensity against time", alt, caption)


def _values(group: Group, key: str) -> list[float]:
    return next(p.cells[key].value for p in group.board.places if key in p.cells)
