"""From the lines of a file to whole chains of amino acids: every choice is made here, and noted."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby, pairwise
from pathlib import Path

import numpy as np
from scipy.spatial import cKDTree

from zoo.datasets.protein.records import Record
from zoo.datasets.protein.residues import AMINO_ACIDS, PARENTS, VARIANTS, WATER
from zoo.errors import DataError

#: Å. A peptide bond has 1.33; further apart than this, residues are missing between.
LONGEST_PEPTIDE_BOND = 2.0
#: Å. Each atom has another one of its residue nearer than this, even where one between is missing.
LONELY = 3.0
#: Å. Two atoms nearer than this are one atom twice, or no coordinates at all.
COINCIDENT = 0.5


@dataclass(frozen=True)
class Residue:
    """One amino acid: heavy atoms by name, positions in Å; `variant` where the file names one."""

    name: str
    place: str
    chain: str
    number: int
    insertion: str
    atoms: dict[str, Record]
    variant: str | None = None


@dataclass(frozen=True)
class Chains:
    """Chains of residues, and notes on what was left out or chosen."""

    chains: list[list[Residue]]
    notes: list[str]


def select_chains(
    records: Sequence[Record],
    path: Path,
    *,
    model: int | None = None,
    chains: Sequence[str] | None = None,
    others: str = "drop",
) -> Chains:
    """Choose what is simulated of a file's atoms.

    Args:
        records: of `read_records`.
        path: for messages.
        model: which one, where the file has several.
        chains: names of the chains to keep; None: all of the protein.
        others: "drop" or "refuse" waters, ions and ligands.

    Raises:
        DataError: several models and none chosen; no protein; residues that are modified, unknown
            or without backbone; a gap in a chain; atoms that are twice there.
    """
    notes: list[str] = []
    records = _one_model(records, path, model)
    _check_chain_names(records, path, chains)
    records = [r for r in records if chains is None or r.chain in chains]
    records, foreign = _split_off_others(records, path)
    if foreign:
        listed = ", ".join(f"{n} {name}" for name, n in sorted(foreign.items()))
        if others == "refuse":
            raise DataError(f"{path} holds other molecules ({listed}); --set others=drop leaves them out")
        notes.append(f"left out: {listed}")
    heavy = [r for r in records if r.element not in ("H", "D")]
    if len(heavy) < len(records):
        notes.append(f"{len(records) - len(heavy)} hydrogens of the file replaced by rebuilt ones")
    built: list[list[Residue]] = []
    alternates = 0
    for _, segment in groupby(heavy, key=lambda r: (r.segment, r.chain)):
        residues = []
        for _, group in groupby(segment, key=lambda r: (r.number, r.insertion)):
            members = list(group)
            alternates += any(r.alternate for r in members)
            residues.append(_residue(_one_location(members), path))
        _check_gaps(residues, path)
        built.append(residues)
    if not built:
        raise DataError(f"{path} holds no protein, only other molecules (HETATM)")
    if alternates:
        notes.append(f"alternate locations of {alternates} residues: the one of highest occupancy")
    _check_distances(built, path)
    return Chains(built, notes)


def _one_model(records: Sequence[Record], path: Path, model: int | None) -> list[Record]:
    models = sorted({r.model for r in records})
    if model is None and len(models) > 1:
        raise DataError(f"{path} holds {len(models)} models; choose one: --set model={models[0]}")
    if model is not None and model not in models:
        raise DataError(f"{path} has no model {model}, only {models[0]} to {models[-1]}")
    return [r for r in records if model in (None, r.model)]


def _check_chain_names(records: Sequence[Record], path: Path, chains: Sequence[str] | None) -> None:
    known = sorted({r.chain for r in records})
    missing = [c for c in chains or () if c not in known]
    if missing:
        raise DataError(f"{path} has no chain {missing[0]!r}, only {', '.join(map(repr, known))}")


def _split_off_others(records: Sequence[Record], path: Path) -> tuple[list[Record], Counter[str]]:
    """Part the protein from waters, ions and ligands; refuse amino acids that have no parameters."""
    protein: list[Record] = []
    foreign: Counter[str] = Counter()
    for _, group in groupby(records, key=lambda r: (r.segment, r.chain, r.number, r.insertion, r.residue)):
        members = list(group)
        first = members[0]
        names = {r.name for r in members}
        if first.residue in AMINO_ACIDS or first.residue in VARIANTS:
            protein += members
        elif first.residue in WATER or (first.hetero and not {"N", "CA", "C"} <= names):
            foreign[first.residue] += 1
        else:
            parent = PARENTS.get(first.residue)
            hint = f"; model it as {parent} first" if parent else ""
            raise DataError(
                f"{path}: residue {first.residue} at {first.place} is none of the twenty amino acids "
                f"that amber99sb-ildn knows{hint}"
            )
    return protein, foreign


def _one_location(members: list[Record]) -> list[Record]:
    """Keep the alternate location of highest occupancy, for the residue as a whole."""
    weight: Counter[str] = Counter()
    for record in members:
        if record.alternate:
            weight[record.alternate] += record.occupancy  # type: ignore[assignment]
    if not weight:
        return members
    best = min(weight, key=lambda label: (-weight[label], label))
    chosen = {r.name: r for r in members if r.alternate in ("", best)}
    residue = next((r.residue for r in members if r.alternate == best), members[0].residue)
    for record in sorted(members, key=lambda r: (-r.occupancy, r.alternate)):
        if record.residue == residue:  # an atom that the best location lacks
            chosen.setdefault(record.name, record)
    return [r for r in members if chosen.get(r.name) is r]


def _residue(members: list[Record], path: Path) -> Residue:
    first = members[0]
    names = {r.residue for r in members}
    if len(names) > 1:
        raise DataError(f"{path}: residue {first.place} has two names, {' and '.join(sorted(names))}")
    atoms: dict[str, Record] = {}
    for record in members:
        if record.name in atoms:
            raise DataError(f"{path}: atom {record.name} of {first.residue} {first.place} is there twice")
        atoms[record.name] = record
    missing = [name for name in ("N", "CA", "C") if name not in atoms]
    if missing:
        raise DataError(
            f"{path}: {first.residue} {first.place} has no backbone atom {', '.join(missing)}; "
            "side chains can be completed, backbones cannot: get a complete file"
        )
    _check_together(atoms, first, path)
    name, variant = VARIANTS.get(first.residue, (first.residue, None))
    return Residue(name, first.place, first.chain, first.number, first.insertion, atoms, variant)


def _check_together(atoms: dict[str, Record], first: Record, path: Path) -> None:
    points = np.array([a.position for a in atoms.values()])
    nearest = cKDTree(points).query(points, k=2)[0][:, 1]
    if nearest.max() > LONELY:
        lost = list(atoms)[int(nearest.argmax())]
        raise DataError(
            f"{path}: atom {lost} of {first.residue} {first.place} is {nearest.max():.1f} Å from all others "
            "of its residue; get a sound file"
        )


def _check_gaps(residues: list[Residue], path: Path) -> None:
    for before, after in pairwise(residues):
        gap = float(np.linalg.norm(np.subtract(before.atoms["C"].position, after.atoms["N"].position)))
        if gap > LONGEST_PEPTIDE_BOND:
            raise DataError(
                f"{path}: residues are missing between {before.name} {before.place} and {after.name} "
                f"{after.place} (C–N {gap:.1f} Å). Model them first, or put a TER line between two chains"
            )


def _check_distances(chains: list[list[Residue]], path: Path) -> None:
    atoms = [
        (f"{a.name} of {r.name} {r.place}", a) for chain in chains for r in chain for a in r.atoms.values()
    ]
    pairs = cKDTree([a.position for _, a in atoms]).query_pairs(COINCIDENT)
    if pairs:
        i, j = min(pairs)
        raise DataError(f"{path}: {atoms[i][0]} and {atoms[j][0]} are in the same place; get a sound file")
