"""How far each quantity is from the reference, beside what chance alone would give."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from zoo.report.inside.conformations.common import against, compared, having, styles
from zoo.report.plot import INK, Drawing, finish, legend, panels
from zoo.report.runs import LeftOut
from zoo.verbs.inside.record import Inside

#: Quantities, those with the largest divergence first.
MOST = 30


def draw(records: Sequence[Inside]) -> Drawing | None:
    """A row for each quantity and plane, a point for each record."""
    found = compared(having(records, "quantities", "divergences"))
    if not found:
        raise LeftOut("there is no reference to compare with: name one with --against")
    every = [_differences(record) for record in found]
    names = sorted(every[0], key=lambda name: -every[0][name]["js"])[:MOST]
    figure, ((axis,),) = panels(1, width=6.2, height=1.0 + 0.24 * len(names))
    looks = styles(found)
    height = np.arange(len(names))[::-1]
    above = []
    for i, (record, differences) in enumerate(zip(found, every, strict=True)):
        known = [k for k, name in enumerate(names) if name in differences]
        js, error, floor = (
            np.array([differences[names[k]][key] for k in known]) for key in ("js", "js_error", "js_floor")
        )
        at = height[known] + 0.16 * (i - (len(found) - 1) / 2)
        how = looks[record.label]
        axis.errorbar(
            js, at, xerr=error, fmt=how["marker"], color=how["color"], markersize=4, capsize=2,
            label=record.label,
        )  # fmt: skip
        axis.plot(
            floor, at, linestyle="", marker="|", color=INK, markersize=9,
            label="chance alone" if i == 0 else None,
        )  # fmt: skip
        far = [names[k] for k, j, e, f in zip(known, js, error, floor, strict=True) if j - 2 * e > f]
        above.append(f"{record.label}: {', '.join(far[:8]) or 'none'}")
    axis.set(yticks=height, yticklabels=names, xlabel="Jensen-Shannon divergence (nats)", xlim=(0, None))
    legend(figure, axis)
    left = "" if len(names) == len(every[0]) else f", the {len(names)} largest of {len(every[0])}"
    caption = (
        f"Jensen-Shannon divergence of histograms from those of {against(found)}{left}, in nats: 0 for "
        "equal, 0.69 for disjoint distributions. Bars: standard errors over independent parts of the "
        "conformations. Upright marks: what a perfect model with as many conformations would have, since the "
        "reference is finite. Look for points well right of their marks: only these are told from chance. "
        f"Two standard errors beyond: {'; '.join(above)}."
    )
    alt = f"Divergences beside chance. Beyond chance by two standard errors: {'; '.join(above)}."
    return finish(figure, "Divergences from the reference", alt, caption)


def _differences(record: Inside) -> dict[str, dict[str, float]]:
    """Of all quantities, and of planes by the names of their axes."""
    out = {r["name"]: r["difference"] for r in record.facts["quantities"] if "difference" in r}
    planes = [p for p in record.facts["planes"] if "difference" in p]
    return out | {f"({', '.join(p['names'])})": p["difference"] for p in planes}
