"""Clusters of conformations in a few coordinates, and one frame that stands for each.

k-means cuts all of space into cells; HDBSCAN finds islands of high density and leaves the rest alone
(R. J. G. B. Campello, D. Moulavi, J. Sander, PAKDD 2013, 160). Both by scikit-learn.
"""

from __future__ import annotations

import numpy as np

#: Points that HDBSCAN looks at; others get the label of the nearest of them.
MOST = 6000


def k_means(points: np.ndarray, clusters: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Return the cluster of each point `[n]`, the largest first, and the centres `[clusters, d]`.

    Args:
        points: `[n, d]`; of fewer distinct points than clusters each is one.
        clusters: how many.
        seed: of the starts.
    """
    from sklearn.cluster import KMeans

    distinct = len(np.unique(points, axis=0))
    found = KMeans(min(clusters, distinct), n_init=4, random_state=seed).fit(points)
    order = np.argsort(-np.bincount(found.labels_), kind="stable")
    return np.argsort(order)[found.labels_], found.cluster_centers_[order]


def density_clusters(points: np.ndarray, least: float = 0.02) -> np.ndarray:
    """Return the island of each point `[n]`, the largest first; −1 between the islands.

    Args:
        points: `[n, d]`, equally spaced ones of which are looked at if there are very many.
        least: share of all points that an island has at least.
    """
    from sklearn.cluster import HDBSCAN
    from sklearn.neighbors import KNeighborsClassifier

    seen = np.unique(np.linspace(0, len(points) - 1, min(MOST, len(points))).round().astype(int))
    size = max(5, round(least * len(seen)))
    if len(seen) < 2 * size:
        return np.zeros(len(points), np.int64)
    labels = (
        HDBSCAN(min_cluster_size=size, min_samples=max(5, size // 4), copy=True).fit(points[seen]).labels_
    )
    if len(seen) < len(points):
        labels = KNeighborsClassifier(1).fit(points[seen], labels).predict(points)
    counts = np.bincount(labels[labels >= 0])
    rank = np.argsort(np.argsort(-counts, kind="stable"))
    return np.where(labels >= 0, np.append(rank, -1)[labels], -1)


def assigned(points: np.ndarray, centers: np.ndarray) -> np.ndarray:
    """Return the nearest centre `[n]` of each point `[n, d]`."""
    from scipy.spatial import cKDTree

    return np.asarray(cKDTree(centers).query(points)[1])


def representatives(points: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """Return the number of the point nearest to the mean of each cluster `[clusters]`; −1 is no cluster."""
    out = []
    for k in range(int(labels.max(initial=-1)) + 1):
        own = np.flatnonzero(labels == k)
        off = ((points[own] - points[own].mean(0)) ** 2).sum(1)
        out.append(own[off.argmin()])
    return np.array(out, np.int64)
