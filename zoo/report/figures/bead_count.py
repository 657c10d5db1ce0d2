"""Square error and mean square force against the number of beads."""

from __future__ import annotations

from collections import defaultdict

import numpy as np

from zoo.report.plot import Drawing, finish, legend, look, panels, set_scale
from zoo.report.reconstruction import TASK
from zoo.report.runs import Group

#: Bounds that are shown beside the models.
BOUNDS = ("pca", "segment-map", "random-map")


def draw(group: Group) -> Drawing | None:
    """A line for each model and bound, where runs differ in the number of beads."""
    if group.board.task != TASK:
        return None
    error: dict[str, dict[float, list[float]]] = defaultdict(lambda: defaultdict(list))
    force: dict[str, dict[float, list[float]]] = defaultdict(lambda: defaultdict(list))
    units = {"mse": "", "mean_force": ""}
    for record in group.records:
        beads = record["metrics"].get("beads", {}).get("value")
        if beads is None:
            continue
        sides = {record["model"]: record["metrics"]}
        sides |= {name: record["baselines"][name] for name in BOUNDS if name in record["baselines"]}
        for name, metrics in sides.items():
            for key, kept in (("mse", error), ("mean_force", force)):
                if key in metrics and metrics[key]["value"] is not None:
                    kept[name][float(beads)].append(float(metrics[key]["value"]))
                    units[key] = metrics[key]["unit"]
    if len({beads for line in error.values() for beads in line}) < 2:
        return None
    figure, axes = panels(2 if force else 1, width=4.2, height=3.0)
    styles = look(list(error))
    labels = (
        ("mse", error, "square error per coordinate"),
        ("mean_force", force, "mean square force on a bead"),
    )
    for axis, (key, kept, label) in zip(axes[0], labels, strict=False):
        for name, line in kept.items():
            beads_ = sorted(line)
            means = np.array([np.mean(line[b]) for b in beads_])
            spread = np.array([np.std(line[b]) for b in beads_])
            axis.errorbar(beads_, means, yerr=spread, label=name, capsize=2, **styles[name])
        axis.set(xlabel="beads", ylabel=f"{label}, {units[key]}")
        set_scale(axis, [v for line in kept.values() for vs in line.values() for v in vs])
    legend(figure, axes[0, 0])
    caption = (
        "Left: mean square distance of decoded from original coordinates on the test split, seeds averaged "
        "with their standard deviation. pca is the least that anything linear with so many components can "
        "have, segment-map and random-map are maps that are not learned with the best linear decoder. Right: "
        "mean square force on a bead, which force matching has to explain: it rises where bonds are cut. "
        "Look for the number of beads beyond which a curve is flat, and for how far a learned map is below "
        "segment-map, which needs no training."
    )
    alt = "; ".join(
        f"{name} {np.mean(line[max(line)]):.3g} at {max(line):.0f} beads" for name, line in error.items()
    )
    return finish(figure, "Error against the number of beads", f"Square error: {alt}.", caption)
