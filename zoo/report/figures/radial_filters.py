"""What a network has learned to look at: its filters as functions of the distance between neighbours."""

from __future__ import annotations

import numpy as np
import torch

from zoo import keys
from zoo.graphs import edge_vectors
from zoo.report.learned import first_graph, learned
from zoo.report.plot import COLORS, INK, Drawing, finish, panels, with_unit
from zoo.report.runs import Group

MOST = 2  # models
LAYERS = 4  # panels a model
STRONGEST = 4  # filters drawn in colour
THIN = 24  # others
POINTS = 120


def draw(group: Group) -> Drawing | None:
    """A row of panels for each model: the strongest filters of a layer, and how many neighbours there are."""
    found = learned(group, "radial_filters", MOST)
    if not found:
        return None
    unit = group.dataset.units.length
    curves = []
    for label, run, model in found:
        reach = getattr(model, "reach", model.cutoff)  # descriptors may look further than the network
        d = torch.linspace(0, reach, POINTS)
        weight = next(model.parameters())
        filters = model.radial_filters(d.to(weight)).numpy()  # type: ignore[operator]
        filters = filters if filters.ndim == 3 else filters[None]
        distances, filters = d.numpy(), filters[:LAYERS]
        graph = first_graph(group, run, model)
        density, edges = _density(graph, reach)
        names = model.path_names() if hasattr(model, "path_names") else []  # type: ignore[operator]
        curves.append((label, distances, filters, density, edges, names))
    columns = max(len(filters) for _, _, filters, *_ in curves)
    figure, axes = panels(columns, len(curves), width=3.3, height=2.7)
    for row, (label, distances, filters, density, edges, names) in zip(axes, curves, strict=True):
        for axis in row[len(filters) :]:
            axis.set_visible(False)
        for layer, (axis, own) in enumerate(zip(row, filters, strict=False)):
            # below the closest pair a filter is never used
            used = distances >= edges[np.flatnonzero(density)[0]] if density.any() else distances >= 0
            size = np.sqrt((own[:, used] ** 2).mean(1))
            order = np.argsort(size)
            for number in order[:-STRONGEST][-THIN:]:
                name = f"_filter {number + 1}"
                axis.plot(
                    distances[used], own[number][used], color=INK, alpha=0.25, linewidth=0.6, label=name
                )
            for rank, number in enumerate(order[-STRONGEST:]):
                name = names[number] if names else f"_filter {number + 1}"
                axis.plot(distances[used], own[number][used], color=COLORS[rank], linewidth=1.5, label=name)
            if names:
                axis.legend(loc="best", fontsize=7)
            low, high = axis.get_ylim()
            scaled = low + (high - low) * 0.6 * density / (density.max() or 1)
            axis.fill_between(
                edges[:-1], low, scaled, step="post", color=INK, alpha=0.12, linewidth=0,
                label="_pair distribution, any scale",
            )  # fmt: skip
            title = f"{label}, layer {layer + 1}" if len(filters) > 1 else label
            axis.set(
                title=title, xlabel=with_unit("distance", unit), ylim=(low, high), xlim=(0, distances[-1])
            )
        row[0].set_ylabel("filter (no unit)")
    caption = (
        f"Filters of each layer against the distance of a neighbour in {unit}, as they multiply its "
        f"features: the {STRONGEST} strongest in colour, the next {THIN} thin; drawn from the closest pair "
        "to the network's cutoff (of an equivariant network: paths, root mean square over "
        "channels). Grey, on a scale of its own: the pair distribution g(r) of the first test "
        "configuration. Look for filters that turn or change sign between two shells of neighbours: these "
        "tell the first shell from the gap behind it, which is what mobility depends on."
    )
    alt = "Learned radial filters of " + " and ".join(
        f"{label} ({filters.shape[0]} layers of {filters.shape[1]} filters)"
        for label, _, filters, *_ in curves
    )
    return finish(figure, "Learned radial filters", alt, caption)


def _density(graph: object, cutoff: float) -> tuple[np.ndarray, np.ndarray]:
    """Pairs of a configuration over what a uniform density would have, up to a factor, and bin edges."""
    pos, index = graph[keys.POS], graph[keys.EDGE_INDEX]  # type: ignore[index]
    shift = graph.get(keys.EDGE_SHIFT)  # type: ignore[attr-defined]
    length = edge_vectors(pos, index, shift).norm(dim=1).numpy()
    power = 3 if bool(pos[:, 2].any()) else 2
    count, edges = np.histogram(length, bins=60, range=(0, cutoff))
    return count / np.diff(edges**power), edges
