"""Pictures of looks at conformations: one picture, one file."""

from __future__ import annotations

from zoo.report.inside.conformations import (
    chapman,
    contact_maps,
    dependence,
    divergences,
    histograms,
    populations,
    secondary,
    slow_map,
    structures,
    surfaces,
    timescales,
    unvisited,
)
from zoo.report.inside.kind import Draw

#: In the order of the page.
PICTURES: dict[str, Draw] = {
    "histograms": histograms.draw,
    "divergences": divergences.draw,
    "free energies": surfaces.draw,
    "places never visited": unvisited.draw,
    "contact maps": contact_maps.draw,
    "secondary structure": secondary.draw,
    "map": slow_map.draw,
    "populations": populations.draw,
    "structures": structures.draw,
    "slowest coordinate": dependence.draw,
    "time scales": timescales.draw,
    "Chapman-Kolmogorov test": chapman.draw,
}
