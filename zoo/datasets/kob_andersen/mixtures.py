"""The three mixtures: which particles, which potential, which density, which relaxation times."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from zoo.engines.mixture import MixtureEngine
from zoo.engines.pair_potential import PairPotential, shifted, smooth

#: Relaxation times by mixture and temperature, each with its source; those measured here too.
TABLE = Path(__file__).with_name("relaxation.json")


@dataclass(frozen=True)
class Mixture:
    """One glass former.

    Args:
        variant: of the entry's name; "" is what the bare name means.
        potential: between all pairs.
        parts: relative numbers of the species, A first.
        dimensions: of space; in two, z = 0 and nothing is periodic along z.
        density: of particles, σ⁻³ or σ⁻².
        temperature: that is simulated where none is asked for, ε/k_B.
        timestep: the same, τ.
        source: of the model.
    """

    variant: str
    potential: PairPotential
    parts: tuple[int, ...]
    dimensions: int
    density: float
    temperature: float
    timestep: float
    source: str

    @property
    def type_names(self) -> dict[int, str]:
        """Name of each species: A, B, C."""
        return dict(enumerate("ABC"[: len(self.parts)]))

    def composition(self, particles: int) -> np.ndarray:
        """Return `[particles]` types, A first; the numbers are rounded, the last takes the rest."""
        counts = [round(part / sum(self.parts) * particles) for part in self.parts[:-1]]
        return np.repeat(range(len(self.parts)), [*counts, particles - sum(counts)])

    def box(self, particles: int, density: float) -> float:
        """Return the edge of the periodic box, σ."""
        return (particles / density) ** (1 / self.dimensions)

    def engine(
        self, positions: np.ndarray, types: np.ndarray, box: float, timestep: float | None = None
    ) -> MixtureEngine:
        """Return LAMMPS with particles at `positions [particles, 3]`; `box` and `timestep` in σ and τ."""
        step = self.timestep if timestep is None else timestep
        return MixtureEngine(positions, types, box, self.potential, self.dimensions, step)

    def parameters(self) -> dict[str, Any]:
        """Return the model as plain JSON, for a dataset's system."""
        potential = self.potential
        record: dict[str, Any] = {
            "potential": potential.form,
            "epsilon": potential.epsilon.tolist(),
            "sigma": potential.sigma.tolist(),
            "cutoff": potential.cutoff,
        }
        if any(potential.tail[1:]):
            record["tail"] = list(potential.tail)
        if self.dimensions != 3:
            record["dimensions"] = self.dimensions
        return record

    def relaxation_times(self) -> dict[float, float]:
        """Return τα in τ at each temperature where it is known; see `relaxation.json`."""
        rows = [row for row in relaxation_table() if row["variant"] == (self.variant or "lj")]
        return {row["temperature"]: row["tau"] for row in rows if row.get("use", True)}

    def relaxation_time(self, temperature: float) -> float:
        """Return τα in τ at this mixture's density: the table, log-linear in 1/T between its rows.

        Beyond the first and last row the line through the nearest two goes on.
        """
        known = self.relaxation_times()
        x = np.array([1 / t for t in sorted(known, reverse=True)])
        y = np.log([known[t] for t in sorted(known, reverse=True)])
        i = int(np.clip(np.searchsorted(x, 1 / temperature), 1, len(x) - 1))
        slope = (y[i] - y[i - 1]) / (x[i] - x[i - 1])
        return math.exp(y[i - 1] + slope * (1 / temperature - x[i - 1]))


@cache
def relaxation_table() -> list[dict[str, Any]]:
    """Return the rows of `relaxation.json`."""
    rows: list[dict[str, Any]] = json.loads(TABLE.read_text(encoding="utf-8"))["rows"]
    return rows


_EPSILON = np.array([[1.0, 1.5], [1.5, 0.5]])
_SIGMA = np.array([[1.0, 0.8], [0.8, 0.88]])
_MINIMUM = 2 ** (1 / 6)

LJ = Mixture(
    variant="",
    potential=PairPotential(
        _EPSILON, _SIGMA, 2.5, shifted(2.5), "lennard-jones, cut at cutoff × sigma and shifted to zero there"
    ),
    parts=(4, 1),
    dimensions=3,
    density=1.2,
    temperature=0.64,
    timestep=0.005,
    source="Kob, Andersen 1995",
)

#: At the minimum the shifted energy and its force vanish together: nothing is left to be smoothed
#: but the second derivative. Cut, ensemble and timestep are those of the paper.
WCA = Mixture(
    variant="wca",
    potential=PairPotential(
        _EPSILON, _SIGMA, _MINIMUM, shifted(_MINIMUM),
        "lennard-jones, cut at its minimum, cutoff × sigma, and shifted to zero there (purely repulsive)",
    ),
    parts=(4, 1),
    dimensions=3,
    density=1.2,
    temperature=0.64,
    timestep=0.0025,
    source="Landes et al. 2020",
)  # fmt: skip

#: The parameters are confirmed by the published inherent structures: no net force, see the tests.
TERNARY = Mixture(
    variant="2d-ternary",
    potential=PairPotential(
        np.array([[1.0, 1.5, 0.75], [1.5, 0.5, 1.5], [0.75, 1.5, 0.75]]),
        np.array([[1.0, 0.8, 0.9], [0.8, 0.88, 0.8], [0.9, 0.8, 0.94]]),
        2.5, smooth(2.5),
        "lennard-jones plus 4 epsilon (c0 + c2 x² + c4 x⁴), x = r / sigma, the tail: zero with two "
        "derivatives at cutoff × sigma",
    ),
    parts=(20, 11, 12),
    dimensions=2,
    density=1290 / 32.8962**2,
    temperature=0.5,
    timestep=0.005,
    source="Jung, Biroli, Berthier 2023",
)  # fmt: skip

MIXTURES = {"lj": LJ, "wca": WCA, "2d-ternary": TERNARY}


def mixture_of(variant: str | None) -> Mixture:
    """Return the mixture of an entry's variant; None is the bare name's."""
    return MIXTURES[variant or "lj"]


def recognise(types: np.ndarray, pbc: tuple[bool, bool, bool]) -> Mixture | None:
    """Return the mixture that published files hold: 3D with A and B, or 2D with A, B and C."""
    kinds = np.unique(types).tolist()
    if all(pbc) and set(kinds) <= {0, 1}:
        return LJ
    if tuple(pbc) == (True, True, False) and kinds == [0, 1, 2]:
        return TERNARY
    return None
