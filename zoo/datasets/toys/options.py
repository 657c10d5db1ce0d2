"""Options that all toy targets share."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator


class ToyOptions(BaseModel):
    """How a toy target is sampled; averages depend on `temperature` (and the target's own options) alone.

    Args:
        temperature: kT in the unit of the energy; the literature's is 1.
        runs: independent runs, each a process: the unit of splits.
        chains: independent chains of one run, advanced side by side, the unit of error bars; a
            run's frames go through its chains in turn.
        sampler: "hmc" (exact) or "langevin" (BAOAB; a small error of the time step).
        steps: leapfrog or Langevin steps between two exchanges.
        timestep: of "langevin"; "hmc" finds its own while it warms up. None: the target's.
        levels: temperatures of the replica exchange, of which the lowest is kept; 1: no exchange.
        hottest: highest temperature over `temperature`.
        exchanges: between two frames of a chain.
        equilibration: exchanges at the start of each chain that are thrown away.
        workers: processes at a time; None: one for each core. Does not change the result.
    """

    model_config = ConfigDict(extra="forbid")
    temperature: float = Field(1.0, ge=0.05, le=100)
    runs: int = Field(8, ge=2, le=1000)
    chains: int = Field(50, ge=1, le=100_000)
    sampler: Literal["hmc", "langevin"] = "hmc"
    steps: int = Field(20, ge=1, le=100_000)
    timestep: float | None = Field(None, gt=0, le=1)
    levels: int = Field(4, ge=1, le=64)
    hottest: float = Field(3.0, gt=1, le=1000)
    exchanges: int = Field(10, ge=1, le=100_000)
    equilibration: int = Field(100, ge=0, le=1_000_000)
    workers: int | None = Field(None, ge=1, le=1024)

    @model_validator(mode="after")
    def _consistent(self) -> ToyOptions:
        if self.timestep is not None and self.sampler == "hmc":
            raise ValueError("timestep belongs to sampler=langevin: hmc finds its own while it warms up")
        return self
