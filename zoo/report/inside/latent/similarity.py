"""Centred kernel alignment of layers, of one network or of two."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from zoo.report.inside.latent.common import first_with
from zoo.report.plot import Drawing, density_map, finish, panels
from zoo.verbs.compare import Cell
from zoo.verbs.inside.record import Inside

#: Layers beyond which cells have no numbers.
WRITTEN = 10


def draw(records: Sequence[Inside]) -> Drawing | None:
    """A matrix of layers."""
    record = first_with(records, "cka")
    if record is None:
        return None
    values, rows, columns = record.arrays["cka"], record.facts["cka rows"], record.facts["cka columns"]
    other = record.facts.get("against", record.label)
    width = max(3.4, 0.62 * len(columns) + 2.2)
    figure, axes = panels(1, 1, width=width, height=max(2.6, 0.45 * len(rows) + 1.6))
    axis = axes[0, 0]
    image = axis.imshow(values, cmap=density_map(), vmin=0, vmax=1)
    axis.grid(False)
    axis.set_xticks(range(len(columns)), columns, rotation=45, ha="right")
    axis.set_yticks(range(len(rows)), rows)
    axis.set(xlabel=other, ylabel=record.label)
    if max(values.shape) <= WRITTEN:
        for (i, j), value in np.ndenumerate(values):
            color = "black" if value > 0.6 else "white"
            axis.text(j, i, f"{value:.2f}", ha="center", va="center", fontsize=7.5, color=color)
    figure.colorbar(image, ax=axis).set_label("linear CKA (no unit)")
    words = ""
    if "cka" in record.numbers:
        texts = {
            name: Cell(n["value"], n.get("error"), "1").text()
            for name, n in record.numbers.items()
            if name.startswith(("cka", "procrustes"))
        }
        words = (
            f" The layers that are looked at: {texts['cka']} (rows exchanged: {texts['cka_null']}); "
            f"Procrustes distance {texts['procrustes']} (rows exchanged: {texts['procrustes_null']}; 0 the "
            "same, 1 nothing in common)."
        )
    caption = (
        "Linear centred kernel alignment (Kornblith et al. 2019) of what layers make of the same samples: "
        f"1 where they differ by a rotation, a shift and a scale alone, 0 where nothing is shared.{words} "
        "Look for blocks: layers that do not change what the one before found; two runs whose last layers "
        "disagree have solved the task in different ways, or one has not solved it."
    )
    alt = f"Alignment of {len(rows)} layers of {record.label} with {len(columns)} of {other}"
    return finish(figure, "Similarity of layers", alt, caption)
