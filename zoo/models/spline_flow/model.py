"""Rational-quadratic spline couplings on internal or whitened Cartesian coordinates."""

from __future__ import annotations

import torch
from pydantic import Field

from zoo.data.info import DataInfo
from zoo.models.density import DensityConfig
from zoo.models.flows.composed import ComposedFlow
from zoo.models.flows.couplings import SplineCoupling
from zoo.models.flows.masks import halves


class SplineFlowConfig(DensityConfig):
    """Sizes of the couplings."""

    couplings: int = Field(8, ge=1, description="number of couplings; the published flows have 12 or 16")
    bins: int = Field(8, ge=2, le=128, description="of each spline")
    hidden: int = Field(128, ge=1, description="width of the networks")
    layers: int = Field(2, ge=1, description="hidden layers of the networks")


class SplineFlow(ComposedFlow):
    """Spline couplings between halves of the columns, torsions on their circle.

    Generic: every column is of one sort or the other (circular, local), and nothing says that torsions
    steer the rest. The published data-free generators of alanine dipeptide are of this kind: FAB (Midgley
    et al., arXiv:2208.01893), TA-BG (Schopmans and Friederich, arXiv:2501.19077). A connected base is
    bent, not cut: between modes thin bridges remain, and trained by reverse KL alone it loses rare modes.

    See also: `mixture-flow`, `hierarchical-flow`.
    """

    config: SplineFlowConfig

    def __init__(self, config: SplineFlowConfig, info: DataInfo) -> None:
        super().__init__(config, info)
        generator = torch.Generator().manual_seed(0)  # masks and turns are part of the architecture
        circular, local = self.whitening.circular, self.whitening.local
        for mask in halves(circular, local, config.couplings, generator):
            self.transforms.append(
                SplineCoupling(mask, circular, config.bins, config.hidden, config.layers, generator)
            )
