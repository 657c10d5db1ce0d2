"""Clocks of the simulation and of the data: implied time scales, and displacements."""

from __future__ import annotations

from typing import Any

import numpy as np

from zoo.report.plot import INK, Drawing, finish, legend, look, panels, with_unit
from zoo.report.runs import Group
from zoo.report.simulation import all_simulated


def draw(group: Group) -> Drawing | None:
    """Left the slowest time scale against the lag, right the displacement about the centre against time."""
    found = [
        (s, record) for s in all_simulated(group) if "timescales" in (record := s.record())["comparison"]
    ]
    if not found:
        return None
    units = group.dataset.units
    figure, (axes,) = panels(2, width=3.9, height=3.0)
    styles = look(group.palette)
    told = []
    for number, (simulated, record) in enumerate(found):
        lines: dict[str, tuple[str, dict[str, Any]]] = {
            "simulated": (simulated.label, {**styles[simulated.label], "markersize": 4})
        }
        if number == 0:
            lines["reference"] = ("data", {"color": INK, "marker": "o", "markersize": 3, "linewidth": 1.0})
        for side, (name, how) in lines.items():
            _curves(axes, record["comparison"], side, name, how)
        told.append(f"{simulated.label} {_ratio(record)}")
    axes[0].set(
        xlabel=with_unit("lag", units.time), ylabel=with_unit("slowest time scale", units.time),
        xscale="log", yscale="log",
    )  # fmt: skip
    span = np.array(axes[0].get_xlim())
    axes[0].fill_between(span, span, color=INK, alpha=0.1, linewidth=0)
    axes[0].set_xlim(span)
    axes[1].set(
        xlabel=with_unit("time", units.time), ylabel=with_unit("displacement", f"{units.length}²"),
        xscale="log",
    )  # fmt: skip
    legend(figure, axes[0])
    caption = (
        "Left: slowest time scale by TICA of data and simulation in the same coordinates, against the lag at "
        "which it is found; bars are standard errors. In the shaded part, below the lag itself, a time "
        "scale means little, and a line that still rises has not come to its value. Right: mean square "
        "displacement of the particles about their centre. Beads lack the friction of the atoms that they "
        "hide: their clock runs fast, or slow where the thermostat's friction is too high. Look for lines "
        "of one shape, apart by a factor: that is a clock, which can be scaled. Ratio of the "
        "data's time scale to the simulation's, at the longest lag at which both are known within a "
        "quarter, or else where they are known best: "
        f"{'; '.join(told)}."
    )
    alt = f"Time scales: ratio of data to simulation {'; '.join(told)}."
    return finish(figure, "Time scales of the simulation", alt, caption)


def _curves(axes: Any, record: dict[str, Any], side: str, name: str, how: dict[str, Any]) -> None:
    scales = record["timescales"]
    value, error = (
        np.array([point[key] for point in scales[side]], float) for key in ("value", "error")
    )  # null: not known
    axes[0].errorbar(scales["lags"], value, yerr=np.nan_to_num(error), capsize=2, label=name, **how)
    moved = record["displacement"][side]
    axes[1].plot(moved["time"], np.array(moved["internal"], float), label=name, **{**how, "marker": ""})


def _ratio(record: dict[str, Any]) -> str:
    """The metric of the simulation, as `zoo sample` told it."""
    found = record["metrics"]["speed_up"]
    if found["value"] is None:
        return "not known"
    error = found.get("error")
    return f"{found['value']:.2g}" + ("" if error is None else f" ± {error:.1g}")
