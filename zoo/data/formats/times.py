"""Times of the public three-dimensional data by temperature: files give only a number, `tc01` … `tc10`.

GlassBench's published tables (G. Jung et al., "Roadmap on machine learning glassy dynamics",
arXiv:2311.14752; data: Zenodo 10118191); the seventh is τα.
"""

from __future__ import annotations

#: τ, by temperature in ε/k_B. `tc07` is the seventh.
TIMES: dict[float, tuple[float, ...]] = {
    0.44: (0.13, 1.3, 13, 130, 412, 1300, 4120, 13000, 41200, 130000),
    0.50: (0.108, 0.434, 2.17, 6.86, 21.7, 68.6, 217, 686, 2170, 6860),
    0.56: (0.104, 0.33, 0.99, 1.65, 5.2, 16.5, 52, 165, 520, 1650),
    0.64: (0.032, 0.1, 0.165, 0.52, 1.65, 5.2, 16.5, 52, 165, 520),
}


def time_of(temperature: float | None, number: int) -> float | None:
    """Return the time in τ of `tc{number}` at a temperature, None where it is not known."""
    row = TIMES.get(round(temperature, 3), ()) if temperature is not None else ()
    return float(row[number - 1]) if 1 <= number <= len(row) else None


def label(number: int, time: float | None) -> str:
    """Name of the propensity at `tc{number}`."""
    return f"propensity tc{number:02d}" if time is None else f"propensity t={time:g}"
