"""Options of `zoo data make argon`, and the constants of the model."""

from __future__ import annotations

from pydantic import Field, model_validator

from zoo.config import Strict
from zoo.units import BOLTZMANN_EV

#: Rahman 1964: ε/k_B = 120 K, σ = 3.4 Å; he cut at 2.25 σ, here it is the 2.5 σ usual since.
EPSILON = 120.0 * BOLTZMANN_EV  # eV
SIGMA = 3.4  # Å
CUTOFF = 2.5 * SIGMA  # Å
MASS = 39.948  # amu
#: g/cm³ of one amu/Å³: CODATA 2018.
GRAM_PER_CM3 = 1.66053906660


class ArgonOptions(Strict):
    """How the liquid is simulated; the defaults are Rahman's state point in a smaller box."""

    temperature: float = Field(94.4, gt=0, le=500, description="K")
    density: float = Field(1.374, gt=0, description="g/cm³")
    cells: int = Field(3, ge=3, le=20, description="fcc cells along each edge: 4 cells³ atoms")
    runs: int = Field(8, ge=1, le=1000, description="independent runs")
    interval: float = Field(1.0, gt=0, le=1000, description="ps between frames")
    equilibration: float = Field(20.0, ge=0, description="ps thrown away, a quarter of it at 200 K")
    timestep: float = Field(0.01, gt=0, le=0.02, description="ps")
    friction: float = Field(0.2, gt=0, le=10, description="1/ps; slows diffusion by about 2 %")

    @model_validator(mode="after")
    def _fits(self) -> ArgonOptions:
        if self.box < 2 * CUTOFF:
            raise ValueError(f"a box of {self.box:.1f} Å is below two cutoffs ({2 * CUTOFF} Å): more cells")
        steps = self.interval / self.timestep
        if abs(steps - round(steps)) > 1e-6:
            raise ValueError("interval must be a whole number of timesteps")
        return self

    @property
    def particles(self) -> int:
        """Number of atoms."""
        return 4 * self.cells**3

    @property
    def box(self) -> float:
        """Edge of the cubic box, Å."""
        return float((self.particles * MASS * GRAM_PER_CM3 / self.density) ** (1 / 3))
