"""Which products of features and spherical harmonics an equivariant network uses."""

from __future__ import annotations

from zoo.report.learned import learned
from zoo.report.plot import COLORS, Drawing, finish, panels
from zoo.report.runs import Group

MOST = 24  # bars


def draw(group: Group) -> Drawing | None:
    """One bar a path, the largest first."""
    found = learned(group, "path_weights", 1)
    if not found:
        return None
    ((label, _, model),) = found
    weights = model.path_weights()  # type: ignore[operator]
    shown = sorted(weights.items(), key=lambda item: -item[1])[:MOST]
    figure, axes = panels(1, width=5.6, height=0.6 + 0.2 * len(shown))
    axis = axes[0, 0]
    axis.barh([name for name, _ in shown], [value for _, value in shown], color=COLORS[0], height=0.7)
    axis.invert_yaxis()
    axis.grid(visible=False, axis="y")
    axis.set(xlabel="size of the path's weights (root mean square, no unit)", title=label)
    few = "" if len(shown) == len(weights) else f" The {MOST} largest of {len(weights)}."
    caption = (
        "Each path of the tensor products takes features of one degree ℓ and parity (e even, o odd), "
        "multiplies them with a spherical harmonic of the direction to a neighbour, and gives features of "
        "a third degree. Bars: root mean square of the weights that the path is given." + few + " Look for "
        "how much comes from degrees above 0: without them the network sees distances only."
    )
    alt = "Weights of tensor-product paths: " + ", ".join(f"{n} {v:.3g}" for n, v in shown[:6])
    return finish(figure, "Weights of tensor-product paths", alt, caption)
