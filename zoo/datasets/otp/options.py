"""Options of `zoo data make otp`."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from zoo.engines.langevin import LangevinOptions


class Options(LangevinOptions):
    """How the frames are simulated: `zoo.engines.langevin`, with values that suit this molecule.

    Args:
        interval: time between two frames that are kept, ps. The propeller turns over about every 40 ps.
        equilibration: time at the start of each run that is thrown away, ps.
        platform: of OpenMM; for a molecule of this size Reference is the faster one.
    """

    interval: float = Field(10.0, gt=0, le=1000)
    equilibration: float = Field(50.0, ge=0, le=10000)
    platform: Literal["CPU", "Reference"] = "Reference"
