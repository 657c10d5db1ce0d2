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
    """Correlation of each method on the packaged sample against the seconds of its training."""
    rows = [row for row in results("glass")["tables"][0]["rows"] if not row[0].startswith(("(", "type-mean"))]
    figure, axis = plt.subplots(figsize=(7.2, 4.6), layout="constrained")
    families = list(dict.fromkeys(row[0].partition(":")[0] for row in rows))
    for number, row in enumerate(rows):
        name, score, seconds = row[0], float(row[1].split()[0]), max(float(row[7]), 1)
        closed = "closed" in row[9]
        colour = COLOURS[families.index(name.partition(":")[0]) % len(COLOURS)]
        axis.plot(seconds, score, "s" if closed else "o", color=colour)
        left = seconds > 60
        axis.annotate(name, (seconds, score), xytext=(-6 if left else 6, 4 if number % 2 else -8),
                      textcoords="offset points", fontsize=7, ha="right" if left else "left")  # fmt: skip
    axis.set(xscale="log", xlabel="time to train and describe (s)",
             ylabel="Pearson correlation of A at the last time (no unit)")  # fmt: skip
    axis.set_title("squares: closed form · circles: gradient descent", fontsize=9)
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
