"""Pictures of looks at layers: one picture, one file."""

from __future__ import annotations

from zoo.report.inside.kind import Draw
from zoo.report.inside.layers import (
    attention,
    bottlenecks,
    dead_units,
    gains,
    gradients,
    promises,
    ranks,
    singular_values,
    smoothing,
)

#: In the order of the page.
PICTURES: dict[str, Draw] = {
    "bottlenecks": bottlenecks.draw,
    "gains": gains.draw,
    "promises": promises.draw,
    "singular values": singular_values.draw,
    "ranks": ranks.draw,
    "dead units": dead_units.draw,
    "gradients": gradients.draw,
    "attention": attention.draw,
    "smoothing": smoothing.draw,
}
