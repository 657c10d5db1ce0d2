"""Options of `zoo data make alanine-dipeptide`."""

from __future__ import annotations

from zoo.engines.langevin import LangevinOptions


class Options(LangevinOptions):
    """Langevin dynamics in OpenMM; of the independent runs every other one starts at φ > 0."""
