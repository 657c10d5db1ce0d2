"""Ridge regression on radial densities, one for each type of particle."""

from __future__ import annotations

from collections.abc import Iterable

import torch
from pydantic import Field, model_validator
from torch import Tensor
from torch_geometric.data import Data

from zoo import keys
from zoo.config import Strict
from zoo.data.graph import Graph
from zoo.data.info import DataInfo
from zoo.errors import DataError
from zoo.models.base import FittedModel, TypeIndex, require_interface, require_key
from zoo.models.ridge.densities import radial_densities


class RidgeConfig(Strict):
    """Shells of the radial densities, and the strengths of the penalty to choose from."""

    start: float = Field(0.7, ge=0, lt=1e6, description="first shell, unit of length")
    stop: float = Field(3.0, gt=0, lt=1e6, description="last shell, unit of length")
    step: float = Field(0.1, gt=0, description="distance between shells, unit of length")
    width: float = Field(0.1, gt=0, description="δ of exp(−(r−μ)²/δ²), unit of length")
    alphas: list[float] = Field(
        [10.0**k for k in range(-6, 3)],
        min_length=1,
        description="penalties, relative to the number of particles; the best is chosen by "
        "generalised cross-validation within the training split",
    )

    @model_validator(mode="after")
    def _shells_make_sense(self) -> RidgeConfig:
        if self.stop < self.start:
            raise ValueError(f"stop = {self.stop} is below start = {self.start}")
        if (self.stop - self.start) / self.step > 10_000:
            raise ValueError(f"step = {self.step} makes more than 10,000 shells")
        if min(self.alphas) <= 0:
            raise ValueError("alphas must be positive")
        return self

    def centers(self) -> list[float]:
        """Distance of each shell."""
        return [self.start + k * self.step for k in range(round((self.stop - self.start) / self.step) + 1)]


class Ridge(FittedModel):
    """Each target as a linear function of the standardised radial densities, for each type apart.

    Minimises `‖y − Xw‖² + nα‖w‖²`; α is chosen for each type and target by generalised cross-validation
    (Golub, Heath, Wahba 1979), for which the normal equations suffice: nothing is kept of a frame.

    Raises:
        ConfigError: the task wants energies.
    """

    config: RidgeConfig
    centers: Tensor  # [shells]
    weights: Tensor  # [types, features, targets]
    bias: Tensor  # [types, targets]
    alpha: Tensor  # [types, targets]; what was chosen

    def __init__(self, config: RidgeConfig, info: DataInfo) -> None:
        centers = config.centers()
        # three widths beyond the last shell a neighbour counts exp(−9) = 1e-4
        super().__init__(config, info, centers[-1] + 3 * config.width)
        require_interface(info, "node", "ridge")
        self.index = TypeIndex(info.types)
        kinds, targets = len(info.types), len(info.target_names)
        self.register_buffer("centers", torch.tensor(centers, dtype=torch.float64), persistent=False)
        features = kinds * len(centers)
        for name, shape in (
            ("weights", (kinds, features, targets)),
            ("bias", (kinds, targets)),
            ("alpha", (kinds, targets)),
        ):
            self.register_buffer(name, torch.zeros(shape, dtype=torch.float64))

    def features(self, graph: Data) -> tuple[Tensor, Tensor]:
        """Return type index `[nodes]` and radial densities `[nodes, types · shells]`, float64."""
        kind = self.index(graph[keys.Z])
        width, kinds = self.config.width, len(self.info.types)
        return kind, radial_densities(graph, kind, kinds, self.centers, width, self.cutoff)

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
        sums: list[Tensor | None] = [None] * len(self.info.types)
        for graph in graphs:
            y = require_key(graph, keys.TARGETS, "ridge").double()
            kind, x = self.features(graph)
            for k in range(len(sums)):
                mine = kind == k
                # one column of ones, so that counts and means come with the same product
                rows = torch.cat([x.new_ones(int(mine.sum()), 1), x[mine], y[mine]], dim=1)
                product = rows.T @ rows
                before = sums[k]
                sums[k] = product if before is None else before + product
        for k, moments in enumerate(sums):
            if moments is None or moments[0, 0] < 2:
                raise DataError(f"ridge: fewer than two particles of type {self.info.types[k]} to fit to")
            features = self.weights.shape[1]
            fitted = ridge(moments, features, self.config.alphas)
            self.weights[k], self.bias[k], self.alpha[k] = fitted


def ridge(moments: Tensor, features: int, alphas: list[float]) -> tuple[Tensor, Tensor, Tensor]:
    """Solve a ridge regression from its moments.

    Args:
        moments: `[1 + features + targets] ²`, the products `RᵀR` of rows `R = (1, x, y)`.
        features: number of columns of x.
        alphas: penalties per row, of standardised features, to choose from.

    Returns:
        Weights `[features, targets]` and bias `[targets]` of the features as they are, and the penalty
        `[targets]` with the least generalised cross-validation error `n·RSS/(n − 1 − df)²`.
    """
    n, mean = moments[0, 0], moments[0, 1:] / moments[0, 0]
    covariance = moments[1:, 1:] / n - torch.outer(mean, mean)
    scale = covariance.diagonal()[:features].clamp_min(0).sqrt()
    constant = scale <= 1e-9 * (mean[:features].abs() + 1)  # empty shells: round-off only
    inverse = torch.where(constant, 0.0, 1 / scale.where(~constant, 1.0))
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
