"""A ball-and-stick viewer inside the page: an SVG that a short script turns, still without it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from html import escape
from pathlib import Path

import numpy as np

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
    x = np.asarray(frames, np.float64)
    x = x - x.mean(1, keepdims=True)
    looks = [ELEMENTS.get(int(z), (BEAD, bead)) for z in elements]
    radii = np.array([radius for _, radius in looks])
    scale = FILL / float((np.linalg.norm(x, axis=-1) + radii).max())
    whole = np.round(x * scale * 10).astype(int)  # tenths of the picture's unit
    data = {
        "frames": [frame.ravel().tolist() for frame in whole],
        "radii": [round(radius, 1) for radius in (radii * scale).tolist()],
        "bonds": np.asarray(bonds).tolist(),
        "notes": list(notes),
    }
    parts = _still(whole[0] / 10, radii * scale, [color for color, _ in looks], np.asarray(bonds))
    text = json.dumps(data, ensure_ascii=False, separators=(",", ":")).replace("<", "\\u003c")
    side = f"{-HALF} {-HALF} {2 * HALF} {2 * HALF}"
    return (
        '<div class="viewer" tabindex="0" role="group" aria-label="Model to turn: arrow keys, plus, minus">'
        f'<svg role="img" aria-label="{escape(alt)}" viewBox="{side}" style="--width: 480px">'
        f"<title>{escape(alt)}</title>{''.join(parts)}</svg>"
        f'<p class="controls" hidden><label>conformation <input type="range" min="0" max="{len(x) - 1}" '
        'value="0" step="1"></label> <output aria-live="polite"></output></p>'
        f'<script type="application/json">{text}</script></div>'
    )


def _still(x: np.ndarray, radii: np.ndarray, colors: list[str], bonds: np.ndarray) -> list[str]:
    """The first frame, from back to front; y is up in space and down in SVG."""
    drawn = []
    for k, (i, j) in enumerate(bonds.tolist()):
        way = (x[j] - x[i]) / max(float(np.linalg.norm(x[j] - x[i])), 1e-9)
        (x1, y1, z1), (x2, y2, z2) = x[i] + INSIDE * radii[i] * way, x[j] - INSIDE * radii[j] * way
        line = f'<line data-i="{k}" x1="{x1:.1f}" y1="{-y1:.1f}" x2="{x2:.1f}" y2="{-y2:.1f}"/>'
        drawn.append(((z1 + z2) / 2, line))
    for i, ((u, v, depth), radius, color) in enumerate(zip(x, radii, colors, strict=True)):
        ball = f'<circle data-i="{i}" cx="{u:.1f}" cy="{-v:.1f}" r="{radius:.1f}" fill="{color}"/>'
        drawn.append((depth, ball))
    return [markup for _, markup in sorted(drawn, key=lambda pair: pair[0])]
