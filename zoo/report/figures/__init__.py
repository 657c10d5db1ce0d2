"""One figure, one file: `draw(group)` returns a `Drawing`, or None where it has no meaning.

It raises `LeftOut` where it would have one, but its data is missing.
"""

from __future__ import annotations

from collections.abc import Callable

from zoo.report.figures import (
    annealing,
    assignment,
    attention,
    basin_shares,
    bead_count,
    calibration,
    correlation,
    decoded_ramachandran,
    decoded_space,
    elements,
    energy_histogram,
    free_energy_surface,
    glass_map,
    growth,
    learning,
    mobility_correlation,
    parity,
    propensity_scatter,
    radial_filters,
    ramachandran,
    sampled_ramachandran,
    samples,
    shapes,
    simulated_features,
    simulated_space,
    tensor_paths,
    timescales,
    torsion_marginals,
    weight_histogram,
)
from zoo.report.plot import Drawing
from zoo.report.runs import Group

#: All figures, in the order of the page, by the name under which one that is left out is listed.
FIGURES: dict[str, Callable[[Group], Drawing | None]] = {
    "learning curves": learning.draw,
    "growth": growth.draw,
    "predicted against true forces": parity.draw,
    "force error by element": elements.draw,
    "free energy of the simulation": free_energy_surface.draw,
    "features of the simulation": simulated_features.draw,
    "time scales of the simulation": timescales.draw,
    "simulation in space": simulated_space.draw,
    "correlation against time": correlation.draw,
    "propensity map": glass_map.draw,
    "predicted against measured propensity": propensity_scatter.draw,
    "spatial correlation of mobility": mobility_correlation.draw,
    "calibration of an ensemble": calibration.draw,
    "learned radial filters": radial_filters.draw,
    "attention": attention.draw,
    "weights of tensor-product paths": tensor_paths.draw,
    "temperature and effective sample size": annealing.draw,
    "Ramachandran planes of the draws": sampled_ramachandran.draw,
    "populations of basins": basin_shares.draw,
    "torsions of the draws": torsion_marginals.draw,
    "energies of the draws": energy_histogram.draw,
    "importance weights": weight_histogram.draw,
    "shape of the draws": shapes.draw,
    "draws in space": samples.draw,
    "error against beads": bead_count.draw,
    "assignment of particles to beads": assignment.draw,
    "Ramachandran planes of decoded structures": decoded_ramachandran.draw,
    "decoded structures in space": decoded_space.draw,
    "Ramachandran plot": ramachandran.draw,
}

__all__ = ["FIGURES"]
