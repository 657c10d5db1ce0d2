"""The table of methods: correlations at τα and at all times, what is reached of the ceiling, the curve."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from zoo.bench.glass.flatness import mark
from zoo.bench.suite import Table
from zoo.run import Run
from zoo.verbs.compare import Record

HEADER = (
    "METHOD", "A, MEAN", "OF CEILING", "A, POOLED", "B, MEAN", "A, MEAN AT EACH TIME", "PARAMETERS", "S",
    "SEEDS", "VALIDATION CURVE",
)  # fmt: skip
NOTE = (
    "Pearson correlation with the propensity at the last time, within each test configuration and then "
    "averaged (mean) or of all at once (pooled); ± standard error over configurations, of several seeds the "
    "standard deviation over seeds. Undertrained: the last quarter of the epochs lowered the validation loss "
    "by over 1 %."
)


def with_curves(records: list[Record]) -> list[Record]:
    """Add each run's validation losses to its record."""
    for record in records:
        if record["error"] is None and "validation" not in record:
            curve = Run(record["run"]).curve()
            record["validation"] = [row["val_loss"] for row in curve if "val_loss" in row]
    return records


def tables(records: list[Record]) -> list[Table]:
    """Return a table for each dataset, the best method first."""
    return [_table(group) for group in by_dataset(with_curves(records))]


def by_dataset(records: Sequence[Record]) -> list[list[Record]]:
    """Split records by dataset, in their order."""
    groups: dict[str, list[Record]] = {}
    for record in records:
        groups.setdefault(record["dataset"], []).append(record)
    return list(groups.values())


def _table(records: list[Record]) -> Table:
    rows: dict[str, list[Record]] = {}
    for record in records:
        rows.setdefault(title(record), []).append(record)
    ranked = sorted(rows.items(), key=lambda item: -(_last(item[1], "pearson_mean_A")[0] or -1.0))
    lines = [_line(name, group) for name, group in ranked]
    ceilings = next((r["metrics"] for r in records if "ceiling_mean_A" in r["metrics"]), None)
    if ceilings:
        mean, pooled, b = (
            ceilings.get(f"ceiling_{kind}") for kind in ("mean_A", "pooled_A", "mean_B")
        )  # fmt: skip
        each = " ".join(f"{v:.2f}" for v in mean["value"])
        last = [f"{m['value'][-1]:.3f}" if m else "–" for m in (mean, pooled, b)]
        lines.append(("(ceiling)", last[0], "1", last[1], last[2], each, "", "", "", ""))
    return Table(f"{_where(records)} · propensity", HEADER, lines, NOTE)


def _where(records: Sequence[Record]) -> str:
    """Name of the data; of public sets, which all are called alike, the folder's."""
    done = next((r for r in records if r["error"] is None), None)
    given = records[0]["dataset"] if done is None else Run(done["run"]).config.dataset["name"]
    return Path(given).name if Path(given).is_absolute() else str(given)


def title(record: Record) -> str:
    """`ridge: cage-diffused` of the row `ridge-kob-andersen-cage-diffused`."""
    model, row = record["model"], record["row"]
    where = Path(Run(record["run"]).config.dataset["name"]).name if record["error"] is None else ""
    names = [str(name).replace("/", "-") for name in (record["dataset"], where) if name]
    start = model.replace(":", "-") + "-"
    for name in names:
        if row.startswith(start + name):
            label = row.removeprefix(start + name).strip("-")
            return f"{model}: {label}" if label else model
    return str(row)


def _line(name: str, records: list[Record]) -> tuple[str, ...]:
    failed = next((r["error"] for r in records if r["error"]), None)
    done = [r for r in records if not r["error"]]
    if not done:
        return (name, *["–"] * (len(HEADER) - 2), f"FAILED: {failed}")
    share, _ = _last(done, "share_mean_A")
    each = np.mean([r["metrics"]["pearson_mean_A"]["value"] for r in done], axis=0)
    curve = dict.fromkeys(mark(r.get("validation", [])) for r in done)
    seconds = [r["seconds"] for r in done if r["seconds"] is not None]
    return (
        name,
        cell(*_last(done, "pearson_mean_A")),
        "–" if share is None else f"{share:.2f}",
        cell(*_last(done, "pearson_pooled_A")),
        cell(*_last(done, "pearson_mean_B")),
        " ".join(f"{v:.2f}" for v in each),
        f"{done[0]['parameters']:,}" if done[0]["parameters"] else "–",
        f"{np.mean(seconds):.0f}" if seconds else "–",
        str(len(done)),
        ", ".join(curve),
    )


def _last(records: list[Record], key: str) -> tuple[float | None, float | None]:
    """A metric at the last time: mean over seeds, and its error."""
    found = [r["metrics"][key] for r in records if key in r["metrics"]]
    if not found:
        return None, None
    values = [_at_end(m["value"]) for m in found]
    if len(values) > 1:
        return float(np.mean(values)), float(np.std(values, ddof=1))
    error = found[0].get("error")
    return values[0], None if error is None else _at_end(error)


def _at_end(value: Any) -> float:
    return float(value[-1] if isinstance(value, list) else value)


def cell(value: float | None, error: float | None) -> str:
    """`0.812 ± 0.006`, or a dash."""
    if value is None:
        return "–"
    return f"{value:.3f}" if error is None else f"{value:.3f} ± {error:.3f}"
