"""Options of `zoo data make lj13`."""

from __future__ import annotations

from pydantic import Field

from zoo.datasets.toys.options import ToyOptions


class Options(ToyOptions):
    """Those of all toy targets, and the cluster's own.

    Its heat capacity asks for a finer ladder; it forgets its start within some ten exchanges.

    Args:
        depth: of each pair's well. None: the variant's, 2 for `lj13` and 1 for `lj13/eacf`.
        trap: force constant of the trap.
        particles: 13; 55 makes LJ55.
    """

    levels: int = Field(5, ge=1, le=64)
    hottest: float = Field(1.6, gt=1, le=1000)
    equilibration: int = Field(40, ge=0, le=1_000_000)
    depth: float | None = Field(None, gt=0, le=100)
    trap: float = Field(1.0, gt=0, le=100)
    particles: int = Field(13, ge=2, le=200)
