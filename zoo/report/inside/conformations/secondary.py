"""Secondary structure along the chain."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from zoo.report.inside.conformations.common import against, compared, having, styles
from zoo.report.plot import INK, Drawing, finish, legend, panels
from zoo.verbs.inside.record import Inside

KINDS = ("helix", "strand", "coil")
#: Residues that get their names.
NAMED = 52


def draw(records: Sequence[Inside]) -> Drawing | None:
    """A panel for helix, strand and coil, a curve for each record, and the first one's reference."""
    found = having(records, "secondary", "secondary structure")
    names = found[0].facts["residues"]
    figure, axes = panels(1, 3, width=8.0, height=1.5, sharex=True)
    place = np.arange(len(names))
    looks = styles(found)
    for row, axis in enumerate(axes[:, 0]):
        for first in compared(found)[:1]:
            share, error = (first.arrays[f"reference_secondary{k}"][:, row] for k in ("", "_error"))
            axis.errorbar(place, share, yerr=error, color=INK, linewidth=0.8, capsize=1, label="reference")
        for record in found:
            if record.facts["residues"] != names:
                continue
            how = looks[record.label]
            axis.errorbar(
                place, record.arrays["secondary"][:, row], yerr=record.arrays["secondary_error"][:, row],
                color=how["color"], linestyle=how["linestyle"], marker=how["marker"], markersize=3, capsize=1,
                linewidth=1, label=record.label,
            )  # fmt: skip
        axis.set(ylim=(-0.03, 1.03), ylabel=f"share of {KINDS[row]}")
    step = -(-len(names) // NAMED)
    axes[-1, 0].set_xticks(place[::step], names[::step], rotation=90, fontsize=6)
    axes[-1, 0].set_xlabel("residue")
    legend(figure, axes[0, 0])
    means = []
    for record in found:
        every = zip(KINDS, record.arrays["secondary"].mean(0), strict=True)
        means.append(f"{record.label} " + ", ".join(f"{kind} {100 * v:.0f} %" for kind, v in every))
    beside = f" Black: {against(found)}." if compared(found) else ""
    caption = (
        "Share of conformations in which each residue is helix (α, 3₁₀ or π), strand (or bridge) or neither, "
        "by DSSP from hydrogen bonds of the backbone. Bars: standard errors over independent runs, or "
        f"stretches.{beside} Look for helices that fray from their ends (a slope), and for ones that melt as "
        f"a whole (a plateau below 1). Means over residues: {'; '.join(means)}."
    )
    return finish(figure, "Secondary structure", f"Secondary structure: {'; '.join(means)}", caption)
