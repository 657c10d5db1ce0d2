"""Draws of the best model, to be turned by hand."""

from __future__ import annotations

import numpy as np
import torch

from zoo.physics.superpose import superposed as onto
from zoo.report.density import Draws, all_draws
from zoo.report.plot import Drawing
from zoo.report.runs import Group
from zoo.report.viewer import scene

MOST_FRAMES = 50
MOST_NUMBERS = 36_000  # coordinates in the page, about 150 kB


def draw(group: Group) -> Drawing | None:
    """The first draws, superposed."""
    found = [d for d in all_draws(group) if len(d.arrays.get("positions", ()))]
    if not found:
        return None
    best, system = found[0], group.dataset.system
    x = np.asarray(best.arrays["positions"], np.float64)
    x = x[np.isfinite(x).all((1, 2))]
    count = max(1, min(len(x), MOST_FRAMES, MOST_NUMBERS // (3 * system.num_particles)))
    x = superposed(x[:count])
    elements = system.elements
    apart = nearest(x[0])
    alt = f"One of {count} conformations that {best.label} drew, {system.num_particles} particles"
    notes = [_note(best, i, count) for i in range(count)]
    caption = (
        f"The first {count} draws of {best.label}, as they come and superposed. Drag to turn, or use the "
        "arrow keys; + and − zoom; the slider chooses the draw. Look for broken rings, overlaps and wrong "
        "hands; the weight says how much a draw counts in averages, 1 being the mean."
    )
    return scene(
        f"Draws of {best.label} in space", x, elements, system.bonds, notes, alt, caption,
        unit=group.dataset.units.length, bead=0.3 * apart,
    )  # fmt: skip


def superposed(x: np.ndarray) -> np.ndarray:
    """Turn frames `[n, particles, 3]` onto the first, which lies with its long axis level."""
    x = x - x.mean(1, keepdims=True)
    axes = np.linalg.svd(x[0], full_matrices=True)[2]
    axes[2] *= np.linalg.det(axes)
    first = x[0] @ axes.T
    return onto(torch.from_numpy(x), torch.from_numpy(first)).numpy()


def nearest(x: np.ndarray) -> float:
    """Median distance to the nearest other particle."""
    if len(x) < 2:
        return 1.0
    apart = np.linalg.norm(x[:, None] - x[None], axis=-1)
    np.fill_diagonal(apart, np.inf)
    return float(np.median(apart.min(1)))


def _note(draws: Draws, i: int, count: int) -> str:
    parts = [f"{i + 1} of {count}"]
    if draws.weights is not None:
        unit = draws.frames.dataset.units.energy
        parts += [f"energy {draws.arrays['energy'][i]:.4g} {unit}", f"weight {draws.weights[i]:.2g}"]
    angles = draws.arrays["torsions"][i] if draws.names else []
    parts += [
        f"{name} {np.degrees(a):.0f}°"
        for name, a in zip(draws.names, angles, strict=False)
        if name in ("φ", "ψ")
    ]
    return ", ".join(parts)
