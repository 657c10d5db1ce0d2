"""Clusters of conformations with populations, a frame that stands for each, and how they are spread."""

from __future__ import annotations

import numpy as np

from zoo.analysis.basins import Members, molecular_basins, pair_basins
from zoo.analysis.block_shares import populations_of, state_counts
from zoo.analysis.clusters import assigned, density_clusters, k_means, representatives
from zoo.analysis.peptides import named_torsions
from zoo.physics.torsions import torsions
from zoo.physics.toys import DoubleWells
from zoo.tasks.metrics import metric
from zoo.verbs.inside.conformations.found import Found
from zoo.verbs.inside.conformations.sample import Sample

#: Points of a map, and coordinates of structures in the record, at most.
POINTS, NUMBERS = 2500, 60_000


def clusters(found: Found) -> None:
    """k-means cells of reference and subject, and the subject's own islands of density."""
    space, own, other, record = found.space, found.own, found.other, found.record
    if space is None:
        found.leave_out("clusters", "nothing varies")
        return
    points = space.weighed(space.own)
    base = points if space.other is None else space.weighed(space.other)
    labels, centers = k_means(base, found.options.clusters, found.seed)
    mine = labels if space.other is None else assigned(points, centers)
    record.facts["space"] = {
        "kind": space.kind, "names": space.names, "fitted": space.fitted, "features": space.features,
        "lag": None if space.kind == "PCA" or own.spacing is None else space.lag * own.spacing,
    }  # fmt: skip
    _populations(found, "cluster", mine, own, len(centers))
    if other is not None:
        _populations(found, "reference_cluster", labels, other, len(centers))
    found.states["cluster"] = (mine, None if other is None else labels)
    islands = density_clusters(points)
    record.numbers["clusters"] = metric(islands.max() + 1, "1")
    record.numbers["between_clusters"] = metric(float((islands < 0).mean()), "1")
    if islands.max() >= 0:
        _populations(found, "island", islands, own, int(islands.max()) + 1)
    _map(found, mine, islands)
    _structures(found, points, mine, islands)


def _populations(found: Found, name: str, labels: np.ndarray, sample: Sample, number: int) -> None:
    counts = state_counts(labels, sample.blocks, number, sample.weights)
    shares = populations_of(np.concatenate([counts, _rest(labels, sample)], axis=1))[:number]
    found.record.arrays[f"{name}_share"] = np.array([p.share for p in shares])
    found.record.arrays[f"{name}_error"] = np.array([p.error for p in shares])


def _rest(labels: np.ndarray, sample: Sample) -> np.ndarray:
    """Frames of no cluster in each block, `[blocks, 1]`."""
    return state_counts(np.where(labels < 0, 0, -1), sample.blocks, 1, sample.weights)


def _map(found: Found, mine: np.ndarray, islands: np.ndarray) -> None:
    """Points of the map with what they are coloured by."""
    space, record = found.space, found.record
    assert space is not None
    picked = _spread(len(found.own), POINTS)
    record.arrays["map"] = space.own[picked, :2].astype(np.float32)
    if space.other is not None:
        record.arrays["reference_map"] = space.other[_spread(len(space.other), POINTS), :2].astype(np.float32)
    record.arrays["map_cluster"] = mine[picked].astype(np.int16)
    record.arrays["map_island"] = islands[picked].astype(np.int16)
    wanted = [q for q in found.quantities if q.torsion and q.name[-1] == "φ"][:1]
    wanted += [q for q in (found.named("Rg"),) if q is not None]
    names = []
    for k, q in enumerate(wanted):
        record.arrays[f"map_color_{k}"] = q.own[picked, 0].astype(np.float32)
        names.append({"name": q.name, "unit": q.unit, "torsion": q.torsion})
    record.facts["map_colors"] = names


def _structures(found: Found, points: np.ndarray, mine: np.ndarray, islands: np.ndarray) -> None:
    """A frame of the subject for each cluster that it is in, the one nearest to the cluster's mean."""
    record, own = found.record, found.own
    most = max(1, NUMBERS // (3 * own.system.num_particles))
    present, labels = np.unique(mine, return_inverse=True)
    frames = representatives(points, labels)
    order = np.argsort(-record.arrays["cluster_share"][present], kind="stable")[:most]
    record.arrays["structures"] = own.positions[frames[order]].astype(np.float32)
    record.arrays["structure_cluster"] = present[order]
    record.arrays["structure_frame"] = frames[order]
    record.facts["elements"] = own.system.elements.tolist()
    record.facts["bonds"] = own.system.bonds.tolist()
    if islands.max() >= 0:
        record.arrays["island_frame"] = representatives(points, islands)


def basins(found: Found) -> None:
    """Membership of named basins: of peptides by their torsions, of double wells by their pairs."""
    mine = members(found.own)
    other = None if found.other is None else members(found.other)
    for name, member in mine.items():
        theirs = None if other is None else np.where(other[name], 0, -1)
        found.states[name] = (np.where(member, 0, -1), theirs)


def members(sample: Sample) -> Members:
    """Return `[frames]` membership of each named basin; empty where there are none."""
    named = named_torsions(sample.system)
    if named:
        angles = torsions(sample.positions.astype(np.float64), np.array(list(named.values())))
        return molecular_basins(list(named), angles)
    if sample.system.parameters.get("potential") == DoubleWells.formula:
        return pair_basins(sample.positions)
    return {}


def _spread(n: int, most: int) -> np.ndarray:
    return np.unique(np.linspace(0, n - 1, min(n, most)).round().astype(int))
