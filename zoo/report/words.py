"""Keys as people read them."""

from __future__ import annotations


def metric_name(key: str) -> str:
    """`pearson_mean_A` as people read it: `r in a configuration, A`."""
    words = {
        "force_mae": "force MAE",
        "force_rmse": "force RMSE",
        "energy_mae": "energy MAE",
        "pearson_mean": "r in a configuration",
        "pearson_pooled": "r pooled",
        "mae": "MAE",
        "share_mean": "share of the ceiling in a configuration",
        "share_pooled": "share of the pooled ceiling",
        "calibration": "error over expected error",
        "spread_correlation": "rank r of spread and error",
        "chi": "χ",
    }
    if key in words:
        return words[key]
    stem, _, kind = key.rpartition("_")
    return f"{words[stem]}, {kind}" if stem in words else key.replace("_", " ")
