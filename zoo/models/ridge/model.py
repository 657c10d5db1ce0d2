"""Ridge regression on descriptors, one for each type of particle."""

from __future__ import annotations

from collections.abc import Iterable

import torch
from pydantic import Field, field_validator
from torch import Tensor
from torch_geometric.data import Data

from zoo import keys
from zoo.config import Strict
from zoo.data.graph import Graph
from zoo.data.info import DataInfo
from zoo.descriptors import DescriptorSettings
from zoo.errors import DataError
from zoo.models.base import FittedModel, require_key
from zoo.models.described import DescribedModel
from zoo.models.moments import Moments


class RidgeConfig(Strict):
    """Descriptors, and the strengths of the penalty to choose from."""

    descriptors: DescriptorSettings = Field(
        default_factory=lambda: DescriptorSettings(), description="what the targets are linear in"
    )
    alphas: list[float] = Field(
        [10.0**k for k in range(-6, 3)],
        min_length=1,
        description="penalties, relative to the number of particles; the best is chosen by "
        "generalised cross-validation within the training split",
    )
    center: bool = Field(
        False,
        description="fit to differences within each configuration, not to those between configurations",
    )

    @field_validator("alphas")
    @classmethod
    def _positive(cls, alphas: list[float]) -> list[float]:
        if min(alphas) <= 0:
            raise ValueError("alphas must be positive")
        return alphas


class Ridge(DescribedModel, FittedModel):
    """Each target as a linear function of the standardised descriptors, for each type apart.

    Minimises `‖y − Xw‖² + nα‖w‖²`; α is chosen for each type and target by generalised cross-validation
    (Golub, Heath, Wahba 1979), for which the normal equations suffice: nothing is kept of a frame.

    Raises:
        ConfigError: the task wants energies.
    """

    config: RidgeConfig
    weights: Tensor  # [types, features, targets]
    bias: Tensor  # [types, targets]
    alpha: Tensor  # [types, targets]; what was chosen

    def __init__(self, config: RidgeConfig, info: DataInfo) -> None:
        super().__init__(config, info, config.descriptors)
        kinds, targets = len(info.types), len(info.target_names)
        for name, shape in (
            ("weights", (kinds, self.num_descriptors, targets)),
            ("bias", (kinds, targets)),
            ("alpha", (kinds, targets)),
        ):
            self.register_buffer(name, torch.zeros(shape, dtype=torch.float64))

    def features(self, graph: Data) -> tuple[Tensor, Tensor]:
        """Return type index `[nodes]` and descriptors `[nodes, num_descriptors]` float64."""
        return self.index(graph[keys.Z]), self.inputs(graph).double()

    def forward(self, graph: Data) -> Tensor:
        """Return `[nodes, targets]`; see `ZooModel`."""
        kind, x = self.features(graph)
        out = self.bias[kind]
        for k in range(len(self.info.types)):
            mine = kind == k
            out[mine] += x[mine] @ self.weights[k]
        return out.to(graph[keys.POS].dtype)

    def fit(self, graphs: Iterable[Graph]) -> None:
        """Gather the normal equations and solve them.

        Raises:
            DataError: targets are missing, or a type has fewer than two particles.
        """
        sums = [Moments(self.num_descriptors, len(self.info.target_names)) for _ in self.info.types]
        for graph in graphs:
            y = require_key(graph, keys.TARGETS, "ridge").double()
            kind, x = self.features(graph)
            groups = graph.get(keys.BATCH) if self.config.center else None
            for k, moments in enumerate(sums):
                mine = kind == k
                moments.add(x[mine], y[mine], None if groups is None else groups[mine])
        for k, moments in enumerate(sums):
            if moments.count < 2:
                raise DataError(f"ridge: fewer than two particles of type {self.info.types[k]} to fit to")
            self.weights[k], self.bias[k], self.alpha[k] = ridge(moments, self.config.alphas)


def ridge(moments: Moments, alphas: list[float]) -> tuple[Tensor, Tensor, Tensor]:
    """Solve a ridge regression from its moments.

    Args:
        moments: of features and targets.
        alphas: penalties per row, of standardised features, to choose from.

    Returns:
        Weights `[features, targets]` and bias `[targets]` of the features as they are, and the penalty
        `[targets]` with the least generalised cross-validation error `n·RSS/(n − 1 − df)²`.
    """
    n, features, mean, covariance = moments.count, moments.features, moments.mean, moments.covariance
    inverse = moments.inverse_scale
    gram = covariance[:features, :features] * inverse * inverse[:, None]
    moment = covariance[:features, features:] * inverse[:, None]
    variance = covariance.diagonal()[features:]
    values, vectors = torch.linalg.eigh(gram)
    values, along = values.clamp_min(0), vectors.T @ moment

    best = variance.new_full(variance.shape, torch.inf)
    weights, chosen = torch.zeros_like(moment), torch.zeros_like(best)
    for alpha in alphas:
        shrunk = along / (values + alpha)[:, None]
        rss = variance - 2 * (along * shrunk).sum(0) + (values[:, None] * shrunk.square()).sum(0)
        freedom = 1 - (1 + (values / (values + alpha)).sum()) / n
        score = rss / freedom.clamp_min(1e-12).square()
        better = score < best
        best = torch.where(better, score, best)
        chosen = torch.where(better, alpha, chosen)
        weights = torch.where(better, inverse[:, None] * (vectors @ shrunk), weights)
    return weights, mean[features:] - mean[:features] @ weights, chosen
