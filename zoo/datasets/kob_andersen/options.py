"""Options of `zoo data make kob-andersen`."""

from __future__ import annotations

import math
from typing import Literal

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, model_validator

#: Structural relaxation time τα in τ at each temperature in ε/k_B, density 1.2 (GlassBench).
RELAXATION_TIMES = {0.44: 4120.0, 0.50: 217.0, 0.56: 52.0, 0.64: 16.5}


def relaxation_time(temperature: float) -> float:
    """Return τα in τ at density 1.2: the table, log-linear in 1/T between and beyond its rows."""
    x = np.array([1 / t for t in sorted(RELAXATION_TIMES, reverse=True)])
    y = np.log([RELAXATION_TIMES[t] for t in sorted(RELAXATION_TIMES, reverse=True)])
    i = int(np.clip(np.searchsorted(x, 1 / temperature), 1, len(x) - 1))
    slope = (y[i] - y[i - 1]) / (x[i] - x[i - 1])
    return math.exp(y[i - 1] + slope * (1 / temperature - x[i - 1]))


class KobAndersenOptions(BaseModel):
    """How the mixture is simulated. Times in τ, temperature in ε/k_B, density in σ⁻³.

    What is left out (`None`) is derived from τα at the temperature: equilibration 20 τα, spacing of
    configurations 10 τα, times 0.1, 0.5, τα/8, τα/2 and τα.
    """

    model_config = ConfigDict(extra="forbid")
    particles: int = Field(1000, ge=200, description="number of particles, 80 % of them A")
    temperature: float = Field(0.64, gt=0.0, description="ε/k_B")
    density: float = Field(1.2, gt=0.0, description="number density, σ⁻³")
    configurations: int = Field(28, ge=3, description="frames; `--frames` says the same")
    runs: int = Field(7, ge=1, description="independent runs that the configurations come from")
    clones: int = Field(16, ge=1, description="runs with fresh velocities from each configuration")
    times: list[float] | None = Field(None, description="times of the propensity, τ")
    equilibration: float | None = Field(None, ge=0.0, description="τ before the first configuration")
    spacing: float | None = Field(None, gt=0.0, description="τ between configurations of one run")
    timestep: float = Field(0.005, gt=0.0, le=0.01, description="τ")
    clone_ensemble: Literal["nvt", "nve"] = Field(
        "nvt", description="Nosé-Hoover thermostat on the clones, or none"
    )
    thermostat: float = Field(0.5, gt=0.0, description="relaxation time of Nosé-Hoover, τ")
    workers: int | None = Field(None, ge=1, description="processes; None: one per core")

    @model_validator(mode="after")
    def _derive(self) -> KobAndersenOptions:
        missing = [k for k in ("times", "equilibration", "spacing") if getattr(self, k) is None]
        if missing and abs(self.density - 1.2) > 0.01:
            raise ValueError(f"τα is known at density 1.2 only: set {', '.join(missing)} as well")
        tau = relaxation_time(self.temperature)
        if self.equilibration is None:
            self.equilibration = 20 * tau
        if self.spacing is None:
            self.spacing = 10 * tau
        times = self.times or [0.1, 0.5, *(round(tau * f, 4) for f in (0.125, 0.5, 1.0))]
        steps = sorted({round(t / self.timestep) for t in times})
        if steps[0] < 1:
            raise ValueError(f"times must be at least one timestep, {self.timestep} τ")
        self.times = [round(s * self.timestep, 9) for s in steps]
        box = (self.particles / self.density) ** (1 / 3)
        if box < 2 * 2.5 + 0.6:
            raise ValueError(
                f"the box of {box:.2f} σ is too small for the cutoff of 2.5 σ: more particles, please"
            )
        return self

    @property
    def box(self) -> float:
        """Edge of the cubic box, σ."""
        return (self.particles / self.density) ** (1 / 3)

    def frames_of_run(self) -> list[int]:
        """Return the number of configurations of each run; they sum up to `configurations`.

        Fewer than five configurations come from one run, and otherwise there are at least five
        runs or one: splits go by run, or by blocks of time of a single run.
        """
        runs = min(self.runs, self.configurations)
        if runs < 5:
            runs = 1
        base, rest = divmod(self.configurations, runs)
        return [base + (k < rest) for k in range(runs)]
