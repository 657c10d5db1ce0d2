"""Free energy of the data and of the simulation in the main plane, and their difference."""

from __future__ import annotations

from typing import Any

import matplotlib
import numpy as np

from zoo.analysis.free_energy import CEILING, RESOLVED, compared_bins, free_energy
from zoo.report.plot import Drawing, density_map, finish, panels
from zoo.report.runs import Group
from zoo.report.simulation import Simulated, all_simulated

#: Ends of the scales, kT: a bin with one frame of some thousand is above the first.
DEEPEST, FURTHEST = 8.0, 3.0


def draw(group: Group) -> Drawing | None:
    """A row for each model: data, simulation, simulation less data."""
    found = all_simulated(group)
    if not found or len(found[0].main) < 2:
        return None
    figure, axes = panels(3, len(found), width=2.9, height=2.75, sharex=True, sharey=True)
    told, surfaces, gaps = [], None, None
    for line, simulated in zip(axes, found, strict=True):
        surfaces, gaps = _row(line, simulated)
        d = simulated.difference(simulated.main)
        told.append(
            f"{simulated.label} {d.rmsd:.2f} ± {d.rmsd_error:.1g} kT (floor {d.rmsd_floor:.2g} kT), "
            f"{100 * d.outside:.2g} % of the simulation where the data never is"
        )
    first = found[0]
    (x, _), (y, _) = (first.axis(k) for k in first.main)
    for axis in axes[-1]:
        axis.set_xlabel(x)
    for axis in axes[:, 0]:
        axis.set_ylabel(y)
    scale: dict[str, Any] = {"shrink": 0.85, "aspect": 25, "pad": 0.02}
    figure.colorbar(surfaces, ax=axes[:, :2].ravel().tolist(), label="free energy (kT)", **scale)
    figure.colorbar(gaps, ax=axes[:, 2].tolist(), label="simulation − data (kT)", **scale)
    names = " and ".join(first.names[k] for k in first.main)
    sizes = " and ".join(f"{s.frames:,}" for s in found)
    caption = (
        f"−ln of the share of conformations in a bin of {names}, in kT above the lowest bin: all "
        f"{first.references:,} frames of {first.arrays['reference']}, mapped to the particles that the "
        f"potential has, and {sizes} frames of the simulation; blank where there are none. Right: "
        f"their difference, where the data is below {CEILING:g} kT and has {RESOLVED:g} frames or more. "
        "Red is too rare in the simulation, blue too frequent. Look for islands of the data that the "
        "simulation lacks, and for bridges that only the simulation has. Root mean square of the right "
        f"panel, beside its floor, which a perfect model with as many frames would have: {'; '.join(told)}."
    )
    alt = f"Free energy of {names}. Root mean square difference: {'; '.join(told)}."
    return finish(figure, "Free energy of the simulation", alt, caption)


def _row(line: Any, simulated: Simulated) -> tuple[Any, Any]:
    """Draw the panels of one model; return what the two scales are of."""
    on, *blocks = simulated.histograms(simulated.main)
    counts = [b.sum(0) for b in blocks]
    surfaces = [np.ma.masked_where(c == 0, free_energy(c)) for c in counts]
    factors = [simulated.axis(k)[1] for k in simulated.main]
    edges = [
        factor * np.linspace(low, high, on.bins + 1)
        for factor, low, high in zip(factors, on.low, on.high, strict=True)
    ]

    def mesh(axis: Any, values: Any, title: str, **scale: Any) -> Any:
        axis.set_title(title, fontsize=9)
        axis.grid(False)
        if all(on.periodic):
            axis.set(aspect="equal", xticks=np.arange(-180, 181, 90), yticks=np.arange(-180, 181, 90))
        # the first feature runs along x
        return axis.pcolormesh(*edges, values.reshape(on.bins, on.bins).T, rasterized=True, **scale)

    scale = {"vmin": 0, "vmax": DEEPEST, "cmap": density_map().reversed()}
    drawn = [
        mesh(axis, surface, title, **scale)
        for axis, surface, title in zip(line[:2], surfaces, ("data", simulated.label), strict=True)
    ]
    compared = compared_bins(counts[0])
    gap = free_energy(counts[1]) - free_energy(counts[0])
    # a free energy has no zero: the same mean as in `surface_rmsd`
    gap -= np.average(gap, weights=compared * counts[0]) if compared.any() else 0.0
    gap = np.ma.masked_where(~compared, gap)
    # its middle is grey, which shows on a light and on a dark page
    colors = matplotlib.colormaps["coolwarm"]
    shown = mesh(line[2], gap, "difference", vmin=-FURTHEST, vmax=FURTHEST, cmap=colors)
    return drawn[0], shown
