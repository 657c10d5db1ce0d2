"""Weights of the basins of a peptide: whether starts, halves, temperatures and stored frames agree."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from zoo.analysis.averages import SIGMAS, mean_and_error
from zoo.data.dataset import Dataset
from zoo.data.entry import Check
from zoo.datasets.peptide.basins import codes, members, watched
from zoo.datasets.peptide.sequence import Peptide
from zoo.physics.torsions import torsions

#: Standard errors by which the furthest of some ten shares may be off; those of ten ensembles are
#: themselves known to a quarter.
FURTHEST = SIGMAS + 1
#: Shares whose relative error in the whole run is larger are told, not judged: their errors mean little.
UNCERTAIN = 0.35

Shares = Mapping[str, Mapping[str, list[float]]]


def weights(dataset: Dataset, molecule: Peptide, positions: np.ndarray, run: np.ndarray) -> Iterator[Check]:
    """Compare the shares of all basins with each other, then list them."""
    found = dataset.manifest.provenance.get("statistics")
    if not found:
        note = "the manifest has no statistics of the run that made it"
        yield Check("shares of the basins", "those of the whole run", "replica exchange", None, note=note)
        return
    whole: Shares = found["populations"]
    known = [n for n, s in whole.items() if s["mbar"][0] > 0 and s["mbar"][1] < UNCERTAIN * s["mbar"][0]]
    left, right = found["populations_of_starts"].values()
    first, second = found["populations_of_halves"]
    yield _furthest(
        "ensembles that started at φ > 0", "those that started at φ < 0", known, right, left, "mbar", "mbar"
    )
    yield _furthest("the second half", "the first half", known, second, first, "mbar", "mbar")
    yield _furthest(
        "the lowest temperature", "all temperatures (MBAR)", known, whole, whole, "direct", "mbar"
    )
    yield from _travel(found)
    yield _furthest(
        "the stored frames", "the whole run (MBAR)", known,
        _stored(molecule, positions, run), whole, "direct", "mbar",
    )  # fmt: skip
    for name, share in whole.items():
        value, error = share["mbar"]
        note = "" if name in known else "seen too seldom for its error to be trusted"
        yield Check(f"share of {name}", "no reference", "for information", value, "", error, None, note)


def _furthest(what: str, other: str, names: list[str], a: Shares, b: Shares, way_a: str, way_b: str) -> Check:
    """The state whose two shares differ most in units of their errors."""
    pulls = {}
    for name in names:
        (x, dx), (y, dy) = a[name][way_a], b[name][way_b]
        # a state that one part never saw has no error of its own there
        pulls[name] = abs(x - y) / np.hypot(dx or dy, dy or dx)
    worst = max(pulls, key=lambda name: pulls[name])
    (x, dx), (y, dy) = a[worst][way_a], b[worst][way_b]
    return Check(
        f"shares of {len(names)} states in {what}, furthest from {other}",
        f"< {FURTHEST:g}",
        "standard errors between independent ensembles",
        pulls[worst],
        "σ",
        ok=pulls[worst] < FURTHEST,
        note=f"{worst}: {x:.3g} ± {dx:.1g} and {y:.3g} ± {dy:.1g}",
    )


def _travel(found: Mapping[str, Any]) -> Iterator[Check]:
    accepted = min(found["exchanges_accepted"])
    yield Check(
        "exchanges accepted, least of all pairs",
        "> 0.1",
        "walkers must get through",
        accepted,
        ok=accepted > 0.1,
    )
    trips = found["round_trips"] / found["ensembles"]
    yield Check(
        "round trips between the temperatures, per ensemble",
        "> 1",
        "each brings an independent configuration, to which turns about bonds add theirs",
        trips,
        ok=trips > 1,
    )
    if "pivots_accepted" in found:
        turned = found["pivots_accepted"][0]
        source = "each changes a torsion that dynamics is slow to change"
        yield Check(
            "turns about bonds accepted at the lowest temperature", "> 0.01", source, turned, ok=turned > 0.01
        )


def _stored(molecule: Peptide, positions: np.ndarray, run: np.ndarray) -> Shares:
    """Shares in the stored frames, with errors between ensembles, never below that of one frame."""
    torsion = torsions(positions, np.array(watched(molecule)["torsions"]))
    state = members(molecule, codes(torsion, len(molecule.sequence)))
    shares = {}
    for name, (member, among) in state.items():
        value, error = mean_and_error(member[among], run[among])
        shares[name] = {"direct": [value, float(np.hypot(error, 1 / len(run)))]}
    return shares
