"""Options of replica exchange in torch."""

from __future__ import annotations

from pydantic import Field

from zoo.engines.langevin import DynamicsOptions


class ExchangeOptions(DynamicsOptions):
    """A run is one ensemble of replicas, and `temperature` the lowest of its ladder.

    Args:
        highest: temperature at the top of the ladder, K.
        levels: number of temperatures, in constant ratio.
        exchange: time between exchanges, ps; a whole number of them fits into `interval`.
        batch: ensembles that one process simulates together; a GPU wants thousands.
        device: of torch: "cpu", "cuda", "cuda:1".
        compile: compile the energy, 2 to 3 times faster after a start of 20 s; needs a C++ compiler.
            Frames are the same for the same versions only among compiled runs.
    """

    runs: int | None = Field(None, ge=2, le=1_000_000)
    highest: float = Field(1000.0, gt=0, le=3000)
    levels: int = Field(6, ge=2, le=64)
    exchange: float = Field(0.1, gt=0, le=100)
    batch: int = Field(32, ge=1, le=1_000_000)
    device: str = Field("cpu", pattern=r"^(cpu|cuda(:\d+)?)$")
    compile: bool = False

    @property
    def steps_per_exchange(self) -> int:
        """Time steps between two exchanges: those of `exchange`, made to fit into `interval`."""
        rounds = max(1, round(self.interval / self.exchange))
        while self.steps_per_frame % rounds:
            rounds -= 1
        return self.steps_per_frame // rounds
