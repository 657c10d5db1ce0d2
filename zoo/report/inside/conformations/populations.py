"""Populations of clusters, with errors, beside the reference's."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from zoo.report.inside.conformations.common import against, compared, having, styles
from zoo.report.plot import INK, Drawing, finish, legend, panels
from zoo.verbs.inside.record import Inside


def draw(records: Sequence[Inside]) -> Drawing | None:
    """Left cells of k-means, which are those of the reference, right islands of HDBSCAN, each one's own."""
    found = having(records, "cluster_share", "clusters")
    looks = styles(found)
    first = next(iter(compared(found)), None)
    figure, (axes,) = panels(2, width=3.7, height=2.7)
    told = []
    for axis, name in zip(axes, ("cluster", "island"), strict=True):
        number = max((len(r.arrays.get(f"{name}_share", ())) for r in found), default=0)
        width = 0.6 / max(len(found), 1)
        for i, record in enumerate(found):
            share = record.arrays.get(f"{name}_share")
            if share is None:
                continue
            at = np.arange(len(share)) + width * (i - (len(found) - 1) / 2)
            how = looks[record.label]
            axis.errorbar(
                at, share, yerr=record.arrays[f"{name}_error"], fmt=how["marker"], color=how["color"],
                markersize=5, capsize=2, label=record.label,
            )  # fmt: skip
            other = record.arrays.get(f"reference_{name}_share")
            if other is not None:
                axis.errorbar(
                    at + 0.4 * width, other, yerr=record.arrays[f"reference_{name}_error"], fmt="_",
                    color=INK, markersize=11, capsize=2, label="reference" if record is first else None,
                )  # fmt: skip
            told.append(f"{record.label}, {name}s: " + ", ".join(f"{100 * s:.2g} %" for s in share[:6]))
        axis.set_xticks(np.arange(number), [str(k + 1) for k in range(number)])
        axis.set(xlabel=f"{name}", ylabel="share of conformations (1)", ylim=(0, None))
    axes[0].set_title("k-means", fontsize=9)
    axes[1].set_title("HDBSCAN", fontsize=9)
    legend(figure, axes[0])
    beside = f" Flat marks: {against(found)}." if compared(found) else ""
    caption = (
        "Share of conformations in each cluster. k-means cuts the space of the map into cells (those of the "
        "reference where there is one); HDBSCAN finds islands of density, each record its own; subjects with "
        "other references have other cells. Bars: standard errors over independent runs or "
        f"stretches.{beside} Look for clusters that the subject lacks, and for errors as large as the share "
        f"itself: those states were hardly ever entered. {'; '.join(told)}."
    )
    return finish(figure, "Populations of clusters", f"{'; '.join(told)}.", caption)
