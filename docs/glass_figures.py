"""Draw the figures of `docs/glass.md` from kept results: python docs/glass_figures.py"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt

HERE = Path(__file__).resolve().parent
#: Colours of Okabe and Ito, which colour-blind readers tell apart.
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000")


def results(name: str) -> dict[str, Any]:
    """Return kept results."""
    record: dict[str, Any] = json.loads((HERE / "results" / f"{name}.json").read_text(encoding="utf-8"))
    return record


def cost() -> None:
    """Correlation of each row of the steps against the seconds of its training."""
    rows = results("glass-steps")["tables"][0]["rows"]
    figure, axis = plt.subplots(figsize=(7.2, 4.2), layout="constrained")
    families: list[str] = []
    for name, _, four, seeds, *_, seconds in rows:
        family = name.partition(":")[0]
        if family not in families:
            families.append(family)
        colour = COLOURS[families.index(family)]
        error = float(seeds) if seeds != "–" else None
        axis.errorbar(max(float(seconds), 1), float(four), yerr=error, fmt="o", color=colour, capsize=2)
        axis.annotate(name.partition(": ")[2], (max(float(seconds), 1), float(four)), xytext=(5, 3),
                      textcoords="offset points", fontsize=7, color=colour)  # fmt: skip
    for number, family in enumerate(families):
        axis.plot([], [], "o", color=COLOURS[number], label=family)
    axis.set(
        xscale="log", xlabel="time to train and describe (s, one core)", ylabel="Pearson correlation of A"
    )
    axis.legend(loc="lower right")
    axis.grid(alpha=0.3)
    figure.savefig(HERE / "images" / "glass-cost.svg")


def large() -> None:
    """Time and memory of predictions against the number of particles."""
    rows = results("glass-large")["rows"]
    figure, (left, right) = plt.subplots(1, 2, figsize=(7.2, 3.2), layout="constrained")
    for number, model in enumerate(dict.fromkeys(row["model"] for row in rows)):
        mine = [row for row in rows if row["model"] == model]
        x = [row["particles"] for row in mine]
        left.plot(x, [row["cpu_seconds"] for row in mine], "o-", color=COLOURS[number], label=model)
        right.plot(x, [row["gigabytes"] for row in mine], "o-", color=COLOURS[number], label=model)
    last = max(row["particles"] for row in rows)
    span = [last / 100, last]
    high = max(row["cpu_seconds"] for row in rows)
    left.plot(span, [high / 100, high], ":", color="0.4", label="linear")
    left.set(xscale="log", yscale="log", xlabel="particles", ylabel="processor time (s)")
    right.set(xscale="log", xlabel="particles", ylabel="largest memory (GB)", ylim=(0, None))
    left.legend()
    for axis in (left, right):
        axis.grid(alpha=0.3)
    figure.savefig(HERE / "images" / "glass-large.svg")


if __name__ == "__main__":
    cost()
    large()
