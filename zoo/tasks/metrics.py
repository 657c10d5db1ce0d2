"""Metrics as plain functions of arrays. Each has a unit beside its value."""

from __future__ import annotations

from typing import Any

import numpy as np

Metric = dict[str, Any]


def metric(value: Any, unit: str, error: float | list[float] | None = None) -> Metric:
    """Return `{"value", "unit"}` and, where it is known (no NaN), `"error"` (standard error)."""
    out: Metric = {"value": _plain(value), "unit": unit}
    if error is not None and not np.isnan(error).all():
        out["error"] = _plain(error)
    return out


def _plain(value: Any) -> Any:
    if isinstance(value, np.ndarray):
        return [float(v) for v in value]
    return [float(v) for v in value] if isinstance(value, list | tuple) else float(value)


def pearson(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Pearson correlation over the last axis; NaN where one side is constant."""
    x = x - x.mean(-1, keepdims=True)
    y = y - y.mean(-1, keepdims=True)
    norm = np.sqrt((x**2).sum(-1) * (y**2).sum(-1))
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.where(norm > 0, (x * y).sum(-1) / norm, np.nan)


def standard_error(values: np.ndarray) -> float | None:
    """Standard error of the mean of independent values; None for fewer than three."""
    values = np.asarray(values, np.float64)
    return float(values.std(ddof=1) / np.sqrt(len(values))) if len(values) >= 3 else None


def block_means(values: np.ndarray, blocks: np.ndarray) -> np.ndarray:
    """Mean of `values` in each block: frames of one block are copies of each other in part."""
    return np.array([values[blocks == b].mean() for b in np.unique(blocks)])
