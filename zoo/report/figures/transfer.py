"""Scores of models on data of another kind than theirs: temperature by temperature, liquid by liquid."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from zoo.files import write_text
from zoo.report.plot import Drawing, density_map, finish, panels, style


def draw_transfer(
    matrix: np.ndarray,
    row_labels: Sequence[str],
    column_labels: Sequence[str],
    title: str,
    caption: str,
    *,
    rows: str = "trained on",
    columns: str = "tested on",
    quantity: str = "Pearson correlation (no unit)",
) -> Drawing:
    """Draw a matrix of scores, each number in its field; to be called within `plot.style()`.

    Args:
        matrix: `[rows, columns]`; NaN where nothing was measured, which stays empty.
        row_labels, column_labels: of the training data and of the test data.
        title, caption: of the drawing.
        rows, columns: what the axes are.
        quantity: what the colour is, with its unit.
    """
    values = np.ma.masked_invalid(np.asarray(matrix, np.float64))
    figure, axes = panels(1, width=1.9 + 0.75 * len(column_labels), height=1.1 + 0.5 * len(row_labels))
    axis = axes[0, 0]
    image = axis.imshow(values, cmap=density_map(), aspect="auto")
    low, high = image.get_clim()
    known = ~np.ma.getmaskarray(values)
    for i, j in np.ndindex(values.shape):
        if known[i, j]:
            # dark numbers on the light half of the colours, light ones on the dark half
            light = values[i, j] > low + 0.45 * (high - low)
            axis.text(
                j, i, f"{values[i, j]:.2f}", ha="center", va="center", color="#111" if light else "#fff"
            )
    axis.set_xticks(range(len(column_labels)), column_labels)
    axis.set_yticks(range(len(row_labels)), row_labels)
    axis.set(xlabel=columns, ylabel=rows)
    axis.grid(visible=False)
    figure.colorbar(image, ax=axis, label=quantity)
    words = [
        f"{row} on {column} {values[i, j]:.2f}"
        for i, row in enumerate(row_labels)
        for j, column in enumerate(column_labels)
        if known[i, j]
    ]
    return finish(figure, title, f"{title}: " + ", ".join(words), caption)


def write_transfer(
    path: Path, title: str, rows: Sequence[str], columns: Sequence[str], values: Sequence[Sequence[float]]
) -> None:
    """Draw a matrix of scores into an SVG file; arguments as of `draw_transfer`."""
    with style():
        drawing = draw_transfer(np.array(values, np.float64), rows, columns, title, "")
    # within a page an SVG needs no name space, as a file it does
    write_text(path, drawing.svg.replace("<svg ", '<svg xmlns="http://www.w3.org/2000/svg" ', 1))
