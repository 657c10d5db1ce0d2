"""Force error by element."""

from __future__ import annotations

import numpy as np

from zoo import keys
from zoo.report.plot import Drawing, finish, legend, look, panels, set_scale, with_unit
from zoo.report.runs import Group


def draw(group: Group) -> Drawing | None:
    """Mean absolute error by type of particle; and as a share of the mean absolute force."""
    if not group.predicts(keys.FORCES):
        return None
    labels = [label for label in group.order if group.first(label)]
    system = group.dataset.system
    kinds = sorted(set(system.types.tolist()))
    errors: dict[str, np.ndarray] = {}  # [seeds, kinds]
    size = np.zeros(len(kinds))
    for label in labels:
        rows = []
        for run in group.of(label):
            guess, frames = group.predicted(run, keys.FORCES)
            true = frames.array(keys.FORCES).astype(np.float64)
            rows.append([np.abs(guess - true)[:, system.types == k].mean() for k in kinds])
            size = np.array([np.abs(true)[:, system.types == k].mean() for k in kinds])
        errors[label] = np.array(rows)
    unit = group.dataset.units.force
    names = [f"{system.type_names[k]}\n({(system.types == k).sum()})" for k in kinds]
    figure, axes = panels(2, width=4.1, height=2.8)
    place, styles = np.arange(len(kinds)), look(group.palette)
    step = min(0.14, 0.7 / len(errors))
    for i, (label, values) in enumerate(errors.items()):
        at = place + (i - (len(errors) - 1) / 2) * step
        how = {**styles[label], "linestyle": "none", "markersize": 6, "capsize": 2}
        for axis, scale in ((axes[0, 0], np.ones_like(size)), (axes[0, 1], size / 100)):
            mean = (values / scale).mean(0)
            spread = (values / scale).std(0, ddof=1) if len(values) > 1 else None
            axis.errorbar(at, mean, yerr=spread, label=label, **how)
            set_scale(axis, [v for e in errors.values() for v in (e / scale).mean(0)])
    for axis in axes[0]:
        axis.set_xticks(place, names)
        axis.grid(False, axis="x")
    axes[0, 0].set(ylabel=with_unit("mean absolute error", unit), title="Error")
    axes[0, 1].set(ylabel="error / mean |force| (%)", title="Error relative to the force")
    legend(figure, axes[0, 0])
    caption = (
        f"Left: mean absolute error of a force component on the test split, in {unit}, by element (in "
        "brackets: atoms of it). Right: the same as a share of the mean absolute component on that "
        "element; 100 % is no better than predicting no force. Error bars, where there are several "
        "seeds: standard deviation. Look for an element that stands out at the right: there are few of it, "
        "or its bonds are stiff."
    )
    alt = "Force error by element. " + "; ".join(
        f"{label}: "
        + ", ".join(f"{system.type_names[k]} {v:.3g}" for k, v in zip(kinds, e.mean(0), strict=True))
        for label, e in errors.items()
    )
    return finish(figure, "Force error by element", alt, caption)
