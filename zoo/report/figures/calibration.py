"""Does an ensemble know its error: error against the spread of its members."""

from __future__ import annotations

import numpy as np

from zoo import keys
from zoo.report.glass import at_time, telling_time
from zoo.report.plot import INK, Drawing, finish, legend, look, panels, with_unit
from zoo.report.runs import Group
from zoo.tasks.propensity.calibration import SPREAD, clone_errors

BINS = 10


def draw(group: Group) -> Drawing | None:
    """One panel for each species, one curve for each ensemble; None where there is no ensemble."""
    if not group.predicts(SPREAD):
        return None
    found = []
    for label in group.order:
        run = group.first(label)
        if run is not None and SPREAD in run.predictions():
            spread, frames = group.predicted(run, SPREAD)
            found.append((label, group.predicted(run, keys.TARGETS)[0], spread))
    data = group.dataset
    truth, noise = frames.array(keys.TARGETS).astype(np.float64), clone_errors(frames)
    time = telling_time(group, truth.shape[2])
    kinds = sorted(set(data.system.types.tolist()))
    figure, axes = panels(len(kinds), width=3.6, height=3.1)
    styles, words = look(group.palette), []
    for axis, kind in zip(axes[0], kinds, strict=True):
        members = data.system.types == kind
        for label, guess, spread in found:
            miss = (guess - truth)[:, members, time].ravel()
            told = spread[:, members, time].ravel().astype(np.float64)
            expected = np.hypot(told, noise[:, members, time].ravel())
            parts = np.array_split(np.argsort(told), BINS)  # as many particles in each
            x = np.array([np.sqrt((expected[p] ** 2).mean()) for p in parts])
            y = np.array([np.sqrt((miss[p] ** 2).mean()) for p in parts])
            bar = y / np.sqrt(2 * len(parts[0]))
            axis.errorbar(x, y, yerr=bar, label=label, capsize=2, **{**styles[label], "markersize": 4})
            words.append(f"{label} {data.system.type_names[kind]} {np.sqrt((y**2).sum() / (x**2).sum()):.2g}")
        top = max(axis.get_xlim()[1], axis.get_ylim()[1])
        axis.plot([0, top], [0, top], color=INK, linestyle="--", linewidth=0.9, label="calibrated")
        unit = data.units.length
        axis.set(xlabel=with_unit("expected error", unit), xlim=(0, top), ylim=(0, top), aspect="equal",
                 title=f"particles {data.system.type_names[kind]}{at_time(group, time)}")  # fmt: skip
    axes[0, 0].set_ylabel(with_unit("error", unit))
    legend(figure, axes[0, 0])
    caption = (
        f"Root mean square error of the ensemble's mean, in {unit}, against what is expected: the spread of "
        f"its members and the standard error of the clones, added in squares. Test particles in {BINS} "
        "groups of equal size by spread; bars: standard error. Look for points above the dashed line: "
        "there the ensemble is too sure of itself, its members err alike. A curve that rises tells which "
        "particles not to trust, a flat one tells nothing."
    )
    return finish(
        figure, "Calibration of the ensemble", "Error over expected error: " + ", ".join(words), caption
    )
