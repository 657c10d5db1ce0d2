"""From one conformation to another: energy, distance and clashes on the way."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from zoo.report.inside.latent.common import first_with, labels_of
from zoo.report.plot import COLORS, Drawing, finish, legend, look, panels
from zoo.verbs.inside.record import Inside

#: Energies below this many kT are drawn linearly, above by their logarithm.
LINEAR = 10.0


def draw(records: Sequence[Inside]) -> Drawing | None:
    """Through the latent of each run, and in a straight line of the positions."""
    known = [r for r in records if "path_latent_rmsd" in r.arrays]
    if not known:
        return None
    first = known[0]
    energies = first_with(known, "path_latent_energy") is not None
    figure, axes = panels(3 if energies else 2, 1, width=3.2, height=2.8)
    labels = labels_of(known)
    looks = look(labels)
    ways = [(r, "latent", label, looks[label]) for r, label in zip(known, labels, strict=True)]
    ways.append((first, "Cartesian", "straight line", {"color": COLORS[-1], "linestyle": ":", "marker": "x"}))
    *energy_axis, far, near = axes[0]
    for record, way, label, own in ways:
        share = np.linspace(0, 1, len(record.arrays[f"path_{way}"]))
        if energies and f"path_{way}_energy" in record.arrays:
            energy_axis[0].plot(share, record.arrays[f"path_{way}_energy"], markersize=3, label=label, **own)
        to = record.arrays[f"path_{way}_rmsd"]
        far.plot(share, to[:, 0], markersize=3, label=label, **own)
        far.plot(share, to[:, 1], markersize=3, **own, alpha=0.5)
        near.plot(share, record.arrays[f"path_{way}_clashes"], markersize=3, label=label, **own)
    if energies:
        energy_axis[0].set_yscale("symlog", linthresh=LINEAR)
        energy_axis[0].set(ylabel="energy above the data's mean (kT)")
    far.set(ylabel=f"RMSD to both ends ({first.facts['unit of length']})")
    near.set(ylabel="clashes (pairs of particles)")
    for axis in axes[0]:
        axis.set(xlabel="share of the way (no unit)")
    legend(figure, axes[0, 0])
    i, j = first.facts["interpolation"]["frames"]
    caption = (
        f"From frame {i} to frame {j} of {first.facts['dataset']} in {len(first.arrays['path_latent'])} "
        "steps: in a straight line of the latent, decoded, and in a straight line of the positions. "
        + (
            "Energies in kT above the mean of the data, logarithmic beyond ±10 kT (the zoo's own energy "
            "function of the dataset); decoded structures lie below 0 where they have no thermal motion. "
            if energies
            else ""
        )
        + "RMSD to the first frame solid, to the second faint. Look for a way through the latent that stays "
        "near the energies of the data and has no clashes where the straight line tears bonds: the decoder "
        "has learned what molecules do. A latent way that does not begin at RMSD 0 shows what encoding "
        "loses; a jump is a tear."
    )
    alt = f"Energy, RMSD and clashes between frames {i} and {j}, through the latent and in a straight line"
    return finish(figure, "From one conformation to another", alt, caption)
