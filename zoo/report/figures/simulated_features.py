"""Distributions of single features: data and simulations, with errors over runs and replicas."""

from __future__ import annotations

from typing import Any

import numpy as np

from zoo.report.plot import INK, Drawing, finish, legend, look, panels
from zoo.report.runs import Group
from zoo.report.simulation import SLOW, Simulated, all_simulated

MOST_FEATURES, COLUMNS = 8, 4
SIZES = ("Rg", "end-to-end", "diameter")
#: Sets of runs drawn anew for the bands.
RESAMPLES = 100


def draw(group: Group) -> Drawing | None:
    """A panel for each feature, a line for the data and for each model."""
    found = all_simulated(group)
    if not found:
        return None
    first = found[0]
    shown = _shown(first)
    columns = min(COLUMNS, len(shown))
    rows = -(-len(shown) // columns)
    figure, axes = panels(columns, rows, width=2.45, height=2.1)
    styles = look(group.palette)
    worst: dict[str, str] = {}
    floors = []
    for axis, k in zip(axes.ravel(), shown, strict=False):
        for simulated in found:
            style = {key: styles[simulated.label][key] for key in ("color", "linestyle")}
            _curves(axis, simulated, k, style, with_data=simulated is first)
        differences = [s.difference([k]) for s in found]
        floors += [d.js_floor for d in differences]
        values = ", ".join(f"{d.js:.2g}" for d in differences)
        worst[first.names[k]] = values
        axis.set_title(f"{first.names[k]}: JS {values}", fontsize=9)
        axis.set_xlabel(first.axis(k)[0])
        axis.set_yticks([])
        axis.set_ylim(0, None)
    for axis in axes.ravel()[len(shown) :]:
        axis.set_axis_off()
    for axis in axes[:, 0]:
        axis.set_ylabel("density")
    legend(figure, axes.ravel()[0])
    left = "" if len(shown) == len(first.names) else f" {len(shown)} of {len(first.names)} features."
    each = " of each model, in the order of the legend" if len(found) > 1 else ""
    sizes = " and ".join(f"{s.frames:,}" for s in found)
    caption = (
        f"Share of conformations per unit of each feature, all {first.references:,} frames of "
        f"{first.arrays['reference']} and {sizes} of the simulation; "
        f"what lies beyond the axis counts at its end.{left} Bands: one "
        "standard error, over independent runs or replicas drawn anew. JS: Jensen-Shannon divergence in nats"
        f"{each}, 0 for equal and 0.69 for disjoint distributions; chance alone gives {min(floors):.1g} to "
        f"{max(floors):.1g}. Look for peaks that the simulation lacks, and for bonds that are too soft or "
        "displaced: those are the prior's or the network's at short range."
    )
    alt = "Jensen-Shannon divergence in nats: " + "; ".join(f"{n} {v}" for n, v in worst.items())
    return finish(figure, "Features of the simulation", f"{alt}.", caption)


def _shown(simulated: Simulated) -> list[int]:
    """Sizes, slow coordinates and torsions before bonds, in the order in which they are stored."""
    periodic = np.isfinite(simulated.arrays["periods"])

    def rank(k: int) -> int:
        name = simulated.names[k]
        return 0 if name in SIZES else 1 if name in SLOW else 2 if periodic[k] else 3

    return sorted(sorted(range(len(simulated.names)), key=rank)[:MOST_FEATURES])


def _curves(axis: Any, simulated: Simulated, k: int, style: dict[str, Any], *, with_data: bool) -> None:
    on, reference, model = simulated.histograms([k])
    factor = simulated.axis(k)[1]
    edges = factor * np.linspace(on.low[0], on.high[0], on.bins + 1)
    width = max(edges[1] - edges[0], np.finfo(float).tiny)
    sides: list[tuple[str, np.ndarray, dict[str, Any]]] = [(simulated.label, model, style)]
    if with_data:
        sides.insert(0, ("data", reference, {"color": INK, "linewidth": 1.0}))
    for name, blocks, how in sides:
        density = blocks.sum(0) / blocks.sum() / width
        axis.stairs(density, edges, label=name, **how)
        error = _error(blocks) / width
        axis.stairs(
            density + error, edges, baseline=np.maximum(density - error, 0), fill=True, alpha=0.25,
            color=how["color"], linewidth=0,
        )  # fmt: skip


def _error(blocks: np.ndarray) -> np.ndarray:
    """Standard error of shares `[bins]` of counts `[blocks, bins]`, by drawing blocks anew."""
    rng = np.random.default_rng(0)
    times = rng.multinomial(len(blocks), np.full(len(blocks), 1 / len(blocks)), RESAMPLES)
    counts = times @ blocks
    return np.asarray((counts / counts.sum(1, keepdims=True)).std(0))
