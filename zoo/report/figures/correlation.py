"""Correlation with the propensity against time, beside ceiling and baselines."""

from __future__ import annotations

from typing import Any

from zoo.report.plot import INK, Drawing, finish, legend, look, panels, with_unit
from zoo.report.runs import Group
from zoo.verbs.compare import Place

PREFIX = "pearson_mean_"


def draw(group: Group) -> Drawing | None:
    """One panel for each type of particle; of a single time one line for each model."""
    board = group.board
    columns = [key for key in board.columns if key.startswith(PREFIX) and board.listed(key)]
    if not columns:
        return None
    times, unit = group.dataset.target_times, group.dataset.units.time
    single = len(_values(group, columns[0])) == 1
    places = [p for label in group.order for p in board.places if p.label == label]
    if single:
        figure, axes = panels(len(columns), width=3.9, height=1.1 + 0.3 * len(places), sharey=True)
    else:
        figure, axes = panels(len(columns), width=3.9, height=3.1, sharey=True)
    for axis, key in zip(axes[0], columns, strict=True):
        axis.set_title(f"particles {key.removeprefix(PREFIX)}")
        (_of_one_time if single else _over_time)(axis, group, key, places)
    if single:
        when = f"t = {times[0]:g} {unit}" if times else "one time"
    else:
        axes[0, 0].set_ylabel("Pearson correlation (no unit)")
        legend(figure, axes[0, 0])
        when = f"against time in {unit}"
    several = any(place.seeds > 1 for place in places)
    bars = "standard deviation over seeds" if several else "standard error by bootstrap over configurations"
    caption = (
        "Pearson correlation of predicted and measured propensity within a configuration, averaged "
        f"over the test configurations, {when}. Dotted or open: models in closed form. Dashed: "
        f"the ceiling that the finite number of clones sets. Bars: {bars}. Look for the gap between a "
        "network and the ridge, and for what is left below the ceiling."
    )
    best = next((p for p in board.places if p.best), None)
    alt = "Correlation against time." + (f" The best is {best.label}." if best else "")
    return finish(figure, "Correlation with the propensity against time", alt, caption)


def _over_time(axis: Any, group: Group, key: str, places: list[Place]) -> None:
    """Curves of all models that have a score, and the ceiling."""
    board, times, styles = group.board, group.dataset.target_times, look(group.palette)
    number = len(_values(group, key))
    x = times if len(times) == number else range(number)
    if key in board.ceiling:
        ceiling = board.ceiling[key].value
        axis.plot(x, ceiling, color=INK, linestyle="--", linewidth=1.1, label="ceiling", zorder=3)
    for place in places:
        if key not in place.cells:
            continue
        cell, how = place.cells[key], styles[place.label]
        how = {**how, "linestyle": ":" if place.fitted else "-", "markersize": 4}
        axis.errorbar(x, cell.value, yerr=cell.spread, capsize=2, label=place.label, **how)
    if len(times) and min(times) > 0:
        axis.set_xscale("log")
    axis.set(xlabel=with_unit("time", group.dataset.units.time), ylim=(None, 1))


def _of_one_time(axis: Any, group: Group, key: str, places: list[Place]) -> None:
    """A point with its bar for each model, the first on top."""
    board, styles = group.board, look(group.palette)
    for line, place in enumerate(places):
        if key not in place.cells:
            continue
        cell, how = place.cells[key], styles[place.label]
        axis.errorbar(
            cell.value, [line], xerr=cell.spread, capsize=3, linestyle="none", markersize=5,
            color=how["color"], marker=how["marker"], mfc="none" if place.fitted else None,
        )  # fmt: skip
    if key in board.ceiling:
        axis.axvline(board.ceiling[key].value[0], color=INK, linestyle="--", linewidth=1.1)
    axis.set(xlabel="Pearson correlation (no unit)", xlim=(None, 1))
    axis.set_yticks(range(len(places)), [place.label for place in places])
    axis.set_ylim(len(places) - 0.5, -0.5)


def _values(group: Group, key: str) -> list[float]:
    return next(p.cells[key].value for p in group.board.places if key in p.cells)
