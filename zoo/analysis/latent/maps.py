"""Maps of a latent space in the plane."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from sklearn.manifold import TSNE, trustworthiness
from threadpoolctl import threadpool_limits

from zoo.errors import DataError

#: Neighbours that a point's place is decided by, about; and those whose keeping is measured.
PERPLEXITY, KEPT = 30.0, 10


@dataclass(frozen=True)
class Principal:
    """Principal components.

    Args:
        mean: `[d]`.
        vectors: `[d, k]`, orthonormal, the largest variance first.
        variances: `[k]`.
    """

    mean: np.ndarray
    vectors: np.ndarray
    variances: np.ndarray

    def project(self, values: np.ndarray) -> np.ndarray:
        """`[n, d]` → `[n, k]`."""
        return (values - self.mean) @ self.vectors


def principal(values: np.ndarray, components: int) -> Principal:
    """Find the leading principal components of `values [n, d]`; at most as many as n and d allow.

    Signs are such that the largest entry of each vector is positive.
    """
    x = np.asarray(values, np.float64)
    mean = x.mean(0)
    _, s, vh = np.linalg.svd(x - mean, full_matrices=False)
    vectors = vh[:components].T
    vectors = vectors * np.sign(vectors[np.abs(vectors).argmax(0), np.arange(vectors.shape[1])])
    return Principal(mean, vectors, s[:components] ** 2 / len(x))


def neighbor_map(values: np.ndarray, *, seed: int = 0) -> tuple[np.ndarray, float]:
    """Return a map `[n, 2]` that keeps neighbours together, and how well it does.

    t-distributed stochastic neighbour embedding (van der Maaten & Hinton 2008), started from principal
    components. Distances between clusters and their sizes mean nothing. The second is the trustworthiness
    (Venna & Kaski 2001): 1 where all points that are near in the map are near in `values [n, d]`, about ½
    by chance.

    Raises:
        DataError: fewer than 12 points.
    """
    x = np.asarray(values, np.float64)
    if len(x) <= KEPT + 1:
        raise DataError(f"a map of neighbours takes {KEPT + 2} points or more, got {len(x)}")
    perplexity = min(PERPLEXITY, (len(x) - 1) / 3)
    init = "pca" if x.shape[1] > 1 else "random"
    with threadpool_limits(1):  # threads that wait for each other on a busy machine take minutes for seconds
        found = TSNE(2, perplexity=perplexity, init=init, random_state=seed).fit_transform(x)
    kept = trustworthiness(x, found, n_neighbors=min(KEPT, (len(x) - 1) // 2))
    return np.asarray(found, np.float64), float(kept)
