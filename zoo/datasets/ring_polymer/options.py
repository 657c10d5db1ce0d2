"""Options of `zoo data make ring-polymer` and how they depend on each other."""

from __future__ import annotations

import math
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from zoo.datasets.ring_polymer.polymer import Polymer
from zoo.errors import ConfigError

#: The collapse from the circle ends, and equilibrium comes near, at about this time, τ.
LAST_OUT_OF_EQUILIBRIUM = 50.0
#: Relaxation time of Rg² of the flexible ring of 70 beads at friction 1, τ: half of the slowest
#: mode's, which is 270 τ with Langevin's thermostat, and longer than with Nosé-Hoover's (150 τ).
RING_70 = 140.0
#: Friction in a melt of density 0.85 that the other chains add, 1/τ: Kremer & Grest 1990 (ζ ≈ 25).
MELT_FRICTION = 25.0


class RingPolymerOptions(BaseModel):
    """How the chains are simulated, in Lennard-Jones units (σ, ε, m, τ).

    Args:
        topology: closed rings, or linear chains for comparison.
        beads: of each chain.
        stiffness: bending energy k_θ (1 − cos θ), ε; 1.5 is the usual semiflexible chain.
        excluded_volume: False: only bonded beads repel each other (phantom chain).
        chains: 1: a single chain in free space, the runs being independent ones; more: a melt of
            so many in a periodic box.
        density: of beads in a melt, σ⁻³.
        temperature: ε/k_B.
        friction: of the Langevin thermostat, 1/τ.
        damping: relaxation time of the Nosé-Hoover thermostat, τ.
        timestep: τ.
        interval: time between frames, τ. None: about the relaxation time of Rg²; 5 out of equilibrium.
        equilibration: time thrown away, τ. None: five relaxation times; 0 out of equilibrium.
        runs: independent runs. None: up to 64.
        workers: processes at a time; None: one for each core. Does not change the result.
    """

    model_config = ConfigDict(extra="forbid")
    topology: Literal["ring", "linear"] = "ring"
    beads: int = Field(70, ge=4, le=100_000)
    stiffness: float = Field(0.0, ge=0.0, le=100.0)
    excluded_volume: bool = True
    chains: int = Field(1, ge=1, le=100_000)
    density: float = Field(0.85, gt=0.0, le=1.0)
    temperature: float = Field(1.0, gt=0.0, le=10.0)
    friction: float = Field(1.0, gt=0.0, le=100.0)
    damping: float = Field(1.0, gt=0.0, le=100.0)
    timestep: float = Field(0.005, gt=0.0, le=0.012)
    interval: float | None = Field(None, gt=0.0)
    equilibration: float | None = Field(None, ge=0.0)
    runs: int | None = Field(None, ge=1, le=100_000)
    workers: int | None = Field(None, ge=1, le=1024)

    @model_validator(mode="after")
    def _consistent(self) -> RingPolymerOptions:
        if self.interval is not None and round(self.interval / self.timestep) < 1:
            raise ValueError(f"interval {self.interval:g} τ is shorter than a time step, {self.timestep:g} τ")
        return self

    def polymer(self) -> Polymer:
        """Return the chains."""
        return Polymer(self.beads, self.topology == "ring", self.chains, self.stiffness, self.excluded_volume)

    def relaxation_time(self) -> float:
        """Estimate the relaxation time of Rg², τ: good to a factor of two or so.

        Half of the slowest mode's, which goes as Rouse's ζ N² b² / (12 π² k_B T), four times that
        for linear chains, with the size of the swollen ring, N^(2ν), ν = 0.588, and the stiffness
        of a chain without excluded volume.
        """
        k = self.stiffness / self.temperature
        cosine = 1 / math.tanh(k) - 1 / k if k > 1e-6 else 0.0
        friction = self.friction + (MELT_FRICTION if self.chains > 1 else 0.0)
        tau = RING_70 * (self.beads / 70) ** 2.176 * friction / self.temperature
        return tau * (1 + cosine) / (1 - cosine) * (1 if self.topology == "ring" else 4)

    def settled(self, equilibrium: bool, frames: int) -> RingPolymerOptions:
        """Return a copy in which interval, equilibration and runs are numbers.

        Raises:
            ConfigError: so many frames do not fit the runs.
        """
        tau = self.relaxation_time() if equilibrium else 5.0
        interval = self.interval or max(float(f"{tau:.1g}"), self.timestep)
        interval = round(interval / self.timestep) * self.timestep
        equilibration = self.equilibration
        if equilibration is None:
            equilibration = float(f"{5 * tau:.2g}") if equilibrium else 0.0
        longest = max(1, frames)
        if not equilibrium:
            longest = int((LAST_OUT_OF_EQUILIBRIUM - equilibration) / interval + 1e-9)
            if longest < 1:
                raise ConfigError(
                    f"out of equilibrium frames end at {LAST_OUT_OF_EQUILIBRIUM:g} τ: "
                    "a shorter interval or equilibration, please"
                )
        runs = self.runs or max(1, min(64, frames // 3), -(-frames // longest))
        if frames < (runs if runs >= 5 else 3 * runs):
            raise ConfigError(
                f"{frames} frames are too few for {runs} runs: at least one each, and three each with "
                "fewer than five runs (--set runs=1, or more --frames)"
            )
        if -(-frames // runs) > longest:
            raise ConfigError(
                f"{frames} frames of {runs} runs every {interval:g} τ would go beyond "
                f"{LAST_OUT_OF_EQUILIBRIUM:g} τ, where equilibrium comes near: more runs or fewer frames"
            )
        update = {"interval": round(interval, 9), "equilibration": equilibration, "runs": runs}
        return self.model_copy(update=update)
