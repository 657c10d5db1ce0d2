"""Two sets of frames told apart in the latent."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from zoo.report.inside.latent.common import first_with, where
from zoo.report.plot import COLORS, INK, Drawing, finish, legend, panels, with_unit
from zoo.verbs.inside.record import Inside


def draw(records: Sequence[Inside]) -> Drawing | None:
    """Areas under the curve by classifier, and by the time of the frames."""
    record = next((r for r in records if "separation_linear" in r.numbers), None)
    if record is None:
        return None
    numbers = record.numbers
    size = next((n.rpartition("_")[2] for n in numbers if n.startswith("separation_linear_")), "")
    timed = first_with([record], "apart_by_time_latent")
    figure, axes = panels(2 if timed else 1, 1, width=3.4, height=2.9)
    axis = axes[0, 0]
    kinds = {"": "latent", **({f"_{size}": f"{size} alone"} if size else {})}
    for number, (end, label) in enumerate(kinds.items()):
        found = [numbers[f"separation_{kind}{end}"] for kind in ("linear", "kernel")]
        shift, color = 0.4 * number - 0.2, COLORS[number]
        axis.bar(
            np.arange(2) + shift, [f["value"] for f in found], 0.38, color=color, label=label,
            yerr=[f.get("error", 0) for f in found], error_kw={"ecolor": INK, "elinewidth": 0.9},
        )  # fmt: skip
    chance = numbers["separation_chance"]
    axis.axhspan(
        chance["value"] - chance.get("error", 0),
        chance["value"] + chance.get("error", 0),
        color=INK,
        alpha=0.15,
    )
    axis.axhline(0.5, color=INK, linewidth=0.9, linestyle="--", label="chance")
    axis.set_xticks([0, 1], ["linear", "Gaussian kernel"])
    axis.set(ylim=(0.3, 1.02), ylabel="area under the curve (no unit)", xlabel="classifier")
    legend(figure, axis)
    if timed:
        _by_time(axes[0, 1], record, size)
    one, other = record.facts["told apart"]
    caption = (
        f"How well the {where(record)} tells {one} from {other}: area under the receiver operating curve, "
        "the share of pairs of frames, one of each set, that a classifier puts in the right order (0.5 by "
        "chance, 1 always). Classifiers are tested on whole runs that they never saw; errors are a "
        "bootstrap over runs, the grey band is what runs dealt out at random give. "
        + (
            f"Right: frames of {other} of one time against all of {one}. Look for how long the memory of "
            "the start lasts. "
            if timed
            else ""
        )
        + "Look for latents above the size alone: they know more of the difference than how large a molecule "
        "is."
    )
    best = max(numbers["separation_linear"]["value"], numbers["separation_kernel"]["value"])
    alt = f"Area under the curve of telling {one} from {other} by the latent: {best:.2f}"
    return finish(figure, "Two sets told apart", alt, caption)


def _by_time(axis: object, record: Inside, size: str) -> None:
    times = record.arrays["apart_times"]
    for name, label, color, dash, mark in (
        ("latent", "latent", COLORS[0], "-", "o"), ("alone", f"{size} alone", COLORS[1], "--", "s"),
    ):  # fmt: skip
        if f"apart_by_time_{name}" in record.arrays:
            values = record.arrays[f"apart_by_time_{name}"]
            axis.plot(times, values, dash, marker=mark, markersize=4, color=color, label=label)  # type: ignore[attr-defined]
    axis.axhline(0.5, color=INK, linewidth=0.9, linestyle="--")  # type: ignore[attr-defined]
    unit = record.facts["unit of time"]
    axis.set(xlabel=with_unit("time", unit), ylabel="area under the curve (no unit)", ylim=(0.3, 1.02))  # type: ignore[attr-defined]
