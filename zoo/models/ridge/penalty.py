"""Ridge regression from moments, and the choice of its penalty by configurations that were left out."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from zoo.models.moments import Moments

#: Parts that the configurations are dealt out to.
FOLDS = 5


def ridge(folds: Sequence[Moments], alphas: Sequence[float]) -> tuple[Tensor, Tensor, Tensor]:
    """Solve a ridge regression.

    The penalty is the one with the least square error on configurations that were left out: particles
    of one configuration are no independent rows, so that generalised cross-validation (Golub, Heath,
    Wahba 1979), which takes over where all rows are of one part, penalises too little.

    Args:
        folds: moments of features and targets of each part of the configurations; none is empty.
        alphas: penalties per row, of standardised features, to choose from.

    Returns:
        Weights `[features, targets]` and bias `[targets]` of the features as they are, and the penalty
        `[targets]`.
    """
    whole = Moments.joined(folds)
    if len(folds) > 1:
        scores = torch.zeros(len(alphas), whole.mean.numel() - whole.features, dtype=torch.float64)
        for fold in folds:
            path = _Path(Moments.joined([other for other in folds if other is not fold]))
            for row, alpha in enumerate(alphas):
                scores[row] += fold.count * _error(fold, *path.solution(alpha)).to(scores)
    path = _Path(whole)
    if len(folds) == 1:
        scores = torch.stack([path.generalised_error(alpha) for alpha in alphas])
    best = scores.argmin(0).tolist()
    columns = [path.solution(alphas[row]) for row in best]
    weights = torch.stack([w[:, k] for k, (w, _) in enumerate(columns)], dim=1)
    bias = torch.stack([b[k] for k, (_, b) in enumerate(columns)])
    return weights, bias, torch.tensor([alphas[row] for row in best], dtype=torch.float64)


class _Path:
    """Solutions for all penalties, from one diagonalisation."""

    def __init__(self, moments: Moments) -> None:
        features, covariance = moments.features, moments.covariance
        self.count, self.mean, self.features = moments.count, moments.mean, features
        self.inverse = moments.inverse_scale
        gram = covariance[:features, :features] * self.inverse * self.inverse[:, None]
        values, self.vectors = torch.linalg.eigh(gram)
        self.values = values.clamp_min(0)
        self.along = self.vectors.T @ (covariance[:features, features:] * self.inverse[:, None])
        self.variance = covariance.diagonal()[features:]

    def solution(self, alpha: float) -> tuple[Tensor, Tensor]:
        """Weights `[features, targets]` and bias `[targets]`."""
        weights = self.inverse[:, None] * (self.vectors @ self._shrunk(alpha))
        return weights, self.mean[self.features :] - self.mean[: self.features] @ weights

    def generalised_error(self, alpha: float) -> Tensor:
        """`n·RSS/(n − 1 − df)²` `[targets]`."""
        shrunk = self._shrunk(alpha)
        rss = (
            self.variance - 2 * (self.along * shrunk).sum(0) + (self.values[:, None] * shrunk.square()).sum(0)
        )
        freedom = 1 - (1 + (self.values / (self.values + alpha)).sum()) / self.count
        return rss / freedom.clamp_min(1e-12).square()

    def _shrunk(self, alpha: float) -> Tensor:
        return self.along / (self.values + alpha)[:, None]


def _error(moments: Moments, weights: Tensor, bias: Tensor) -> Tensor:
    """Mean square error `[targets]` of a solution on other rows; within groups where they are centred."""
    features, covariance = moments.features, moments.covariance
    xx, xy = covariance[:features, :features], covariance[:features, features:]
    spread = covariance.diagonal()[features:] - 2 * (weights * xy).sum(0) + (weights * (xx @ weights)).sum(0)
    if moments.within:
        return spread
    offset = moments.mean[features:] - moments.mean[:features] @ weights - bias
    return spread + offset.square()
