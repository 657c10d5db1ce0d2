"""Ramachandran planes of the originals and of what each model decodes."""

from __future__ import annotations

import numpy as np

from zoo.analysis.histograms import plane
from zoo.analysis.peptides import peptide
from zoo.physics.torsions import torsions
from zoo.report.plot import Drawing, density_map, finish, panels
from zoo.report.reconstruction import all_decoded
from zoo.report.runs import Group

BINS = 48  # 7.5°
DEEPEST = 7.0  # kT; what a test split of some hundred frames shows
MOST = 7


def draw(group: Group) -> Drawing | None:
    """One panel for the originals of the test split and one for each model's structures."""
    found = all_decoded(group)[:MOST]
    if not found:
        return None
    pairs = [(r.phi, r.psi) for r in peptide(group.dataset.system).residues if r.phi and r.psi]
    if not pairs:
        return None
    sides = {"originals": found[0].original, **{d.label: d.structures for d in found}}
    columns = min(4, len(sides))
    figure, axes = panels(columns, -(-len(sides) // columns), width=2.5, height=2.6, sharex=True, sharey=True)
    edges, ticks = np.linspace(-180, 180, BINS + 1), np.arange(-180, 181, 90)
    drawn, lost = None, []
    reference = None
    for axis, (name, x) in zip(axes.ravel(), sides.items(), strict=False):
        angles = torsions(x, [q for pair in pairs for q in pair]).reshape(-1, 2)
        share = plane(angles, BINS).T
        reference = share if reference is None else reference
        with np.errstate(divide="ignore"):
            free = np.ma.masked_greater(-np.log(share / share.max()), DEEPEST)
        drawn = axis.pcolormesh(
            edges, edges, free, vmin=0, vmax=DEEPEST, cmap=density_map().reversed(), rasterized=True
        )
        axis.set_title(name, fontsize=9)
        axis.set(aspect="equal", xticks=ticks, yticks=ticks)
        if name != "originals":
            both = 0.5 * np.abs(share / share.sum() - reference / reference.sum()).sum()
            lost.append(f"{name} {100 * both:.0f} %")
    for axis in axes.ravel()[len(sides) :]:
        axis.set_axis_off()
    for axis in axes[-1]:
        axis.set_xlabel("φ (°)")
    for axis in axes[:, 0]:
        axis.set_ylabel("ψ (°)")
    figure.colorbar(drawn, ax=axes.ravel().tolist(), label="free energy (kT)", shrink=0.7, aspect=30)
    caption = (
        f"Backbone torsions of {len(found[0].frames):,} test frames and of the same frames encoded and "
        f"decoded: −ln of the share in a bin of {360 / BINS:g}°, in kT above the most frequent bin. A "
        "perfect decoder gives the left map again. Look for islands that are gone and for points on lines: "
        "few beads lose torsions, and structures are then averages over what the beads do not tell. Total "
        "variation distance from the originals: " + "; ".join(lost) + "."
    )
    alt = "Ramachandran planes of originals and decoded structures; distance " + ", ".join(lost)
    return finish(figure, "Ramachandran planes of decoded structures", alt, caption)
