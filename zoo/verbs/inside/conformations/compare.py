"""Histograms and free-energy surfaces with errors, beside the reference's."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

import numpy as np

from zoo.analysis.block_shares import shares
from zoo.analysis.free_energy import BINS, Grid, block_counts, compare, compared_bins, free_energy, grid
from zoo.analysis.peptides import torsion_planes
from zoo.analysis.visited import Visited, visited
from zoo.tasks.metrics import metric
from zoo.verbs.inside.conformations.found import Found, mean_of
from zoo.verbs.inside.conformations.quantities import Quantity, key_of
from zoo.verbs.inside.conformations.sample import Sample

#: Quantities and planes that are named one by one; of more, the furthest from the reference, or the first.
MOST, PLANES = 14, 6
#: Bins along each axis that are one place, of which is told whether it is visited.
MERGED = 2
#: A free energy with a larger error, kT, is not compared.
UNRESOLVED = 1.0


def histograms(found: Found) -> None:
    """Distributions of all quantities: `density_k`, `reference_density_k` with `…_error`, on `edges_k`."""
    record = found.record
    rows: list[dict[str, Any]] = []
    for k, q in enumerate(found.quantities):
        on = grid(_column(q, "both"), [q.period])
        edges = np.linspace(on.low[0], on.high[0], on.bins + 1)
        width = max(float(edges[1] - edges[0]), np.finfo(float).tiny)
        record.arrays[f"edges_{k}"] = edges
        row: dict[str, Any] = {"name": q.name, "key": q.key, "unit": q.unit, "torsion": q.torsion}
        sides = {"": (found.own, q.own), "reference_": (found.other, q.other)}
        counts = []
        for name, (sample, values) in sides.items():
            if sample is None or values is None:
                continue
            counts.append(_counts(sample, [values], on))
            # k numbers of a frame are not k independent frames
            share, error = shares(counts[-1] / values.shape[1])
            record.arrays[f"{name}density_{k}"] = share / width
            record.arrays[f"{name}density_error_{k}"] = error / width
            if not q.torsion:
                row[f"{name}mean"] = mean_of(values, sample)
        if len(counts) == 2:
            row["difference"] = asdict(compare(counts[1], counts[0], found.seed))
        rows.append(row)
    record.facts["quantities"] = rows
    _numbers(found, rows)


def _numbers(found: Found, rows: list[dict[str, Any]]) -> None:
    numbers = found.record.numbers
    for row in rows:
        plain = not row["torsion"] and row["name"] not in ("bonds", "pair distances")
        if plain and "–" not in row["name"] and not row["name"].startswith(("TIC", "PC")):
            for side in ("", "reference_"):
                if f"{side}mean" in row:
                    value, error = row[f"{side}mean"]
                    numbers[f"{side}{row['key']}"] = metric(value, row["unit"], error)
    compared = [row for row in rows if "difference" in row]
    if len(compared) > MOST:  # a protein has hundreds of torsions
        angles = [row for row in compared if row["torsion"]]
        worst = max(angles or compared, key=lambda row: row["difference"]["js"])
        numbers["js_torsions"] = metric(np.mean([r["difference"]["js"] for r in angles or compared]), "nats")
        found.record.facts["worst_torsion"] = worst["name"]
        compared = [*(row for row in compared if not row["torsion"] and row is not worst), worst]
    for row in compared:
        _js(found, row["key"], row["difference"])


def _js(found: Found, key: str, difference: dict[str, Any]) -> None:
    found.record.numbers[f"js_{key}"] = metric(difference["js"], "nats", difference["js_error"])
    found.record.numbers[f"js_{key}_floor"] = metric(difference["js_floor"], "nats")


def surfaces(found: Found) -> None:
    """Free energies of planes: `plane_k_…`, kT, NaN where a sample never is or cannot tell."""
    rows: list[dict[str, Any]] = []
    for title, parts in _planes(found).items():
        k = len(rows)
        row = _surface(found, title, parts, k)
        if k == 0 and "difference" in row and row["difference"]["bins"]:
            d = row["difference"]
            found.record.numbers["fes_rmsd"] = metric(d["rmsd"], "kT", d["rmsd_error"])
            found.record.numbers["fes_rmsd_floor"] = metric(d["rmsd_floor"], "kT")
        if "difference" in row and row["key"] not in ("slow", "wide"):
            _js(found, row["key"], row["difference"])
        rows.append(row)
    found.record.facts["planes"] = rows


def _planes(found: Found) -> dict[str, list[Quantity]]:
    """Ramachandran planes, first coordinates of the space, size and shape; the most telling first."""
    by_name = {q.name: q for q in found.quantities}
    names = list(by_name)
    planes = {
        residue or "φ ψ": [by_name[names[i]], by_name[names[j]]]
        for residue, (i, j) in torsion_planes(names).items()
    }
    if len(planes) >= PLANES:  # those that move most
        planes = dict(sorted(planes.items(), key=lambda item: -sum(map(_turning, item[1]))))
    space = found.space
    wide: dict[str, list[Quantity]] = {}
    if space is not None and len(space.names) > 1:
        title = "slow coordinates" if space.kind == "TICA" else "wide coordinates"
        wide[title] = [by_name[name] for name in space.names[:2]]
    # of many residues none stands for all
    planes = wide | planes if len(planes) != 1 else planes | wide
    if len(planes) < 2 and {"Rg", "asphericity"} <= by_name.keys():
        planes["size and shape"] = [by_name["Rg"], by_name["asphericity"]]
    return dict(list(planes.items())[:PLANES])


def _turning(q: Quantity) -> float:
    """Circular variance of an angle: 0 where it stays, 1 where it is anywhere."""
    return float(1 - np.abs(np.exp(1j * _column(q, "both")).mean()))


def _surface(found: Found, title: str, parts: Sequence[Quantity], k: int) -> dict[str, Any]:
    arrays = found.record.arrays
    on = grid(np.concatenate([_column(p, "both") for p in parts], 1), [p.period for p in parts], BINS[2])
    key = {"slow coordinates": "slow", "wide coordinates": "wide"}.get(title, key_of(title))
    row: dict[str, Any] = {
        "title": title, "key": key, "names": [p.name for p in parts], "units": [p.unit for p in parts],
        "periodic": [p.torsion for p in parts],
    }  # fmt: skip
    for axis, low, high in zip("xy", on.low, on.high, strict=True):
        arrays[f"plane_{k}_{axis}"] = np.linspace(low, high, on.bins + 1)
    counts = []
    for name, sample, side in (("", found.own, "own"), ("reference_", found.other, "other")):
        if sample is None:
            continue
        blocks = _counts(sample, [getattr(p, side) for p in parts], on)
        counts.append(blocks)
        share, error = shares(blocks)
        with np.errstate(divide="ignore", invalid="ignore"):
            relative = error / share
        free = np.where(share > 0, free_energy(blocks.sum(0)), np.nan)
        arrays[f"plane_{k}_{name}free"] = _square(free, on)
        arrays[f"plane_{k}_{name}error"] = _square(np.where(share > 0, relative, np.nan), on)
    if len(counts) == 2:
        row["difference"] = asdict(compare(counts[1], counts[0], found.seed))
        row |= _difference(found, counts[1], counts[0], on, k)
    return row


def _difference(found: Found, reference: np.ndarray, own: np.ndarray, on: Grid, k: int) -> dict[str, Any]:
    """Free energy of the subject less the reference's where both are resolved, and places never visited."""
    arrays = found.record.arrays
    p, q = reference.sum(0), own.sum(0)
    errors = [arrays[f"plane_{k}_{name}error"].T.ravel() for name in ("", "reference_")]
    known = compared_bins(p) & (np.nan_to_num(errors[1], nan=np.inf) < UNRESOLVED)
    gap = free_energy(q) - free_energy(p)
    # a free energy has no zero: the same mean
    gap -= np.average(gap, weights=known * p) if known.any() else 0.0
    seen = known & (np.nan_to_num(errors[0], nan=np.inf) < UNRESOLVED)
    arrays[f"plane_{k}_difference"] = _square(np.where(seen, gap, np.nan), on)
    arrays[f"plane_{k}_difference_error"] = _square(np.where(seen, np.hypot(*errors), np.nan), on)
    # four bins are one place: a few frames in each would say nothing of any
    coarse = [_coarse(blocks, on) for blocks in (reference, own)]
    places = visited(*coarse)
    codes = _codes(places, *(blocks.sum(0) for blocks in coarse)).reshape((on.bins // MERGED,) * 2).T
    arrays[f"plane_{k}_visited"] = codes.repeat(MERGED, 0).repeat(MERGED, 1)
    if k == 0:
        numbers = found.record.numbers
        numbers["unvisited"] = metric(places.share, "1")
        numbers["outside"] = metric(places.outside, "1", places.outside_error)
        numbers["outside_floor"] = metric(places.outside_floor, "1")
    return {
        "unvisited": places.share, "unvisited_places": int(places.unvisited.sum()),
        "blind_places": int(places.blind.sum()), "outside": places.outside,
        "outside_error": places.outside_error, "outside_floor": places.outside_floor,
    }  # fmt: skip


def _coarse(blocks: np.ndarray, on: Grid) -> np.ndarray:
    """Counts `[blocks, bins²]` of squares of bins, `[blocks, (bins/MERGED)²]`."""
    n = on.bins // MERGED
    return blocks.reshape(len(blocks), n, MERGED, n, MERGED).sum((2, 4)).reshape(len(blocks), -1)


def _codes(places: Visited, p: np.ndarray, q: np.ndarray) -> np.ndarray:
    """0 neither is there, 1 both, 2 the subject misses it, 3 too few frames to tell, 4 the subject alone."""
    return np.select(
        [places.unvisited, places.beyond, places.blind, (p > 0) | (q > 0)], [2, 4, 3, 1], 0
    ).astype(np.int8)


def _square(values: np.ndarray, on: Grid) -> np.ndarray:
    """Values `[bins²]` as rows of y and columns of x."""
    return values.reshape(on.bins, on.bins).T


def _column(q: Quantity, side: str) -> np.ndarray:
    parts = [q.own] if q.other is None or side == "own" else [q.own, q.other]
    return np.concatenate([p.reshape(-1, 1) for p in parts])


def _counts(sample: Sample, columns: Sequence[np.ndarray], on: Grid) -> np.ndarray:
    """Block counts of quantities `[frames, k]`: of k like numbers each is a value of its own."""
    k = columns[0].shape[1]
    stacked = np.stack([c.reshape(-1) for c in columns], axis=1)
    weights = None if sample.weights is None else np.repeat(sample.weights, k)
    return block_counts(stacked, np.repeat(sample.blocks, k), on, weights)
