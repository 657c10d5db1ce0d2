"""Ramachandran planes of reference, model, and model reweighted, side by side on one scale."""

from __future__ import annotations

import numpy as np

from zoo.analysis.histograms import plane
from zoo.analysis.peptides import torsion_planes
from zoo.report.density import MOST, Draws, all_draws
from zoo.report.plot import Drawing, density_map, finish, panels
from zoo.report.runs import Group

BINS, FEW_BINS = 72, 36  # of 5°, or of 10° where the reference is small
ENOUGH = 20_000  # frames
DEEPEST = 12.0  # kT; what one draw in 100,000 shows
MOST_RESIDUES = 6


def draw(group: Group) -> Drawing | None:
    """A row for each model; of a chain of residues, a row for each residue of the best model."""
    found = [d for d in all_draws(group) if torsion_planes(d.names)][:MOST]
    if not found:
        return None
    planes = list(torsion_planes(found[0].names).items())
    rows: list[tuple[Draws, str, tuple[int, int]]]
    if len(planes) == 1:
        rows = [(draws, "", planes[0][1]) for draws in found]
    else:
        rows = [(found[0], name, pair) for name, pair in planes[:MOST_RESIDUES]]
    columns = max(len(draws.sides("torsions")) for draws, *_ in rows)
    figure, axes = panels(columns, len(rows), width=2.7, height=2.75, sharex=True, sharey=True)
    first = found[0]
    bins = BINS if len(first.arrays["reference_torsions"]) >= ENOUGH else FEW_BINS
    edges, ticks = np.linspace(-180, 180, bins + 1), np.arange(-180, 181, 90)
    drawn = None
    for line, (draws, residue, pair) in zip(axes, rows, strict=True):
        for axis in line[len(draws.sides("torsions")) :]:
            axis.set_axis_off()
        for axis, (name, (angles, weights)) in zip(line, draws.sides("torsions").items(), strict=False):
            drawn = axis.pcolormesh(
                edges, edges, free_energy(angles[:, list(pair)], weights, bins), vmin=0, vmax=DEEPEST,
                cmap=density_map().reversed(), rasterized=True,
            )  # fmt: skip
            title = f"{residue}, {name}" if residue and name == "reference" else name
            axis.set(title=title, aspect="equal", xticks=ticks, yticks=ticks)
        line[0].set_ylabel("ψ (°)")
    for axis in axes[-1]:
        axis.set_xlabel("φ (°)")
    figure.colorbar(drawn, ax=axes.ravel().tolist(), label="free energy (kT)", shrink=0.7, aspect=30)
    sizes = f"{len(first.arrays['reference_torsions']):,} frames, {len(first.arrays['torsions']):,} draws"
    left = "" if len(planes) <= MOST_RESIDUES else f" The first {MOST_RESIDUES} of {len(planes)} residues."
    caption = (
        f"Backbone torsions of the reference (test split), of the model's draws as they come, and of the "
        f"same draws with their importance weights ({sizes}): −ln of the share in a bin of {360 // bins}°, "
        f"in kT above the most frequent bin, one scale for all, blank above {DEEPEST:g} kT.{left} Look for "
        "islands of the reference that a model lacks, above all at φ > 0, and for bridges between islands "
        "that the reference has not. What the draws never reach, no weight brings back."
    )
    shares = "; ".join(
        f"{d.label} {100 * _right(d, planes[0][1]):.2g} % at positive φ before reweighting" for d in found
    )
    return finish(
        figure,
        "Ramachandran planes: reference, model, reweighted",
        f"Ramachandran planes: {shares}.",
        caption,
    )


def free_energy(angles: np.ndarray, weights: np.ndarray | None, bins: int) -> np.ndarray:
    """Return `[ψ, φ]` −ln of the share in each bin above the fullest; masked above `DEEPEST`."""
    share = plane(angles, bins, weights).T
    with np.errstate(divide="ignore"):
        return np.ma.masked_greater(-np.log(share / share.max()), DEEPEST)


def _right(draws: Draws, pair: tuple[int, int]) -> float:
    return float((draws.arrays["torsions"][:, pair[0]] > 0).mean())
