"""Options of `zoo data make insulin`."""

from __future__ import annotations

from pydantic import Field

from zoo.datasets.protein.options import ProteinOptions


class InsulinOptions(ProteinOptions):
    """Those of `protein`; `structure` None is the packaged equilibrated start (porcine, PDB 4INS)."""

    equilibration: float = Field(20.0, ge=0, le=10000)
