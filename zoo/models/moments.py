"""First and second moments of features and targets, gathered batch by batch: nothing is kept of a row."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor


class Moments:
    """Sums over rows (x, y), in float64.

    Args:
        features: columns of x.
        targets: columns of y.

    Attributes:
        count: number of rows.
        within: whether products are of differences from the means of groups.
    """

    def __init__(self, features: int, targets: int) -> None:
        self.features, self.count = features, 0
        self._sum = torch.zeros(features + targets, dtype=torch.float64)
        self._product = torch.zeros(features + targets, features + targets, dtype=torch.float64)
        self.within = False

    def add(self, x: Tensor, y: Tensor, groups: Tensor | None = None) -> None:
        """Add rows `x [n, features]` and `y [n, targets]`.

        Args:
            groups: `[n]` int64 numbers from 0: products are then of differences from the mean of each
                group, so that `covariance` is the one within groups. All calls of one object alike.
        """
        rows = torch.cat([x, y], dim=1)
        self._sum = self._sum.to(rows.device) + rows.sum(0)
        if groups is not None and len(groups):
            size = int(groups.max()) + 1
            mean = rows.new_zeros(size, rows.shape[1]).index_add_(0, groups, rows)
            mean /= torch.bincount(groups, minlength=size).clamp_min(1)[:, None]
            rows = rows - mean[groups]
            self.within = True
        self._product = self._product.to(rows.device) + rows.T @ rows
        self.count += len(rows)

    @classmethod
    def joined(cls, parts: Sequence[Moments]) -> Moments:
        """Return the moments of all rows of some parts together, at least one."""
        targets = parts[0].mean.numel() - parts[0].features
        out = cls(parts[0].features, targets)
        for part in parts:
            out._sum, out._product = (
                out._sum.to(part._sum) + part._sum,
                out._product.to(part._sum) + part._product,
            )
            out.count, out.within = out.count + part.count, out.within or part.within
        return out

    @property
    def mean(self) -> Tensor:
        """`[features + targets]`."""
        return self._sum / self.count

    @property
    def covariance(self) -> Tensor:
        """`[features + targets] ²`, divided by the number of rows."""
        raw = self._product / self.count
        return raw if self.within else raw - torch.outer(self.mean, self.mean)

    @property
    def inverse_scale(self) -> Tensor:
        """`[features]` one over the standard deviation of each feature; 0 where it is constant."""
        scale = self.covariance.diagonal()[: self.features].clamp_min(0).sqrt()
        constant = scale <= 1e-9 * (self.mean[: self.features].abs() + 1)  # empty shells: round-off only
        return torch.where(constant, 0.0, 1 / scale.where(~constant, 1.0))
