"""Free energies in the plane: subject, reference, and their difference."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import matplotlib
import numpy as np

from zoo.analysis.free_energy import CEILING, RESOLVED
from zoo.report.inside.conformations.common import against, axis_of, compared, having, share
from zoo.report.plot import Drawing, density_map, finish, panels
from zoo.verbs.inside.record import Inside

#: Rows: planes of one record, or the first plane of several.
ROWS = 4
#: Ends of the scales, kT.
DEEPEST, FURTHEST = 8.0, 3.0


def draw(records: Sequence[Inside]) -> Drawing | None:
    """Of one record its planes, of several the first plane of each."""
    found = [r for r in having(records, "planes", "free energies") if r.facts["planes"]]
    if not found:
        return None
    if len(found) == 1:
        rows = [(found[0], k) for k in range(min(ROWS, len(found[0].facts["planes"])))]
    else:
        rows = [(record, 0) for record in found[:ROWS]]
    beside = bool(compared([record for record, _ in rows]))
    shape = (3, len(rows)) if beside else (len(rows), 1)
    figure, axes = panels(*shape, width=3.0, height=2.7)
    surfaces = gaps = None
    told = []
    for line, (record, k) in zip(axes if beside else axes.T, rows, strict=True):
        plane = record.facts["planes"][k]
        scale = {"vmin": 0, "vmax": DEEPEST, "cmap": density_map().reversed()}
        surfaces = _mesh(line[0], record, k, "free", record.label, scale)
        if f"plane_{k}_difference" not in record.arrays:
            for axis in line[1:]:
                axis.set_axis_off()
            continue
        _mesh(line[1], record, k, "reference_free", "reference", scale)
        # the middle of the colours is grey, which shows on a light and on a dark page
        colors = {"vmin": -FURTHEST, "vmax": FURTHEST, "cmap": matplotlib.colormaps["coolwarm"]}
        gaps = _mesh(line[2], record, k, "difference", "difference", colors)
        d = plane["difference"]
        told.append(
            f"{record.label} in {' and '.join(plane['names'])} {d['rmsd']:.2f} ± {d['rmsd_error']:.1g} kT "
            f"(chance {d['rmsd_floor']:.2g} kT), {share(plane['outside'])} where the reference never is "
            f"(chance {share(plane['outside_floor'])})"
        )
    bar: dict[str, Any] = {"shrink": 0.85, "aspect": 25, "pad": 0.02}
    figure.colorbar(
        surfaces, ax=axes[:, : 2 if beside else 1].ravel().tolist(), label="free energy (kT)", **bar
    )
    if gaps is not None:
        figure.colorbar(gaps, ax=axes[:, 2].tolist(), label="subject − reference (kT)", **bar)
    caption = (
        "−ln of the share of conformations in each bin, in kT above the lowest bin; blank where there is "
        "none. Look for islands (states), and for bridges between them (the ways from one to the other)."
    )
    if told:
        caption += (
            f" Reference: {against(found)}. Right: the difference, where the reference is below {CEILING:g} "
            f"kT, has {RESOLVED:g} frames or more, and both errors are below 1 kT; grey is equal, red is too "
            "rare, blue too frequent, blank cannot be told. Look for islands of the reference that the "
            f"subject lacks or has at another depth. Root mean square difference: {'; '.join(told)}."
        )
    alt = "Free energies in " + "; ".join(" and ".join(r.facts["planes"][k]["names"]) for r, k in rows)
    return finish(figure, "Free energies", f"{alt}. {'; '.join(told)}", caption)


def _mesh(axis: Any, record: Inside, k: int, name: str, title: str, scale: dict[str, Any]) -> Any:
    plane = record.facts["planes"][k]
    labels = [axis_of(*of) for of in zip(plane["names"], plane["units"], plane["periodic"], strict=True)]
    x, y = (
        factor * record.arrays[f"plane_{k}_{side}"] for side, (_, factor) in zip("xy", labels, strict=True)
    )
    values = np.ma.masked_invalid(record.arrays[f"plane_{k}_{name}"])
    axis.set_title(title, fontsize=9)
    axis.grid(False)
    axis.set(xlabel=labels[0][0], ylabel=labels[1][0])
    if all(plane["periodic"]):
        axis.set(aspect="equal", xticks=np.arange(-180, 181, 90), yticks=np.arange(-180, 181, 90))
    return axis.pcolormesh(x, y, values, rasterized=True, **scale)
