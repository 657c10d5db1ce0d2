"""A slice of a glass while a network trains: measured and predicted propensity, and how well they agree."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from zoo.report.inside.kind import Draw
from zoo.report.plot import Drawing, finish, look, panels, with_unit
from zoo.report.slab import discs, middle, radii, relative, wrapped
from zoo.verbs.inside.record import Inside


def draw_map(records: Sequence[Inside]) -> Drawing | None:
    """Particles of a slab, coloured by their propensity over their type's mean."""
    record = records[0]
    arrays, facts = record.arrays, record.facts
    types, pbc = arrays["types"], facts["pbc"]
    x, side = wrapped(arrays["positions"], arrays.get("cell"), pbc)
    radius = radii(types, pbc, x, side)
    slab = middle(x, side, radius)
    time = _telling(record)
    fields = {
        "measured": relative(arrays["measured"][:, time], types),
        record.label: relative(arrays["predicted"][:, time], types),
    }
    low, high = np.quantile(fields["measured"][slab], [0.02, 0.98])
    figure, axes = panels(2, width=2.9, height=3.0, sharex=True, sharey=True)
    unit = facts["units"]["length"]
    for axis, (label, values) in zip(axes[0], fields.items(), strict=True):
        drawn = discs(axis, x[slab], radius[slab], values[slab], (low, high))
        axis.set(
            title=label, xlabel=with_unit("x", unit), aspect="equal", xlim=(0, side[0]), ylim=(0, side[1])
        )
        axis.grid(False)
    axes[0, 0].set_ylabel(with_unit("y", unit))
    name = "propensity / mean of its type"
    figure.colorbar(drawn, ax=axes[0].tolist(), label=name, shrink=0.85, extend="both")
    flat = bool(np.ptp(x[:, 2]) == 0)
    cut = "all particles" if flat else f"a slab {2 * radius.max():.2g} {unit} thick"
    measured, predicted = (values[slab] for values in fields.values())
    r = float(np.corrcoef(measured, predicted)[0, 1]) if predicted.std() > 0 else float("nan")
    caption = (
        f"Propensity{_at(record, time)} of {cut} of configuration {facts['frame']} ({facts['split']} split), "
        f"divided by the mean of the particle's type (no unit; positions in {unit}). Same colours in both "
        "panels. Look for bright and dark regions in the same places; a network that has only begun to "
        "learn is of one colour, a good one paler than what is measured, as it predicts the mean of what "
        "it cannot know."
    )
    alt = f"Map of a slice of a glass, measured and predicted; correlation of the two {r:.2f}."
    return finish(figure, "Propensity of a slice", alt, caption)


def draw_agreement(records: Sequence[Inside]) -> Drawing | None:
    """Correlation of predicted and measured propensity by time, of each type."""
    record = records[0]
    names = {k.removeprefix("pearson_"): n["value"] for k, n in record.numbers.items() if "pearson_" in k}
    times = record.facts["times"]
    count = len(next(iter(names.values())))
    at = np.array(times) if times else np.arange(count)
    figure, axes = panels(1, width=4.4, height=2.9)
    styles = look(list(names))
    for name, values in names.items():
        known = np.array([np.nan if v is None else v for v in values])
        axes[0, 0].plot(at, known, label=name, **styles[name])
    axes[0, 0].axhline(0, color="0.5", linewidth=0.8)
    if times and min(times) > 0 and count > 1:
        axes[0, 0].set_xscale("log")
    label = with_unit("time", record.facts["units"]["time"]) if times else "number of the target"
    axes[0, 0].set(xlabel=label, ylabel="correlation r (no unit)")
    axes[0, 0].legend(title="type")
    caption = (
        "Correlation of predicted with measured propensity among the particles of one type, averaged over "
        f"configurations of the {record.facts['split']} split, by the time at which the propensity was "
        "measured (no unit: 1 is perfect, 0 no better than the mean). Look for a rise from epoch to epoch at "
        "all times; a dip at one time alone says that its targets are noisy or weigh little in the loss."
    )
    best = ", ".join(f"{n} {max((v for v in values if v is not None), default=0):.2f}"
                     for n, values in names.items())  # fmt: skip
    return finish(figure, "Agreement by time", f"Correlation by time; the best: {best}.", caption)


def _telling(record: Inside) -> int:
    """The last time at which the correlation is within a fifth of its best: late, but not yet noise."""
    most = np.unique(record.arrays["types"], return_counts=True)
    first = list(record.numbers.values())[int(most[1].argmax())]["value"]
    scores = np.array([-1.0 if v is None else v for v in first])
    return int(np.flatnonzero(scores >= 0.8 * scores.max())[-1]) if scores.max() > 0 else 0


def _at(record: Inside, time: int) -> str:
    times = record.facts["times"]
    return f" at t = {times[time]:g} {record.facts['units']['time']}" if times else ""


PICTURES: dict[str, Draw] = {"map": draw_map, "agreement by time": draw_agreement}
