"""Ramachandran plot of the data: free energy of the backbone torsions."""

from __future__ import annotations

import numpy as np

from zoo import keys
from zoo.analysis.peptides import peptide
from zoo.physics.torsions import torsions
from zoo.report.plot import Drawing, density_map, finish, panels
from zoo.report.runs import Group

BINS = 72  # 5° each
MOST_FRAMES = 50_000


def draw(group: Group) -> Drawing | None:
    """−ln of the share of frames in each 5° × 5° bin, above the most frequent one."""
    data = group.dataset
    pairs = [(r.phi, r.psi) for r in peptide(data.system).residues if r.phi and r.psi]
    if not pairs:
        return None
    step = -(-len(data) // MOST_FRAMES)
    x = np.asarray(data.array(keys.POSITIONS)[::step], np.float64)
    angles = np.degrees(torsions(x, [q for pair in pairs for q in pair]))  # φ, ψ, φ, ψ, …
    phi, psi = angles[:, 0::2].ravel(), angles[:, 1::2].ravel()
    edges = np.linspace(-180, 180, BINS + 1)
    counts = np.histogram2d(phi, psi, bins=(edges, edges))[0].T
    with np.errstate(divide="ignore"):
        free = -np.log(counts / counts.max())
    figure, axes = panels(1, width=4.4, height=3.6)
    axis = axes[0, 0]
    drawn = axis.pcolormesh(
        edges, edges, np.ma.masked_invalid(free), cmap=density_map().reversed(), rasterized=True
    )
    ticks = np.arange(-180, 181, 60)
    axis.set(xlabel="φ (°)", ylabel="ψ (°)", aspect="equal", xticks=ticks, yticks=ticks)
    figure.colorbar(drawn, ax=axis, label="free energy (kT)", shrink=0.86)
    right = float((phi > 0).mean())
    every = f", every {step}th" if step > 1 else ""
    caption = (
        f"Backbone torsions of {phi.size:,} conformations ({len(data):,} frames of all splits{every}): "
        "−ln of the share in a bin of 5°, in kT above the most frequent bin; both axes are periodic, "
        f"empty bins were not visited. {100 * right:.1f} % have φ > 0. The shares are those of the data "
        "as it was made, which need not be the equilibrium. Look for regions with few frames or none: a "
        "network has not seen them."
    )
    alt = f"Ramachandran plot of the data; {100 * right:.1f} % of conformations have positive phi"
    return finish(figure, "Ramachandran plot of the data", alt, caption)
