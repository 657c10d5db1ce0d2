"""The Ramachandran plane of a dataset: barriers, and the weights of the basins."""

from __future__ import annotations

from typing import Any

import numpy as np

from zoo import keys
from zoo.analysis.averages import SIGMAS, mean_and_error
from zoo.data.catalog import open_dataset
from zoo.data.dataset import Dataset
from zoo.data.entry import Check
from zoo.data.splits import SPLITS
from zoo.datasets.alanine_dipeptide.basins import NAMES, PUBLISHED_FRAMES, REFERENCE, basins
from zoo.datasets.alanine_dipeptide.molecule import dihedrals
from zoo.errors import DataError

FLOWS = "data-free flows of several kinds, reweighted"
FRAMES = "1,000 published MD frames: a weak reference, correlated"


def all_checks(dataset: Dataset, positions: np.ndarray, run: np.ndarray, variant: str | None) -> list[Check]:
    """The barrier at φ = 0, then what is known of the populations of this variant."""
    phi, psi = dihedrals(positions)
    barrier = float((np.abs(phi) < np.radians(15)).mean())
    checks = [
        Check("frames with |φ| < 15°", "< 0.01", "free-energy barrier at φ = 0", barrier, ok=barrier < 0.01)
    ]
    if variant == "replica-exchange":
        return checks + exchange_checks(dataset, phi, psi, run)
    for split in [s for s in SPLITS if s in dataset.manifest.splits]:
        share = float((phi[dataset.split(split).index] > 0).mean())
        source = "both signs of φ can be learnt and tested"
        # An imported trajectory may be too short to have visited φ > 0: that is no fault of its frames.
        ours = "starts" in dataset.manifest.provenance
        ok = True if 0 < share < 1 else False if ours else None
        aside = "" if ok else "frames of one sign alone: models see nothing of the other"
        checks.append(
            Check(f"share of φ > 0 in {split}", "between 0 and 1", source, share, ok=ok, note=aside)
        )
    note = "not compared: the runs started in chosen basins and are too short to forget it"
    for name, member in basins(phi, psi).items():
        share, error = mean_and_error(member, run)
        known = REFERENCE.get(name) if variant is None and dataset.temperature == 300 else None
        expected, source = (f"{known[0]:g}", FLOWS) if known else ("no reference", "for information")
        checks.append(Check(f"population of {name}", expected, source, share, error=error, note=note))
    return checks


def exchange_checks(dataset: Dataset, phi: np.ndarray, psi: np.ndarray, run: np.ndarray) -> list[Check]:
    """Weights of the basins of a replica exchange against other methods, and within itself."""
    statistics = dataset.manifest.provenance.get("statistics")
    if not statistics:
        note = "the manifest has no statistics of the run that made it"
        return [Check("population of φ>0", "0.0032", FLOWS, None, note=note)]
    found = statistics["populations"]
    checks = _against_others(dataset, found) + _within(statistics)
    for name, member in basins(phi, psi).items():
        # of frames with trans bonds there; cis, some 0.1 %, does not show in so few frames
        value, error = mean_and_error(member, run)
        whole, spread = found[name]["mbar"]
        slack = SIGMAS * np.hypot(error, spread) + 1 / len(run)
        text = f"{whole:.4g} ± {spread:.2g}"
        source = "all temperatures of the whole run (MBAR)"
        ok = abs(value - whole) < slack
        checks.append(Check(f"population of {name} in the stored frames", text, source, value, "", error, ok))
    return checks + _energies(dataset, phi, psi, run)


def _against_others(dataset: Dataset, found: dict[str, Any]) -> list[Check]:
    checks = []
    comparable = dataset.temperature == 300
    for table, source in ((REFERENCE, FLOWS), (PUBLISHED_FRAMES, FRAMES)):
        for name, (expected, uncertainty) in table.items():
            value, error = found[name]["mbar"]
            ok = bool(abs(value - expected) < SIGMAS * np.hypot(error, uncertainty)) if comparable else None
            note = "" if comparable else "the reference is of 300 K"
            text = f"{expected:g} ± {uncertainty:g}"
            checks.append(Check(f"population of {name}", text, source, value, "", error, ok, note))
    md = _plain_populations() if comparable else {}
    for name, (expected, uncertainty) in md.items():
        value, error = found[name]["mbar"]
        ok = abs(value - expected) < SIGMAS * np.hypot(error, uncertainty)
        text, source = (
            f"{expected:.3f} ± {uncertainty:.3f}",
            "plain MD by OpenMM: runs at φ < 0, second halves",
        )
        checks.append(Check(f"population of {name}", text, source, value, "", error, ok))
    return checks


def _within(statistics: dict[str, Any]) -> list[Check]:
    """Agreement of what must not matter: starts, halves, and the temperatures that are averaged over."""
    checks = []
    found, starts = statistics["populations"], statistics["populations_of_starts"]
    halves = statistics["populations_of_halves"]
    pairs = (
        ("φ>0 of ensembles that started at φ > 0", starts["φ > 0"]["mbar"], starts["φ < 0"]["mbar"],
         "those that started at φ < 0"),
        ("φ>0 in the second half", halves[1]["mbar"], halves[0]["mbar"], "the first half"),
        ("φ>0 by counting at the lowest temperature", found["φ>0"]["direct"], found["φ>0"]["mbar"],
         "all temperatures (MBAR)"),
    )  # fmt: skip
    for name, (value, error), (other, uncertainty), source in pairs:
        ok = abs(value - other) < SIGMAS * np.hypot(error, uncertainty)
        text = f"{other:.4g} ± {uncertainty:.2g}"
        checks.append(Check(f"population of {name}", text, source, value, "", error, ok))
    accepted = statistics["exchanges_accepted"]
    low = min(accepted)
    checks.append(
        Check(
            "exchanges accepted, least of all pairs", "> 0.1", "walkers must get through", low, ok=low > 0.1
        )
    )
    trips = statistics["round_trips"] / statistics["ensembles"]
    checks.append(
        Check(
            "round trips between the temperatures, per ensemble",
            "> 4",
            "each brings an independent configuration",
            trips,
            ok=trips > 4,
        )
    )
    value, error = np.sum([found[f"cis {i}"]["mbar"] for i in (1, 2)], 0)
    note = "ω is free; cis comes about at the high temperatures and is not yet at equilibrium: a lower bound"
    source = "estimate from 17 to 19 kJ/mol"
    checks.append(Check("share of cis peptide bonds", "about 0.002", source, value, "", error, None, note))
    return checks


def _energies(dataset: Dataset, phi: np.ndarray, psi: np.ndarray, run: np.ndarray) -> list[Check]:
    """Mean energy within each basin beside that of plain MD by OpenMM: independent of the weights."""
    try:
        other = open_dataset("alanine-dipeptide")
    except DataError:
        return []
    if keys.ENERGIES not in dataset.arrays or dataset.temperature != other.temperature:
        return []
    mine = basins(phi, psi)
    theirs = basins(*dihedrals(np.asarray(other.array(keys.POSITIONS), np.float64)))
    checks = []
    for name in NAMES:
        here, there = mine[name], theirs[name]
        if min(here.sum(), there.sum()) < 30:
            continue
        value, error = mean_and_error(dataset.array(keys.ENERGIES)[here], run[here])
        expected, uncertainty = mean_and_error(
            other.array(keys.ENERGIES)[there], other.array(keys.RUN)[there]
        )
        ok = abs(value - expected) < SIGMAS * np.hypot(error, uncertainty)
        text = f"{expected:.4f} ± {uncertainty:.4f}"
        checks.append(Check(f"mean energy in {name}", text, "plain MD by OpenMM", value, "eV", error, ok))
    return checks


def _plain_populations() -> dict[str, tuple[float, float]]:
    """Populations at φ < 0 in the packaged plain MD, with errors between its runs.

    Only the runs that started at φ < 0, and their second halves: 80 ps after the start αR and C7eq
    have forgotten it.
    """
    try:
        dataset = open_dataset("alanine-dipeptide")
    except DataError:
        return {}
    run = np.asarray(dataset.array(keys.RUN))
    time = np.asarray(dataset.array(keys.TIME))
    phi, psi = dihedrals(np.asarray(dataset.array(keys.POSITIONS), np.float64))
    chosen = (run % 2 == 0) & (time > np.median(time)) & (phi < 0)
    member = basins(phi[chosen], psi[chosen])
    return {name: mean_and_error(member[name], run[chosen]) for name in ("αR", "C7eq", "C5/PII")}
