"""Distributions of torsions, sizes and shapes, with errors, beside the reference's."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from zoo.report.inside.conformations.common import REFERENCE, against, axis_of, compared, having, styles, who
from zoo.report.plot import INK, Drawing, finish, legend, panels
from zoo.verbs.inside.record import Inside

MOST, COLUMNS = 12, 4
#: Drawn where there is room: before bonds and more torsions.
SIZES = ("Rg", "end-to-end", "diameter", "asphericity", "RMSD", "contacts", "TIC 1", "PC 1")


def draw(records: Sequence[Inside]) -> Drawing | None:
    """A panel for each quantity, a curve for each record, and the first one's reference."""
    found = having(records, "quantities", "histograms")
    rows = {row["name"]: row for record in reversed(found) for row in record.facts["quantities"]}
    shown = _shown(rows)
    columns = min(COLUMNS, len(shown))
    figure, axes = panels(columns, -(-len(shown) // columns), width=2.45, height=2.1)
    looks = styles(found)
    first = next(iter(compared(found)), None)
    told = []
    for axis, name in zip(axes.ravel(), shown, strict=False):
        label, factor = axis_of(name, rows[name]["unit"], rows[name]["torsion"])
        values = []
        for record in found:
            names = [row["name"] for row in record.facts["quantities"]]
            if name not in names:
                continue
            k = names.index(name)
            if record is first:
                _curve(axis, record, k, factor, REFERENCE, {"color": INK, "linewidth": 1.0})
            how = {key: looks[record.label][key] for key in ("color", "linestyle")}
            _curve(axis, record, k, factor, record.label, how)
            difference = record.facts["quantities"][k].get("difference")
            if difference is not None:
                values.append(f"{difference['js']:.2g}")
        axis.set_title(f"{name}: JS {', '.join(values)}" if values else name, fontsize=9)
        axis.set(xlabel=label, yticks=[], ylim=(0, None))
        if values:
            told.append(f"{name} {', '.join(values)}")
    for axis in axes.ravel()[len(shown) :]:
        axis.set_axis_off()
    for axis in axes[:, 0]:
        axis.set_ylabel("density (per unit of x)")
    legend(figure, axes.ravel()[0])
    left = "" if len(shown) == len(rows) else f" {len(shown)} of {len(rows)} quantities."
    caption = (
        f"Share of conformations per unit of each quantity: {'; '.join(who(r) for r in found)}.{left} Bands: "
        "one standard error, from independent runs, or stretches of them, drawn anew; curves that differ by "
        "less than their bands say the same. Look for peaks that are missing, and for widths that differ: a "
        "network that collapses is too narrow, one that is not trained too wide."
    )
    if told:
        caption += (
            f" Black: the reference, {against(found)}. JS: Jensen-Shannon divergence from it in nats, 0 for "
            "equal and 0.69 for disjoint distributions; what chance alone gives is in the next picture."
        )
    alt = "Histograms of " + ", ".join(shown)
    if told:
        alt += ". Jensen-Shannon divergence in nats: " + "; ".join(told)
    return finish(figure, "Distributions", f"{alt}.", caption)


def _shown(rows: dict[str, dict[str, Any]]) -> list[str]:
    torsions = [name for name, row in rows.items() if row["torsion"]]
    if len(torsions) > MOST // 2:  # those that differ most from the reference, where there is one
        distance = {n: rows[n].get("difference", {}).get("js", 0.0) for n in torsions}
        torsions = sorted(torsions, key=lambda n: -distance[n])[: MOST // 2]
    sizes = [name for name in rows if name in SIZES]
    rest = [name for name in rows if name not in SIZES and not rows[name]["torsion"]]
    return [*torsions, *sizes, *rest][:MOST]


def _curve(axis: Any, record: Inside, k: int, factor: float, label: str, how: dict[str, Any]) -> None:
    side = "reference_" if label == REFERENCE else ""
    edges = factor * record.arrays[f"edges_{k}"]
    density = record.arrays[f"{side}density_{k}"] / factor
    error = record.arrays[f"{side}density_error_{k}"] / factor
    axis.stairs(density, edges, label=label, **how)
    axis.stairs(
        density + error, edges, baseline=np.maximum(density - error, 0), fill=True, alpha=0.25,
        color=how["color"], linewidth=0,
    )  # fmt: skip
