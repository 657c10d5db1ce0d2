"""Spline couplings of a mixture base."""

from __future__ import annotations

import torch
from pydantic import Field
from torch import Tensor

from zoo.data.info import DataInfo
from zoo.models.mixture_flow.base import TorusMixture
from zoo.models.spline_flow.model import SplineFlow, SplineFlowConfig


class MixtureFlowConfig(SplineFlowConfig):
    """Sizes of mixture and couplings."""

    couplings: int = Field(6, ge=0, description="number of couplings after the mixture")
    components: int = Field(16, ge=1, le=1024, description="of the mixture")


class MixtureFlow(SplineFlow):
    """`spline-flow` from a mixture of wrapped normals instead of a uniform torus.

    A bijection keeps what is connected connected: of one base it leaves thin bridges between modes, and
    fills a far mode only through them. Here modes can be different components. Which one a conformation
    came from is summed over, log Σ_k w_k p_k(u), so densities are exact.

    Draws take each component as often as its weight says (systematic resampling: one random number for
    all), and carry gradients through the component's own mean and width. What they cannot carry is the
    gradient of the weights, as a draw does not move when a weight does: `log_choice` gives the objective
    the term that is missing, d/dw E[ℓ] = E[ℓ ∇_w log q], the drawn index averaged over.
    """

    config: MixtureFlowConfig
    base: TorusMixture

    def __init__(self, config: MixtureFlowConfig, info: DataInfo) -> None:
        super().__init__(config, info)
        self.base = TorusMixture(self.whitening.circular, self.whitening.local, config.components)

    def log_choice(self, q: Tensor) -> Tensor:
        """log q(q) `[batch]` with gradients of the mixture's weights alone."""
        with torch.no_grad():
            u, ladj = self.unbent(q)
            each = self.base.log_components(u)
        return torch.logsumexp(each + self.base.logits.log_softmax(0), 1) + ladj
