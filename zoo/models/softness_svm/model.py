"""A linear support vector machine for each type of particle, and what its softness says of the targets."""

from __future__ import annotations

from collections.abc import Iterable

import torch
from sklearn.svm import LinearSVC, LinearSVR
from torch import Tensor
from torch_geometric.data import Data

from zoo import keys
from zoo.data.graph import Graph
from zoo.data.info import DataInfo
from zoo.errors import DataError
from zoo.models.base import FittedModel, require_key
from zoo.models.described import DescribedModel
from zoo.models.moments import Moments
from zoo.models.softness_svm.config import SoftnessConfig
from zoo.models.softness_svm.labels import labels_of

#: Of liblinear: relative size of the gradient at which the search ends, and steps it takes at most.
TOLERANCE, STEPS = 1e-4, 5000


class SoftnessSVM(DescribedModel, FittedModel):
    """Each target as a straight line of the softness, for each type apart.

    The softness S = w·x̂ + b of standardised structure functions x̂ is the decision function of a linear
    SVM with squared hinge loss, in which both labels weigh alike: positive where particles tend to
    rearrange. With `regression` it is the support vector regression of log propensity. The line
    y = offset + slope · S of each type and target is fitted by least squares to all particles of the
    training split. A type without both labels has softness 0, and the mean of the training split.

    Raises:
        ConfigError: the task wants energies.
    """

    config: SoftnessConfig
    weights: Tensor  # [types, features]; of features as they are
    bias: Tensor  # [types]
    slope: Tensor  # [types, targets]
    offset: Tensor  # [types, targets]

    def __init__(self, config: SoftnessConfig, info: DataInfo) -> None:
        super().__init__(config, info, config.seen())
        kinds, targets = len(info.types), len(info.target_names)
        for name, shape in (
            ("weights", (kinds, self.num_descriptors)),
            ("bias", (kinds,)),
            ("slope", (kinds, targets)),
            ("offset", (kinds, targets)),
        ):
            self.register_buffer(name, torch.zeros(shape, dtype=torch.float64))

    def softness(self, graph: Data) -> Tensor:
        """Return S `[nodes]` float64."""
        kind = self.index(graph[keys.Z])
        return (self.inputs(graph).double() * self.weights[kind]).sum(1) + self.bias[kind]

    @property
    def message_layers(self) -> int:
        """See `ZooModel`."""
        return 0

    def forward(self, graph: Data) -> Tensor:
        """Return `[nodes, targets]`; see `ZooModel`."""
        kind = self.index(graph[keys.Z])
        out = self.offset[kind] + self.slope[kind] * self.softness(graph)[:, None]
        return out.to(graph[keys.POS].dtype)

    def fit(self, graphs: Iterable[Graph]) -> None:
        """Lay the planes through the labelled particles, and the lines through all.

        Raises:
            DataError: targets are missing, labels by p_hop are asked for and missing, or no type has
                particles of both labels.
        """
        types = self.info.types
        sums = [Moments(self.num_descriptors, len(self.info.target_names)) for _ in types]
        rows: list[list[tuple[Tensor, Tensor]]] = [[] for _ in types]
        for graph in graphs:
            y = require_key(graph, keys.TARGETS, "softness-svm").double()
            kind, x = self.index(graph[keys.Z]), self.inputs(graph).double()
            regression = self.config.regression
            labels = y[:, -1].clamp_min(1e-12).log() if regression else labels_of(graph, self.config)
            for k, moments in enumerate(sums):
                mine = kind == k
                moments.add(x[mine], y[mine])
                wanted = mine if regression else mine & (labels >= 0)
                rows[k].append((x[wanted].float(), labels[wanted]))
        planes = [self._plane(k, moments, rows[k]) for k, moments in enumerate(sums)]
        if not any(planes):
            raise DataError("softness-svm: no type has particles that rearrange and particles that rest")

    def _plane(self, k: int, moments: Moments, rows: list[tuple[Tensor, Tensor]]) -> bool:
        """Fit type k; whether there were both labels."""
        if not moments.count:
            raise DataError(f"softness-svm: no particles of type {self.info.types[k]} to fit to")
        features = moments.features
        mean, scale = moments.mean[:features], moments.inverse_scale
        x, labels = (torch.cat(column) for column in zip(*rows, strict=True))
        self.offset[k], self.slope[k] = moments.mean[features:], 0.0
        self.weights[k], self.bias[k] = 0.0, 0.0
        if len(labels.unique()) < 2:
            return False
        how = {"C": self.config.C, "dual": False, "tol": TOLERANCE, "max_iter": STEPS}
        if self.config.regression:
            machine = LinearSVR(loss="squared_epsilon_insensitive", **how)
        else:
            machine = LinearSVC(loss="squared_hinge", class_weight="balanced", **how)
        machine.fit(((x.double() - mean) * scale).numpy(), labels.numpy())
        along = torch.from_numpy(machine.coef_.reshape(-1)) * scale
        self.weights[k] = along
        self.bias[k] = float(machine.intercept_.item()) - along @ mean
        # covariances of S are those of the features, carried along the plane's normal
        covariance = moments.covariance
        variance = along @ covariance[:features, :features] @ along
        slope = along @ covariance[:features, features:] / variance.clamp_min(1e-300)
        self.slope[k] = slope
        self.offset[k] = moments.mean[features:] - slope * (along @ mean + self.bias[k])
        return True
