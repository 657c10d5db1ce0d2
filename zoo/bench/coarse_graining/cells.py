"""Cells of this benchmark's tables."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from zoo.verbs.compare import Record

#: Seeds of what is fitted in closed form differ by as little.
ROUNDING = 1e-9


def values(records: Sequence[Record], key: str, baseline: str | None = None) -> list[float]:
    """A metric of each record that has it, of the model or of a baseline beside it."""
    found = []
    for record in records:
        metrics = record["metrics"] if baseline is None else record.get("baselines", {}).get(baseline, {})
        if key in metrics and metrics[key]["value"] is not None:
            found.append(float(metrics[key]["value"]))
    return found


def mean_cell(
    records: Sequence[Record], key: str, *, baseline: str | None = None, factor: float = 1.0
) -> str:
    """`mean ± standard deviation` over seeds, one value alone, – where there is none."""
    found = [factor * v for v in values(records, key, baseline)]
    if not found:
        return "–"
    spread = float(np.std(found, ddof=1)) if len(found) > 1 else 0.0
    return f"{np.mean(found):.3g}" + (f" ± {spread:.1g}" if spread > ROUNDING * abs(np.mean(found)) else "")


def number(value: float | None, form: str = ".3g") -> str:
    """A number, or – for none."""
    return "–" if value is None else format(value, form)
