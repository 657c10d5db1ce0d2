"""Size, bonds, distances and energies of draws without torsions: toys, polymers, coarse proteins."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from zoo import keys
from zoo.analysis.proteins import radius_of_gyration
from zoo.analysis.shapes import bond_lengths
from zoo.report.density import MOST, all_draws
from zoo.report.plot import INK, Drawing, finish, legend, look, panels, with_unit
from zoo.report.runs import Group

BINS = 60
MOST_FRAMES = 2000
MOST_PARTICLES = 64  # whose pairs are counted


def draw(group: Group) -> Drawing | None:
    """Histograms of the radius of gyration, bond lengths and pair distances."""
    found = [d for d in all_draws(group) if len(d.arrays.get("positions", ()))][:MOST]
    if not found:
        return None
    data = group.dataset
    frames = found[0].frames
    step = -(-len(frames.index) // MOST_FRAMES)
    truth = np.asarray(data.array(keys.POSITIONS)[frames.index[::step]], np.float64)
    weights = (
        np.asarray(data.array(keys.WEIGHTS)[frames.index[::step]]) if keys.WEIGHTS in data.arrays else None
    )
    sides = [("reference", truth, {"color": INK, "linewidth": 1.0})]
    styles = look(group.palette)
    for d in found:
        how = {k: styles[d.label][k] for k in ("color", "linestyle")}
        sides.append((d.label, np.asarray(d.arrays["positions"], np.float64), how))
    bonds = data.system.bonds
    quantities: dict[str, Callable[[np.ndarray], np.ndarray]] = {
        "radius of gyration": radius_of_gyration,
        "pair distance": _pairs,
    }
    if len(bonds):
        quantities["bond length"] = lambda x: bond_lengths(x, bonds)
    figure, axes = panels(len(quantities), width=3.3, height=2.7)
    unit = data.units.length
    means = []
    for axis, (name, of) in zip(axes[0], quantities.items(), strict=True):
        values = {label: of(x) for label, x, _ in sides}
        low, high = _range(list(values.values()), values["reference"])
        edges = np.linspace(low, high, BINS + 1)
        for label, _, how in sides:
            own = values[label]
            w = weights if label == "reference" else None
            each = (
                None
                if w is None
                else np.broadcast_to(w.reshape(-1, *[1] * (own.ndim - 1)), own.shape).ravel()
            )
            share = np.histogram(own.ravel(), edges, weights=each)[0]
            axis.stairs(share / max(share.sum(), 1e-300) / np.diff(edges), edges, label=label, **how)
        axis.set(xlabel=with_unit(name, unit))
        means += [f"{name} of {label} {v.mean():.4g} {unit}" for label, v in values.items()]
    axes[0, 0].set_ylabel(f"density (1/{unit})")
    legend(figure, axes[0, 0])
    caption = (
        f"Densities in 1/{unit} of the reference ({len(truth):,} frames of the test split) and of "
        f"{len(found[0].arrays['positions']):,} draws of each model as they come, without weights. Look for "
        "peaks that are too broad: bonds and the first peak of the pair distances show how stiff degrees of "
        "freedom are met, the radius of gyration the shape as a whole."
    )
    return finish(figure, "Shape of draws", "Means: " + "; ".join(means), caption)


def _pairs(x: np.ndarray) -> np.ndarray:
    chosen = np.unique(np.linspace(0, x.shape[1] - 1, MOST_PARTICLES).astype(int))
    i, j = np.triu_indices(len(chosen), 1)
    return np.asarray(np.linalg.norm(x[:, chosen[i]] - x[:, chosen[j]], axis=-1))


def _range(values: list[np.ndarray], reference: np.ndarray) -> tuple[float, float]:
    """All of the reference and nearly all draws, but not more than twice the reference's range on a side."""
    low, high = float(reference.min()), float(reference.max())
    wide = max(high - low, 1e-6)
    lowest = min(float(np.quantile(v, 0.002)) for v in values)
    highest = max(float(np.quantile(v, 0.998)) for v in values)
    return max(min(low, lowest), low - wide), min(max(high, highest), high + wide)
