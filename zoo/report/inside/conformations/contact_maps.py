"""Contact maps: the subject above the diagonal, the reference below, and what differs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import matplotlib
import numpy as np

from zoo.report.inside.conformations.common import against, compared, having
from zoo.report.plot import INK, Drawing, density_map, finish, panels
from zoo.verbs.inside.record import Inside

#: Records, a row each; sites that get their names.
MOST, NAMED = 4, 24
#: A difference is marked beyond so many standard errors.
SIGMAS = 4.0
#: End of the scale of differences, at least.
LEAST = 0.1


def draw(records: Sequence[Inside]) -> Drawing | None:
    """A row for each record."""
    found = having(records, "contacts", "contacts")[:MOST]
    beside = bool(compared(found))
    figure, axes = panels(2 if beside else 1, len(found), width=3.6, height=3.2)
    shares = gaps = None
    told = []
    # one scale for all, its middle grey, which shows on a light and on a dark page
    most = max([LEAST, *(_largest(record) for record in compared(found))])
    for line, record in zip(axes, found, strict=True):
        own = record.arrays["contacts"]
        sites = record.facts["sites"]
        both = own.copy()
        other = record.arrays.get("reference_contacts")
        if other is not None:
            low = np.tril_indices(len(own))
            both[low] = other[low]
        shares = _image(line[0], both, record, {"vmin": 0, "vmax": 1, "cmap": density_map()})
        line[0].plot([0, 1], [1, 0], transform=line[0].transAxes, color=INK, linewidth=0.6, alpha=0.5)
        if other is None:
            continue
        gap = own - other
        error = np.hypot(record.arrays["contacts_error"], record.arrays["reference_contacts_error"])
        gaps = _image(
            line[1], gap, record, {"vmin": -most, "vmax": most, "cmap": matplotlib.colormaps["coolwarm"]}
        )
        sure = np.argwhere(np.triu(np.abs(np.nan_to_num(gap)) > np.maximum(SIGMAS * error, 0.02)))
        line[1].plot(sure[:, 1], sure[:, 0], linestyle="", marker=".", color=INK, markersize=3, label="sure")
        told.append(f"{record.label}: {len(sure)} of {np.isfinite(gap).sum() // 2} pairs differ")
    bar: dict[str, Any] = {"shrink": 0.8, "aspect": 25, "pad": 0.02}
    figure.colorbar(shares, ax=axes[:, 0].tolist(), label="share of conformations in contact", **bar)
    if gaps is not None:
        figure.colorbar(gaps, ax=axes[:, 1].tolist(), label="subject − reference", **bar)
    sites = found[0].facts["sites"]
    unit = found[0].facts["units"]["length"]
    caption = (
        f"Share of conformations in which two {sites['what']} are nearer than {sites['cutoff']:.3g} {unit}; "
        "pairs that are near along the chain in any conformation are blank. Look for bands beside the "
        "diagonal, which are helices or turns, bands across it are strands or hairpins, spots are single "
        "contacts."
    )
    if told:
        caption += (
            f" Above the diagonal the subject, below it the reference, {against(found)}. Right: their "
            f"difference; dots mark those beyond {SIGMAS:g} standard errors: {'; '.join(told)}. Look for "
            "contacts of the reference that are lost, and for ones that only the subject makes."
        )
    alt = f"Contact maps of {', '.join(r.label for r in found)}. {'; '.join(told)}"
    return finish(figure, "Contact maps", alt, caption)


def _largest(record: Inside) -> float:
    return float(np.nanmax(np.abs(record.arrays["contacts"] - record.arrays["reference_contacts"])))


def _image(axis: Any, values: np.ndarray, record: Inside, scale: dict[str, Any]) -> Any:
    names = record.facts["sites"]["names"]
    axis.grid(False)
    axis.set_title(record.label, fontsize=9)
    what = record.facts["sites"]["what"]
    axis.set(xlabel=what, ylabel=what)
    step = -(-len(names) // NAMED)
    ticks = np.arange(0, len(names), step)
    axis.set_xticks(ticks, [names[i] for i in ticks], rotation=90, fontsize=6)
    axis.set_yticks(ticks, [names[i] for i in ticks], fontsize=6)
    return axis.imshow(np.ma.masked_invalid(values), origin="upper", interpolation="nearest", **scale)
