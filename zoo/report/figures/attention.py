"""Whom a graph attention network listens to: attention against distance."""

from __future__ import annotations

import numpy as np
import torch

from zoo import keys
from zoo.graphs import edge_vectors
from zoo.report.learned import first_graph, learned
from zoo.report.plot import INK, Drawing, finish, look, panels, with_unit
from zoo.report.runs import Group

LAYERS = 4  # panels
BINS = 30
FEWEST = 20  # edges in a bin


def draw(group: Group) -> Drawing | None:
    """One panel a layer, one curve a head: attention times the number of neighbours, 1 where it is even."""
    found = learned(group, "return_attention", 1)
    if not found:
        return None
    ((label, run, model),) = found
    graph = first_graph(group, run, model)
    with torch.no_grad():
        attention = model.return_attention(graph)[:LAYERS]  # type: ignore[operator]
    index = graph[keys.EDGE_INDEX]
    distance = edge_vectors(graph[keys.POS], index, graph.get(keys.EDGE_SHIFT)).norm(dim=1).numpy()
    neighbours = np.bincount(index[1].numpy(), minlength=len(graph[keys.POS]))
    options = neighbours[index[1].numpy()] + 1  # a node attends to itself as well
    bins = min(BINS, max(5, len(distance) // (2 * FEWEST)))
    edges = np.linspace(distance.min(), model.cutoff, bins + 1)
    place = np.clip(np.digitize(distance, edges) - 1, 0, bins - 1)
    full = np.bincount(place, minlength=bins) >= FEWEST
    middle = (edges[1:] + edges[:-1]) / 2
    figure, axes = panels(len(attention), width=3.4, height=2.9, sharey=True)
    styles = list(look([f"head {h}" for h in range(attention[0][0].shape[1])]).items())
    words = []
    for layer, (axis, (weight, own)) in enumerate(zip(axes[0], attention, strict=True)):
        for (name, how), values, self_share in zip(styles, weight.numpy().T, own.numpy().T, strict=True):
            groups = [values[place == b] * options[place == b] if full[b] else None for b in range(bins)]
            low, mid, high = (
                np.array([np.nan if g is None else np.quantile(g, q) for g in groups])
                for q in (0.1, 0.5, 0.9)
            )
            color = how["color"]
            axis.plot(middle, mid, color=color, linestyle=how["linestyle"], label=f"{name}: itself "
                      f"{(self_share * (neighbours + 1)).mean():.2g}")  # fmt: skip
            axis.fill_between(middle, low, high, color=color, alpha=0.15, linewidth=0)
            words.append(f"layer {layer + 1} {name} peaks at {middle[np.nanargmax(mid)]:.2g}")
        axis.axhline(1, color=INK, linestyle=":", linewidth=1)
        axis.legend(loc="best")
        unit = group.dataset.units.length
        axis.set(title=f"{label}, layer {layer + 1}", xlabel=with_unit("distance", unit), ylim=(0, None))
    axes[0, 0].set_ylabel("attention × neighbours (no unit)")
    caption = (
        "Share of its attention that a particle gives to a neighbour, times the number of those it "
        f"attends to (itself included), against their distance in {unit}: median and 80 % of all pairs "
        "of the first test configuration. Dotted: even attention. The legend has the share given to "
        "itself, on the same scale. Look for heads that prefer one shell of neighbours, and for wide "
        "bands: there it matters who the neighbour is, not only how far."
    )
    return finish(figure, "Attention against distance", "Attention: " + "; ".join(words), caption)
