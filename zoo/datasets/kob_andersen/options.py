"""Options of `zoo data make kob-andersen`, and what they mean for one mixture."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from zoo.datasets.kob_andersen.mixtures import Mixture
from zoo.errors import ConfigError

#: Times of the propensity where none are asked for: in τ, and in units of τα.
TIMES, TIMES_ALPHA = (0.1, 0.5), (0.125, 0.5, 1.0)


class KobAndersenOptions(BaseModel):
    """How a mixture is simulated. Times in τ, temperature in ε/k_B, density in σ⁻³ (σ⁻² in 2D).

    What is left out (`None`) follows from the mixture and from τα at the temperature:
    equilibration 20 τα, spacing of configurations 10 τα, times 0.1, 0.5, τα/8, τα/2 and τα.
    """

    model_config = ConfigDict(extra="forbid")
    particles: int = Field(1000, ge=200, description="number of particles, 80 % of them A (2D: 47 %)")
    temperature: float | None = Field(None, gt=0.0, description="ε/k_B; None: 0.64, in 2D 0.5")
    density: float | None = Field(None, gt=0.0, description="number density; None: 1.2, in 2D 1.192")
    configurations: int = Field(28, ge=3, description="frames; `--frames` says the same")
    runs: int = Field(7, ge=1, description="independent runs that the configurations come from")
    clones: int = Field(16, ge=1, description="runs with fresh velocities from each configuration")
    times: list[float] | None = Field(None, description="times of the propensity, τ")
    times_alpha: list[float] | None = Field(None, description="the same in units of τα, in place of times")
    tau_alpha: float | None = Field(
        None, gt=0.0, description="τα in τ, as `zoo data check` measures it; None: the table's"
    )
    equilibration: float | None = Field(None, ge=0.0, description="τ before the first configuration")
    spacing: float | None = Field(None, gt=0.0, description="τ between configurations of one run")
    timestep: float | None = Field(None, gt=0.0, le=0.01, description="τ; None: 0.005, of wca 0.0025")
    clone_ensemble: Literal["nvt", "nve"] = Field(
        "nvt", description="Nosé-Hoover thermostat on the clones, or none"
    )
    thermostat: float = Field(0.5, gt=0.0, description="relaxation time of Nosé-Hoover, τ")
    cage_time: float = Field(30.0, ge=0.0, description="τ that cage positions are averaged over; 0: none")
    cage_radius: float = Field(0.4, gt=0.0, description="σ from its inherent position that each may go")
    hop_window: float = Field(10.0, ge=0.0, description="τ, both windows of p_hop together; 0: no p_hop")
    hop_spacing: float = Field(1.25, gt=0.0, description="τ between inherent structures for p_hop")
    quiet_time: float = Field(10.0, ge=0.0, description="τ to either side that a resting particle rests")
    reuse: str | None = Field(
        None, description="folder of the same dataset: only what it lacks is computed, the rest is taken over"
    )
    workers: int | None = Field(None, ge=1, description="processes; None: one per core")

    @model_validator(mode="after")
    def _consistent(self) -> KobAndersenOptions:
        if self.times is not None and self.times_alpha is not None:
            raise ValueError("set times or times_alpha, not both")
        if self.hop_window and self.hop_window < 2 * self.hop_spacing:
            raise ValueError("hop_window takes at least twice hop_spacing")
        return self

    def resolved(self, mixture: Mixture) -> KobAndersenOptions:
        """Return the same with nothing left out.

        Raises:
            ConfigError: τα is needed but not known at this density, the times are too short, or the
                box is too small for the potential.
        """
        density = self.density or mixture.density
        temperature = self.temperature or mixture.temperature
        timestep = self.timestep or mixture.timestep
        derived = [name for name in ("times", "equilibration", "spacing") if getattr(self, name) is None]
        if self.tau_alpha is None and derived and abs(density / mixture.density - 1) > 0.01:
            raise ConfigError(
                f"τα is known at density {mixture.density:.4g} only: "
                f"set tau_alpha, or {', '.join(derived)}, as well"
            )
        tau = self.tau_alpha or mixture.relaxation_time(temperature)
        steps = sorted({round(time / timestep) for time in self._times(tau)})
        if not steps or steps[0] < 1:
            raise ConfigError(f"times must be at least one timestep, {timestep} τ")
        box = mixture.box(self.particles, density)
        # Twice the range: each pair has one image. The skin of the neighbour list comes on top.
        if box < 2 * mixture.potential.range + 0.6:
            raise ConfigError(
                f"the box of {box:.2f} σ is too small for the cutoff of "
                f"{mixture.potential.range:.3g} σ: more particles, please"
            )
        return self.model_copy(
            update={
                "density": density,
                "temperature": temperature,
                "timestep": timestep,
                "times": [round(step * timestep, 9) for step in steps],
                "times_alpha": None,
                "equilibration": 20 * tau if self.equilibration is None else self.equilibration,
                "spacing": self.spacing or 10 * tau,
            }
        )

    def _times(self, tau: float) -> list[float]:
        if self.times is not None:
            return self.times
        if self.times_alpha is not None:
            return [tau * time for time in self.times_alpha]
        return [*TIMES, *(round(tau * time, 4) for time in TIMES_ALPHA)]

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
