"""What changes in decoded structures along each latent."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from zoo.report.inside.latent.common import first_with
from zoo.report.plot import Drawing, finish, legend, look, panels, with_unit
from zoo.verbs.inside.record import Inside

#: Observables that are drawn.
MOST = 4


def draw(records: Sequence[Inside]) -> Drawing | None:
    """A panel for each observable, a curve for each latent."""
    record = first_with(records, "traversal_observables")
    if record is None:
        return None
    names, values = record.facts["traversal observables"], record.arrays["traversal_observables"]
    order = sorted(range(len(names)), key=lambda k: names[k].startswith("ω"))[:MOST]
    axes_names = record.facts["traversals"]
    looks = look(axes_names)
    figure, axes = panels(len(order), 1, width=2.8, height=2.7)
    percent = 100 * record.arrays["traversal_shares"]
    for axis, k in zip(axes[0], order, strict=True):
        unit, period = record.facts["observables"][names[k]]
        for own, curve in zip(axes_names, values[k], strict=True):
            y = np.degrees(np.unwrap(curve)) if period else curve
            axis.plot(percent, y, markersize=3, label=own, **looks[own])
        label = f"{names[k]} (°)" if period else with_unit(names[k], unit)
        axis.set(xlabel="quantile of the data (%)", ylabel=label)
    legend(figure, axes[0, 0])
    caption = (
        f"Decoded structures along each axis of the latent of {record.label}, from the {percent[0]:.0f} % "
        f"to the {percent[-1]:.0f} % quantile of the data, all else as in the frame nearest to the mean; "
        "angles without jumps. Look for one curve that moves an observable while the others leave it flat: "
        "that latent is the observable. A step is a torsion that jumps, often a tear in the latent."
    )
    alt = f"Observables along {', '.join(axes_names)} of {record.label}: {', '.join(names[k] for k in order)}"
    return finish(figure, "What each latent changes", alt, caption)
