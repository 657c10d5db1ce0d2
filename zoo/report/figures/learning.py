"""Learning curves: loss by epoch, and a metric on the validation split by time."""

from __future__ import annotations

from zoo.report.plot import Drawing, finish, legend, look, panels, set_scale, with_unit
from zoo.report.runs import Group


def draw(group: Group) -> Drawing | None:
    """Loss of training (faint) and validation by epoch; a validation metric by wall time."""
    curves = [(label, run.curve()) for label in group.order for run in group.of(label)]
    curves = [(label, curve) for label, curve in curves if curve]
    if not curves:
        return None
    styles = look(group.palette)
    key = _error_key(group, [row for _, curve in curves for row in curve])
    figure, axes = panels(2 if key else 1, width=4.1, height=3.0)
    loss = axes[0, 0]
    named: set[str] = set()
    several = {label for label in group.order if len(group.of(label)) > 1}
    for number, (label, curve) in enumerate(curves, 1):
        own = styles[label] | {"markersize": 3, "linestyle": "-"}
        # what begins with _ is named in the table alone
        told = f"_{label}, run {number}" if label in several else f"_{label}"
        name = told if label in named else label
        named.add(label)
        faint = {"color": own["color"], "alpha": 0.45, "linewidth": 1, "label": f"{told}, training"}
        _line(loss, curve, "epoch", "train_loss", **faint)
        _line(loss, curve, "epoch", "val_loss", **own, label=name)
        if key:
            _line(axes[0, 1], curve, "seconds", f"val_{key}", **own, label=told)
    loss.set(xlabel="epoch", ylabel="loss (no unit)", title="Loss (faint: training)")
    rows = [row for _, curve in curves for row in curve]
    set_scale(loss, [row[k] for row in rows for k in ("train_loss", "val_loss") if k in row])
    legend(figure, loss)
    if key:
        lines = _baselines(axes[0, 1], group, key)
        set_scale(axes[0, 1], [*lines, *(row[f"val_{key}"] for row in rows if f"val_{key}" in row)])
        unit = _unit(group, key)
        axes[0, 1].set(
            xlabel="wall time of training (s)",
            ylabel=with_unit(key.replace("_", " "), unit),
            title=f"{key.replace('_', ' ')} on the validation split",
        )
    caption = (
        "Left: the loss that is minimised, on the training (faint) and validation split (no unit). "
        "Look for a gap that widens, which is overfitting, and for curves that still fall at the end: they "
        "would gain from more epochs. "
    )
    if key:
        caption += (
            "Right: a metric of the validation split against the time spent in seconds; dotted lines are "
            "baselines on the test split."
        )
    ends = ", ".join(f"{label} {curve[-1].get('val_loss', float('nan')):.3g}" for label, curve in curves)
    alt = f"Learning curves. Last validation loss: {ends}."
    return finish(figure, "Learning curves", alt, caption)


def _line(axis, curve, x: str, y: str, **how) -> None:  # type: ignore[no-untyped-def]
    rows = [row for row in curve if x in row and y in row]
    axis.plot([row[x] for row in rows], [row[y] for row in rows], **how)


def _error_key(group: Group, rows: list[dict[str, float]]) -> str | None:
    """The headline if it was validated, else the first metric that was."""
    present = list(dict.fromkeys(k for row in rows for k in row if k.startswith("val_") and k != "val_loss"))
    keys = [key.removeprefix("val_") for key in present]
    return group.board.headline if group.board.headline in keys else next(iter(keys), None)


def _unit(group: Group, key: str) -> str:
    known = [c for c in group.board.columns if c == key or c.startswith(f"{key}_")]
    return group.board.unit(known[0]) if known else ""


def _baselines(axis, group: Group, key: str) -> list[float]:  # type: ignore[no-untyped-def]
    """Draw a line at the error of each model in closed form; return the errors."""
    styles, lines = look(group.palette), []
    for place in group.board.places:
        value = place.cells[key].scalar if key in place.cells else None
        if place.fitted and value:
            lines.append(value)
            how = {"color": styles[place.label]["color"], "linestyle": ":", "linewidth": 1.2}
            axis.axhline(value, label=f"_{place.label}", **how)
            axis.annotate(
                place.label,
                (1, value),
                xycoords=("axes fraction", "data"),
                ha="right",
                va="bottom",
                fontsize=8,
            )
    return lines
