"""Learning curves of a run that may still be training."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from matplotlib.ticker import MaxNLocator

from zoo.report.plot import COLORS, Drawing, finish, panels, set_scale, with_unit
from zoo.report.words import metric_name
from zoo.units import SYSTEMS

#: Units of what is logged besides the loss, by what they are of.
OF = {"force_mae": "force", "energy_mae": "energy", "mae": "length", "pair_mae": "length"}


def draw(rows: Sequence[Mapping[str, float]], units: str | None) -> Drawing:
    """Loss of training and validation, and the first metric of the validation split, by epoch.

    Args:
        rows: at least one, as in `metrics.csv`.
        units: name of the dataset's unit system; None: not known.
    """
    key = next((k for row in rows for k in row if k.startswith("val_") and k != "val_loss"), None)
    figure, axes = panels(2 if key else 1, width=4.1, height=3.0)
    loss = axes[0, 0]
    train = _line(loss, rows, "train_loss", label="training", color=COLORS[1], linestyle="--", linewidth=1.2)
    val = _line(loss, rows, "val_loss", label="validation", color=COLORS[0], marker="o", markersize=3)
    set_scale(loss, [*train, *val] if all(v > 0 for v in [*train, *val]) else [])
    loss.set(xlabel="epochs done", ylabel="loss (no unit)", title="Loss")
    loss.legend()
    start = "Left: the" if key else "The"
    caption = (
        f"{start} loss that is minimised, by the number of epochs done. Look for a gap that widens while "
        "training still falls, which is overfitting, and for a validation loss that climbs: it diverges. "
    )
    if key:
        name = key.removeprefix("val_")
        _line(axes[0, 1], rows, key, color=COLORS[0], marker="o", markersize=3)
        unit = _unit(name, units)
        axes[0, 1].set(
            xlabel="epochs done", ylabel=with_unit(metric_name(name), unit), title="Validation split"
        )
        of_unit = f"in {unit}" if unit else "in the unit of the task"
        caption += (
            f"Right: {metric_name(name)} on the validation split, {of_unit}: look whether it still moves."
        )
    for axis in axes[0]:
        axis.xaxis.set_major_locator(MaxNLocator(integer=True))
    last = ", ".join(f"{k} {v:.3g}" for k, v in rows[-1].items() if k.endswith("_loss"))
    return finish(figure, "Learning curves", f"Learning curves of {len(rows)} epochs. Last: {last}.", caption)


def _line(axis: Any, rows: Sequence[Mapping[str, float]], name: str, **how: Any) -> list[float]:
    known = [(row["epoch"] + 1, row[name]) for row in rows if name in row]
    axis.plot([x for x, _ in known], [y for _, y in known], **how)
    return [y for _, y in known]


def _unit(name: str, units: str | None) -> str:
    if name in ("elbo", "kl"):
        return "nats"
    system = SYSTEMS.get(units or "")
    return getattr(system, OF[name]) if system is not None and name in OF else ""
