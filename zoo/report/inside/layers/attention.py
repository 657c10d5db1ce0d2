"""How widely each head of attention listens."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from zoo.report import plot
from zoo.verbs.inside.record import Inside


def draw(records: Sequence[Inside]) -> plot.Drawing | None:
    """Entropy against the layer, a marker for each head."""
    known = [(r.label, r) for r in records if "attention_entropy" in r.arrays]
    if not known:
        return None
    figure, axes = plot.panels(1, width=5.0, height=3.0)
    axis = axes[0, 0]
    styles = plot.look([label for label, _ in known])
    words = []
    for k, (label, record) in enumerate(known):
        entropy, error = record.arrays["attention_entropy"], record.arrays["attention_error"]
        layers, heads = entropy.shape
        off = (k - (len(known) - 1) / 2) * 0.36 / len(known)
        for head in range(heads):
            x = np.arange(1, layers + 1) + off + 0.03 * (head - (heads - 1) / 2)
            axis.errorbar(
                x, entropy[:, head], yerr=np.nan_to_num(error[:, head]), linestyle="none", markersize=4,
                elinewidth=1, color=styles[label]["color"], marker=styles[label]["marker"],
                label=label if head == 0 else None,
            )  # fmt: skip
        words.append(f"{label} {entropy.min():.2f} to {entropy.max():.2f}")
    axis.axhline(1, color=plot.INK, linestyle=":", linewidth=1)
    most = max(len(r.arrays["attention_entropy"]) for _, r in known)
    axis.set(xlabel="layer", ylabel="entropy / largest (no unit)", ylim=(0, 1.06), xticks=range(1, most + 1))
    plot.legend(figure, axis)
    caption = (
        "Entropy of each head's attention, averaged over particles and divided by ln(neighbours + 1), "
        "its value if all neighbours and the particle itself were heard alike (dotted, no unit). One "
        "marker a head; bars are standard errors over graphs. Look for heads near 1, which only average, "
        "and for heads near 0, which listen to one particle, often themselves: then the layer passes no "
        "messages."
    )
    return plot.finish(figure, "How widely attention listens", "Entropy: " + "; ".join(words), caption)
