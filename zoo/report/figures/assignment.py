"""Which particle belongs to which bead, and where the beads lie along the molecule."""

from __future__ import annotations

from typing import Any

import matplotlib
import numpy as np
from matplotlib.colors import ListedColormap

from zoo.coarse.maps import agreement
from zoo.errors import RunError
from zoo.report.plot import Drawing, finish, panels
from zoo.report.reconstruction import Decoded, all_decoded
from zoo.report.runs import Group

#: Maps that are shown, and particles whose names fit below the axis.
MOST, NAMED = 6, 40


def draw(group: Group) -> Drawing | None:
    """A matrix for each model with beads: particles along, beads up; a square is a particle in its bead."""
    found = [d for d in all_decoded(group) if "map_group" in d.arrays][:MOST]
    if not found:
        return None
    system = group.dataset.system
    widths = 7.2
    heights = [max(1.0, 0.35 + 0.11 * len(d.arrays["map"])) for d in found]
    figure, axes = panels(
        1, len(found), width=widths, height=float(np.mean(heights)) + 0.35,
        gridspec_kw={"height_ratios": heights}, sharex=True,
    )  # fmt: skip
    for axis, decoded in zip(axes[:, 0], found, strict=True):
        _matrix(axis, decoded, _agreement(group, decoded))
    last = axes[-1, 0]
    n = system.num_particles
    if system.atom_names and n <= NAMED:
        last.set_xticks(range(n), system.atom_names, rotation=90, fontsize=7)
    last.set_xlabel("particle")
    caption = (
        "The map of each model: a square stands for a particle in its bead, beads in the order in which they "
        "first occur, with the number of particles in each at the right. Contiguity is the number of beads "
        "over the number of pieces that bonds inside of beads hold together: 1 means that each bead is one "
        "piece of the molecule. Seeds agree: adjusted Rand index of their maps, 1 for the same beads, 0 for "
        "chance. An empty line would be an unused bead. Look for beads of one particle, and "
        "for beads whose particles are far from each other along the molecule."
    )
    text = "; ".join(f"{d.label}: {_used(d)} of {_wanted(d)} beads used" for d in found)
    return finish(figure, "Assignment of particles to beads", f"Assignment matrices. {text}.", caption)


def _matrix(axis: Any, decoded: Decoded, seeds: str) -> None:
    group = decoded.arrays["map_group"]
    order = list(dict.fromkeys(group[group >= 0].tolist()))
    rows = max(_wanted(decoded), len(order))
    image = np.zeros((rows, len(group)))
    for row, bead in enumerate(order):
        image[row, group == bead] = 1 + row % 8
    colors: list[Any] = [
        "none",
        *(matplotlib.colormaps["viridis"](0.2 + 0.72 * (3 * i % 8) / 7) for i in range(8)),
    ]
    axis.imshow(image, aspect="auto", cmap=ListedColormap(colors), vmin=0, vmax=8, interpolation="none")
    sizes = [str(int((group == bead).sum())) for bead in order]
    contiguity = decoded.run.results["metrics"].get("contiguity", {}).get("value")
    known = "" if contiguity is None else f", contiguity {contiguity:.2f}"
    axis.set_title(f"{decoded.label}: {len(order)} of {rows} beads used{known}{seeds}", fontsize=9)
    axis.set_ylabel("bead")
    axis.set_yticks([])
    axis.grid(False)
    if rows <= 30:
        for row, size in enumerate(sizes):
            axis.text(len(group) - 0.3, row, size, va="center", fontsize=6.5)


def _agreement(group: Group, decoded: Decoded) -> str:
    """How far the maps of a model's seeds are the same."""
    maps = []
    for run in group.of(decoded.name):
        try:
            maps.append(run.predictions()["map_group"])
        except (RunError, KeyError):
            continue
    return f", {len(maps)} seeds agree {agreement(maps):.2f}" if len(maps) > 1 else ""


def _wanted(decoded: Decoded) -> int:
    """Beads that the model was given; a map has only those in use."""
    return int(decoded.arrays["beads"][0])


def _used(decoded: Decoded) -> int:
    group = decoded.arrays["map_group"]
    return len(np.unique(group[group >= 0]))
