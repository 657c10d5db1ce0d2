"""A slice of a glass: measured and predicted propensity on one scale."""

from __future__ import annotations

import numpy as np
from matplotlib.collections import EllipseCollection

from zoo import keys
from zoo.data.dataset import Dataset
from zoo.report.glass import telling_time
from zoo.report.plot import Drawing, density_map, finish, panels, with_unit
from zoo.report.runs import Group, LeftOut

MOST = 3  # models beside the truth


def draw(group: Group) -> Drawing | None:
    """Particles of a slab of the first test configuration, coloured by propensity over its type's mean."""
    if not group.predicts(keys.TARGETS):
        return None
    data = group.dataset
    labels = [label for label in group.order if group.first(label)]
    guesses = []
    for label in labels[:MOST]:
        run = group.first(label)
        assert run is not None
        guess, frames = group.predicted(run, keys.TARGETS)
        guesses.append((label, guess[0]))
    frame = int(frames.index[0])
    truth = np.asarray(data.array(keys.TARGETS)[frame], np.float64)
    time = telling_time(group, truth.shape[1])
    x, side = _wrapped(data, frame)
    radius = radii(data, x, side)
    slab = _slab(x, side, radius)
    fields = [("measured", _relative(truth[:, time], data))]
    fields += [(label, _relative(guess[:, time], data)) for label, guess in guesses]
    low, high = np.quantile(fields[0][1][slab], [0.02, 0.98])
    figure, axes = panels(len(fields), width=2.7, height=2.9, sharex=True, sharey=True)
    unit = data.units.length
    for axis, (label, values) in zip(axes[0], fields, strict=True):
        drawn = _discs(axis, x[slab], radius[slab], values[slab], (low, high))
        axis.set(title=label, xlabel=with_unit("x", unit), aspect="equal")
        axis.set(xlim=(0, side[0]), ylim=(0, side[1]))
        axis.grid(False)
    axes[0, 0].set_ylabel(with_unit("y", unit))
    figure.colorbar(
        drawn, ax=axes[0].tolist(), label="propensity / mean of its type", shrink=0.85, extend="both"
    )
    when = f" at t = {data.target_times[time]:g} {data.units.time}" if data.target_times else ""
    flat = bool((data.system.pbc[2] is False) and np.ptp(x[:, 2]) == 0)
    cut = "all particles" if flat else f"a slab {2 * radius.max():.2g} {unit} thick"
    caption = (
        f"Propensity{when} of {cut} of test configuration {frame}, divided by the mean of the particle's "
        f"type in this configuration (no unit; positions in {unit}): bright particles move more than "
        "their kind does on average. Same colours in all panels. A good model puts bright and dark "
        "regions where they are measured; its colours are paler, as it predicts the mean of what it "
        "cannot know."
    )
    rs = [f"{label} {np.corrcoef(values[slab], fields[0][1][slab])[0, 1]:.2f}" for label, values in fields[1:]
          if np.std(values[slab]) > 0]  # fmt: skip
    alt = "Map of a slice of the glass. Correlation with the measured map in this slice: " + ", ".join(rs)
    return finish(figure, "Propensity map of a slice", alt, caption)


def _wrapped(data: Dataset, frame: int) -> tuple[np.ndarray, np.ndarray]:
    """Positions in the cell, and its edges. Raises `LeftOut` for a cell with skewed edges."""
    x = np.asarray(data.array(keys.POSITIONS)[frame], np.float64)
    if not data.system.periodic:
        x = x - x.min(0)
        return x, x.max(0)
    cell = np.asarray(data.array(keys.CELLS)[frame], np.float64)
    if np.abs(cell - np.diag(np.diag(cell))).max() > 1e-6 * np.abs(cell).max():
        raise LeftOut("the cell is skewed; the map is drawn for rectangular ones")
    side = np.diag(cell).copy()
    for k in range(3):
        if data.system.pbc[k]:
            x[:, k] %= side[k]
    return x, side


def radii(data: Dataset, x: np.ndarray, side: np.ndarray) -> np.ndarray:
    """Radius of each particle: discs of neighbours touch.

    Half the median distance between nearest neighbours of the most frequent type; for another type,
    what its nearest neighbour of that type leaves.
    """
    from scipy.spatial import cKDTree

    types = data.system.types
    kinds, number = np.unique(types, return_counts=True)
    main = kinds[number.argmax()]
    box = np.where(np.array(data.system.pbc) & (side > 0), side, 0)  # 0: not periodic
    folded = np.where(box > 0, np.mod(x, np.where(box > 0, box, 1)), x)
    folded = np.where((box > 0) & (folded >= box), 0.0, folded)  # −1e-17 modulo the box is the box
    tree = cKDTree(folded[types == main], boxsize=box)
    radius = np.zeros(len(types))
    half = np.median(tree.query(folded[types == main], k=2)[0][:, 1]) / 2
    for kind in kinds:
        members = types == kind
        if kind == main:
            radius[members] = half
        else:
            gap = np.median(tree.query(folded[members], k=1)[0]) - half
            radius[members] = max(gap, 0.3 * half)
    return radius


def _slab(x: np.ndarray, side: np.ndarray, radius: np.ndarray) -> np.ndarray:
    """Indices of particles within one diameter around the middle, the lowest first."""
    if np.ptp(x[:, 2]) == 0:
        return np.arange(len(x))
    near = np.flatnonzero(np.abs(x[:, 2] - side[2] / 2) < radius.max())
    return near[np.argsort(x[near, 2])]


def _relative(values: np.ndarray, data: Dataset) -> np.ndarray:
    out = np.asarray(values, np.float64).copy()
    for kind in np.unique(data.system.types):
        members = data.system.types == kind
        out[members] /= out[members].mean() or 1.0
    return out


def _discs(axis, x, radius, values, limits):  # type: ignore[no-untyped-def]
    discs = EllipseCollection(
        2 * radius, 2 * radius, np.zeros(len(x)), units="xy", offsets=x[:, :2],
        offset_transform=axis.transData, cmap=density_map(), linewidths=0.3, edgecolors="0.5",
    )  # fmt: skip
    discs.set_array(values)
    discs.set_clim(*limits)
    axis.add_collection(discs)
    return discs
