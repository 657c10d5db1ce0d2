"""A ball-and-stick viewer inside the page: an SVG that a short script turns, still without it."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Sequence
from html import escape
from pathlib import Path

import numpy as np
from matplotlib import patches
from matplotlib.collections import PatchCollection
from matplotlib.figure import Figure

from zoo.report.plot import Drawing
from zoo.report.runs import LeftOut

#: The script of the page, once for all viewers: no dependency, no network, no eval.
SCRIPT = (Path(__file__).parent / "viewer.js").read_text(encoding="utf-8")
#: Half the side of the picture, and what of it the particles may fill.
HALF, FILL = 100, 92
#: Where a stick begins, in radii of its ball: as in the script.
INSIDE = 0.85

#: Colour and radius in Å by atomic number, readable on light and on dark; of a bead of any other kind below.
ELEMENTS = {
    1: ("#d9dde1", 0.26), 6: ("#7d868f", 0.40), 7: ("#3f6fd8", 0.40), 8: ("#d8443c", 0.38),
    16: ("#d1a91e", 0.46),
}  # fmt: skip
BEAD = "#2f9e8f"
STICK = "#5a6472"
#: Particles that still turn without a jerk.
MOST = 2000


def scene(
    title: str,
    frames: np.ndarray,
    elements: np.ndarray,
    bonds: np.ndarray,
    notes: Sequence[str],
    alt: str,
    caption: str,
    *,
    unit: str,
    bead: float = 0.4,
) -> Drawing:
    """Return a picture to turn, with a slider for its frames; of a large molecule without hydrogens.

    Args:
        title, alt, caption: text; `alt` is for those who cannot see it.
        frames: `[frames, particles, 3]`, superposed; drawn as they lie, z towards the reader.
        elements: `[particles]` atomic numbers, 0 for beads.
        bonds: `[bonds, 2]`.
        notes: one line for each frame.
        unit: of the frames.
        bead: radius of a bead, in the unit of the frames.

    Raises:
        LeftOut: there are too many particles to be turned.
    """
    frames, elements, bonds = np.asarray(frames, np.float64), np.asarray(elements), np.asarray(bonds)
    if len(elements) > MOST:
        kept = np.flatnonzero(elements != 1)
        if len(kept) > MOST:
            raise LeftOut(f"{len(kept):,} particles are more than the viewer turns ({MOST:,})")
        place = np.full(len(elements), -1)
        place[kept] = np.arange(len(kept))
        frames, elements, bonds = frames[:, kept], elements[kept], place[bonds.reshape(-1, 2)]
        bonds, caption = bonds[(bonds >= 0).all(1)], f"{caption} Hydrogens are not shown."
    markup = viewer(frames, elements, bonds, notes, alt, bead)
    rows = _table(frames, elements, notes, unit)
    return Drawing(title, markup, caption, SCRIPT, _figure(frames[0], elements, bonds, bead), rows)


def _table(frames: np.ndarray, elements: np.ndarray, notes: Sequence[str], unit: str) -> str:
    """Coordinates of all frames, a row for each particle."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["frame", "note", "particle", "atomic number", *(f"{axis} ({unit})" for axis in "xyz")])
    for number, (x, note) in enumerate(zip(frames, notes, strict=True), 1):
        for i, (z, row) in enumerate(zip(elements.tolist(), x.tolist(), strict=True), 1):
            writer.writerow([number, note, i, z, *(f"{v:.4f}" for v in row)])
    return text.getvalue()


def _figure(x: np.ndarray, elements: np.ndarray, bonds: np.ndarray, bead: float) -> Figure:
    """The first frame as the page shows it before it is turned."""
    at, radii, colors = _scaled(x[None], elements, bead)
    shapes: list[patches.Patch] = []
    for _, kind, i, (x1, y1, x2, y2) in _ordered(at[0] / 10, radii, bonds):
        if kind == "ball":
            shapes.append(
                patches.Circle((x1, y1), radii[i], facecolor=colors[i], edgecolor="0.3", linewidth=0.4)
            )
        else:
            way = np.array([x2 - x1, y2 - y1])
            aside = 1.3 * np.array([-way[1], way[0]]) / max(float(np.hypot(*way)), 1e-9)
            start, end = np.array([x1, y1]), np.array([x2, y2])
            corners = [start + aside, end + aside, end - aside, start - aside]
            shapes.append(patches.Polygon(corners, facecolor=STICK, edgecolor="none"))
    figure = Figure(figsize=(4, 4))
    axis = figure.add_axes((0, 0, 1, 1))
    axis.add_collection(PatchCollection(shapes, match_original=True))
    axis.set(xlim=(-HALF, HALF), ylim=(-HALF, HALF), aspect="equal")
    axis.set_axis_off()
    return figure


def viewer(
    frames: np.ndarray,
    elements: np.ndarray,
    bonds: np.ndarray,
    notes: Sequence[str],
    alt: str,
    bead: float = 0.4,
) -> str:
    """Return markup of a viewer.

    Args:
        frames: `[frames, particles, 3]`, superposed, any unit; drawn as they lie, z towards the reader.
        elements: `[particles]` atomic numbers, 0 for beads.
        bonds: `[bonds, 2]`.
        notes: one line for each frame.
        alt: what it shows, for those who cannot see it.
        bead: radius of a bead, in the unit of the frames.
    """
    whole, radii, colors = _scaled(np.asarray(frames, np.float64), np.asarray(elements), bead)
    bonds = np.asarray(bonds, int).reshape(-1, 2)
    data = {
        "frames": [frame.ravel().tolist() for frame in whole],
        "radii": [round(radius, 1) for radius in radii.tolist()],
        "bonds": bonds.tolist(),
        "notes": list(notes),
    }
    parts = _still(whole[0] / 10, radii, colors, bonds)
    text = json.dumps(data, ensure_ascii=False, separators=(",", ":")).replace("<", "\\u003c")
    side = f"{-HALF} {-HALF} {2 * HALF} {2 * HALF}"
    return (
        '<div class="viewer" tabindex="0" role="application" aria-roledescription="model to turn" '
        f'aria-label="{escape(alt)}. Arrow keys turn it, plus and minus zoom.">'
        f'<svg role="img" aria-label="{escape(alt)}" viewBox="{side}" style="--width: 480px">'
        f"<title>{escape(alt)}</title>{''.join(parts)}</svg>"
        '<p class="controls" hidden><button type="button" class="play" aria-pressed="false">Play</button> '
        f'<label>conformation <input type="range" min="0" max="{len(whole) - 1}" value="0" step="1"></label> '
        '<output aria-live="polite"></output></p>'
        f'<script type="application/json">{text}</script></div>'
    )


def _scaled(
    frames: np.ndarray, elements: np.ndarray, bead: float
) -> tuple[np.ndarray, np.ndarray, list[str]]:
    """Frames in whole tenths of the picture's unit, radii in that unit, and colours."""
    x = frames - frames.mean(1, keepdims=True)
    looks = [ELEMENTS.get(int(z), (BEAD, bead)) for z in elements]
    radii = np.array([radius for _, radius in looks])
    scale = FILL / float((np.linalg.norm(x, axis=-1) + radii).max())
    return np.round(x * scale * 10).astype(int), radii * scale, [color for color, _ in looks]


def _ordered(
    x: np.ndarray, radii: np.ndarray, bonds: np.ndarray
) -> list[tuple[float, str, int, tuple[float, float, float, float]]]:
    """Balls and sticks from back to front: depth, kind, number, and where they begin and end."""
    drawn = []
    for k, (i, j) in enumerate(bonds.tolist()):
        way = (x[j] - x[i]) / max(float(np.linalg.norm(x[j] - x[i])), 1e-9)
        (x1, y1, z1), (x2, y2, z2) = x[i] + INSIDE * radii[i] * way, x[j] - INSIDE * radii[j] * way
        drawn.append(((z1 + z2) / 2, "stick", k, (x1, y1, x2, y2)))
    for i, (u, v, depth) in enumerate(x.tolist()):
        drawn.append((depth, "ball", i, (u, v, u, v)))
    return sorted(drawn, key=lambda part: part[0])


def _still(x: np.ndarray, radii: np.ndarray, colors: list[str], bonds: np.ndarray) -> list[str]:
    """The first frame as markup; y is up in space and down in SVG."""
    out = []
    for _, kind, i, (x1, y1, x2, y2) in _ordered(x, radii, bonds):
        if kind == "ball":
            ball = f'cx="{x1:.1f}" cy="{-y1:.1f}" r="{radii[i]:.1f}" fill="{colors[i]}"'
            out.append(f'<circle data-i="{i}" {ball}/>')
        else:
            out.append(f'<line data-i="{i}" x1="{x1:.1f}" y1="{-y1:.1f}" x2="{x2:.1f}" y2="{-y2:.1f}"/>')
    return out
