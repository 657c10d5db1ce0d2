"""Options of `zoo data make peptide` and of its variants."""

from __future__ import annotations

import math
from typing import Literal

from pydantic import Field

from zoo.engines.exchange_options import ExchangeOptions


class Options(ExchangeOptions):
    """Replica exchange in torch, with turns about bonds; ensembles start by turns at φ < 0 and at φ > 0.

    A run is one ensemble of replicas, and `temperature` the lowest of its ladder.

    Args:
        sequence: one-letter codes of the residues between ACE and NME, such as "AAA"; None: the variant's.
        force_field: "ff96" with OBC1, as the literature's alanine dipeptide, or "ff99sbildn" with OBC2.
        levels: number of temperatures, in constant ratio; None: so many that about a third of the
            exchanges are accepted.
        pivots: turns about bonds tried before each exchange; each costs as much as a time step.
        polish: trajectories of Hamiltonian Monte Carlo by which each frame becomes exact before it is
            stored: the time step of dynamics warms stiff bonds by some percent.
    """

    sequence: str | None = Field(None, pattern="^[A-Z]+$")
    force_field: Literal["ff96", "ff99sbildn"] = "ff96"
    highest: float = Field(800.0, gt=0, le=3000)
    levels: int | None = Field(None, ge=2, le=64)  # type: ignore[assignment]
    pivots: int = Field(4, ge=0, le=1000)
    polish: int = Field(30, ge=0, le=10_000)

    def resolved(self, atoms: int) -> Options:
        """Return the options with a number of levels for so many atoms.

        Energies spread as √atoms: 22 atoms and a ratio of 1.27 gave 36 % of exchanges accepted.
        """
        if self.levels is not None or self.highest <= self.temperature:
            return self
        step = math.log(1.27) * math.sqrt(22 / atoms)
        return self.model_copy(
            update={"levels": 1 + math.ceil(math.log(self.highest / self.temperature) / step)}
        )
