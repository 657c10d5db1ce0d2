"""Options of Langevin dynamics of a molecule, shared by all entries that simulate one."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator


class DynamicsOptions(BaseModel):
    """How the frames are simulated. Averages over configurations depend on `temperature` alone.

    Args:
        temperature: of the thermostat, K.
        hydrogen_mass: amu. Heavier hydrogens allow a longer time step and change no average over
            configurations; the masses stored are those simulated.
        timestep: fs.
        friction: of the Langevin thermostat, 1/ps.
        interval: time between two frames that are kept, ps; a whole number of time steps.
        equilibration: time at the start of each run that is thrown away, ps.
        runs: independent runs. None: 32, fewer for few frames.
        workers: processes at a time; None: one for each core. Does not change the result.
    """

    model_config = ConfigDict(extra="forbid")
    temperature: float = Field(300.0, gt=0, le=2000)
    hydrogen_mass: float = Field(4.0, ge=1.0, le=12.0)
    timestep: float = Field(2.0, gt=0, le=4.0)
    friction: float = Field(1.0, gt=0, le=100)
    interval: float = Field(1.0, gt=0, le=1000)
    equilibration: float = Field(10.0, ge=0, le=10000)
    runs: int | None = Field(None, ge=2, le=1000)
    workers: int | None = Field(None, ge=1, le=1024)

    @model_validator(mode="after")
    def _consistent(self) -> DynamicsOptions:
        if self.hydrogen_mass < 3 and self.timestep > 1:
            raise ValueError(
                f"timestep {self.timestep:g} fs needs hydrogen_mass of 3 amu or more "
                f"(it is {self.hydrogen_mass:g}); use timestep=1 with lighter hydrogens"
            )
        ratio = self.interval * 1000 / self.timestep
        if abs(ratio - round(ratio)) > 1e-6 or round(ratio) < 1:
            raise ValueError(
                f"interval {self.interval:g} ps is not a whole number of time steps of {self.timestep:g} fs"
            )
        return self

    @property
    def steps_per_frame(self) -> int:
        """Time steps between two frames."""
        return round(self.interval * 1000 / self.timestep)

    def number_of_runs(self, frames: int) -> int:
        """Independent runs for so many frames: as asked for, else an even number up to 32."""
        return self.runs or min(32, max(2, frames // 8 * 2))


class LangevinOptions(DynamicsOptions):
    """How OpenMM simulates the frames. Averages over configurations depend on `temperature` alone.

    Args:
        platform: of OpenMM; each run uses one thread. CPU is about 6 times faster than Reference.
    """

    platform: Literal["CPU", "Reference"] = "CPU"
