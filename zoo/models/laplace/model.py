"""Uniform torsions and a Gaussian of the local coordinates."""

from __future__ import annotations

from collections.abc import Iterable

import torch

from zoo import keys
from zoo.data.graph import Graph
from zoo.errors import DataError
from zoo.models.base import FittedModel, frames_of
from zoo.models.flows.composed import ComposedFlow


class Laplace(ComposedFlow, FittedModel):
    """What is known before any training, and what every trained density has to beat.

    Of internal coordinates, torsions are uniform and the rest has the Laplace approximation about the relaxed
    reference (with `prepare(target, …)`), or the data's mean and covariance (with `fit`). Particles about
    their centre are a Gaussian of the data's covariance, averaged over rotations and exchanges.
    """

    def fit(self, graphs: Iterable[Graph]) -> None:
        """Take mean and covariance of the frames.

        Raises:
            DataError: there are no frames.
        """
        parts = [frames_of(graph, keys.POS, self.info.num_particles).double() for graph in graphs]
        if not parts:
            raise DataError("laplace: the training split has no frames")
        self.prepare(None, torch.cat(parts))
