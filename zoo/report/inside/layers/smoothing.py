"""How alike nodes become with depth."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from zoo.report import plot
from zoo.report.runs import LeftOut
from zoo.verbs.inside.record import Inside


def draw(records: Sequence[Inside]) -> plot.Drawing | None:
    """Dirichlet energy and cosine distance against depth, a curve for each run."""
    known = [(r.label, r) for r in records if "dirichlet" in r.arrays]
    if not known:
        reasons = [r.facts["no_smoothing"] for r in records if "no_smoothing" in r.facts]
        if reasons:
            raise LeftOut(reasons[0])
        return None
    figure, axes = plot.panels(2, width=3.5, height=2.9)
    styles = plot.look([label for label, _ in known])
    for axis, name, error in zip(
        axes[0], ("dirichlet", "cosine_distance"), ("dirichlet_error", "cosine_error"), strict=True
    ):
        for label, record in known:
            values = record.arrays[name]
            axis.errorbar(
                np.arange(len(values)), values, yerr=np.nan_to_num(record.arrays[error]), label=label,
                markersize=4.5, elinewidth=1, **styles[label],
            )  # fmt: skip
        axis.set(xlabel="after layer (0: before the first)")
        axis.xaxis.get_major_locator().set_params(integer=True)
        plot.set_scale(axis, [float(v) for _, r in known for v in r.arrays[name]])
        if axis.get_yscale() == "linear":
            axis.set_ylim(0, 1.12 * max(float(r.arrays[name].max()) for _, r in known))
    axes[0, 0].set_ylabel("Dirichlet energy (no unit)")
    axes[0, 1].set_ylabel("mean cosine distance (no unit)")
    plot.legend(figure, axes[0, 0])
    words = [f"{label} {record.arrays['dirichlet'][-1]:.2g}" for label, record in known]
    caption = (
        "How much features of particles differ after each layer. Left: of neighbours, Σ‖h_i − h_j‖² over "
        "edges divided by twice the mean square of the features; 1 is as different as if they had "
        "nothing to do with each other. Right: 1 − cos of the angle between features, averaged over all "
        "pairs. No units; bars are standard errors over graphs. Look for a fall to below a hundredth: "
        "over-smoothing, where depth has made all particles alike. Before the first layer particles of "
        "one sort may be exactly alike."
    )
    alt = "Dirichlet energy after the last layer: " + "; ".join(words)
    return plot.finish(figure, "Over-smoothing with depth", alt, caption)
