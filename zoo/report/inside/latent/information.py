"""What each latent, and all together, know of each observable, beside chance."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from zoo.report.inside.latent.common import labels_of, where
from zoo.report.plot import INK, Drawing, density_map, finish, legend, look, panels
from zoo.verbs.inside.record import Inside

#: Runs that bars are drawn of.
COMPARED = 5


def draw(records: Sequence[Inside]) -> Drawing | None:
    """Bars of the joint information with errors and nulls; of the first record, a map of each column."""
    first = records[0]
    values, nulls = first.arrays["information"], first.arrays["information_null"]
    wide = max(3.2, 0.4 * values.shape[1] + 1.8)
    tall = max(2.6, 0.34 * max(len(values), len(first.facts["joint of"])) + 0.9)
    figure, axes = panels(2, 1, width=(wide + 3.6) / 2, height=tall, width_ratios=[wide, 3.6])
    axis, bars = axes[0]
    image = axis.imshow(values, cmap=density_map(), vmin=0, vmax=max(float(values.max()), 0.1), aspect="auto")
    for (row, column), value in np.ndenumerate(values):
        if value > nulls[row, column] and values.shape[1] <= 10:
            axis.text(
                column, row, f"{value:.2g}", ha="center", va="center", fontsize=7, color=_ink(value, values)
            )
        elif value <= nulls[row, column]:
            axis.text(column, row, "·", ha="center", va="center", fontsize=9, color="white")
    axis.set_xticks(range(values.shape[1]), first.facts["information columns"], rotation=45, ha="right")
    axis.set_yticks(range(len(values)), list(first.facts["observables"]))
    axis.set(title=first.label, xlabel="column of the latent")
    axis.grid(False)
    figure.colorbar(image, ax=axis).set_label("mutual information (nats)")
    _bars(bars, records[:COMPARED])
    if len(records) > 1:
        legend(figure, bars)
    exchanged = "whole blocks of time" if first.facts["samples"] == "frames" else "particles"
    caption = (
        "Mutual information in nats (Kraskov's estimator; 0 = independent, 0.69 = one bit). Left: of each "
        f"column of the {where(first)} with each observable; a dot: not above the 95 % quantile of nulls, "
        f"in which {exchanged} are exchanged. Right: of columns taken together, those that know most (at "
        "most three), with standard errors; the black tick is the 95 % quantile of the nulls, each of which "
        "picks those that know most by chance. Look for "
        "bars many times as long as their tick: these observables can be read from the latent. Few samples "
        "bound what can be seen: about ln of their number."
    )
    best = max(zip(first.facts["joint of"], first.arrays["joint"][:, 0], strict=True), key=lambda p: p[1])
    alt = (
        f"Mutual information of the {where(first)} with observables: most, {best[1]:.2g} nats, with {best[0]}"
    )
    return finish(figure, "What the latent knows", alt, caption)


def _ink(value: float, values: np.ndarray) -> str:
    """Of a number on its cell: viridis ends in yellow."""
    return "black" if value > 0.6 * values.max() else "white"


def _bars(axis: object, records: Sequence[Inside]) -> None:
    names = list(dict.fromkeys(name for record in records for name in record.facts["joint of"]))
    labels = labels_of(records)
    looks = look(labels)
    height = 0.8 / len(records)
    for number, (record, label) in enumerate(zip(records, labels, strict=True)):
        own = record.facts["joint of"]
        place = np.array([names.index(name) for name in own]) + (number - (len(records) - 1) / 2) * height
        value, error, _, high = record.arrays["joint"].T
        axis.barh(  # type: ignore[attr-defined]
            place, np.maximum(value, 0), height, xerr=np.nan_to_num(error), color=looks[label]["color"],
            error_kw={"ecolor": INK, "elinewidth": 0.8}, label=label,
        )  # fmt: skip
        axis.vlines(np.maximum(high, 0), place - height / 2, place + height / 2, color=INK, linewidth=1.8)  # type: ignore[attr-defined]
    axis.set_yticks(range(len(names)), names)  # type: ignore[attr-defined]
    axis.invert_yaxis()  # type: ignore[attr-defined]
    axis.set(xlabel="joint mutual information (nats)", title="all together")  # type: ignore[attr-defined]
