"""What a dataset of insulin is compared with: its crystal structure, PDB 4INS (2 Zn, pig, 1.5 Å)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from zoo import keys
from zoo.analysis.averages import mean_and_error
from zoo.analysis.proteins import contacts, helical, radius_of_gyration, superposed_rmsd
from zoo.data.dataset import Dataset
from zoo.data.entry import Check
from zoo.datasets.insulin.prepare import CRYSTAL, package_file
from zoo.datasets.protein.geometry import backbone_of

SOURCE = "PDB 4INS"
#: One-letter codes of chains A and B; B30 differs between species and is not compared.
SEQUENCE = "GIVEQCCTSICSLYQLENYCN" + "FVNQHLCGSHLVEALYLVCGERGFFYTPK"
#: Residue numbers counted from 0 through both chains: A1 is 0, B1 is 21.
CORE = np.r_[0:21, 23:49]
HELICES = {"A2–A8": np.r_[1:8], "A13–A18": np.r_[12:18], "B9–B19": np.r_[29:40]}
BRIDGES = {"A6–A11": (5, 10), "A7–B7": (6, 27), "A20–B19": (19, 39)}
CODES = {
    "ALA": "A", "ARG": "R", "ASN": "N", "ASP": "D", "CYS": "C", "GLN": "Q", "GLU": "E", "GLY": "G",
    "HIS": "H", "ILE": "I", "LEU": "L", "LYS": "K", "MET": "M", "PHE": "F", "PRO": "P", "SER": "S",
    "THR": "T", "TRP": "W", "TYR": "Y", "VAL": "V",
}  # fmt: skip


def insulin_checks(dataset: Dataset) -> list[Check]:
    """Compare with the crystal structure, wherever the atoms are those of insulin."""
    system = dataset.system
    if not (system.atom_names and len(system.residues) and len(system.chains)):
        return []  # said by the checks of any protein
    alpha = backbone_of(system).alpha
    found = "".join(CODES.get(system.residue_names[i], "?") for i in alpha)
    if len(alpha) != 51 or found[:50] != SEQUENCE:
        note = f"sequence {found[:60]} of {len(alpha)} residues: nothing was compared with the crystal"
        return [Check("sequence", "A and B chains of insulin", SOURCE, None, ok=False, note=note)]
    positions = np.asarray(dataset.array(keys.POSITIONS), np.float64)
    run = dataset.runs()
    return [
        *_fold(positions[:, alpha], run),
        *_bridges(dataset, positions),
        *_torsions(dataset, positions, run),
        _size(dataset, positions, run),
    ]


def _fold(alpha: np.ndarray, run: np.ndarray) -> Iterator[Check]:
    crystal = np.load(package_file(CRYSTAL), allow_pickle=False).astype(np.float64)
    for name, part, limit in (("helix B9–B19", HELICES["B9–B19"], 1.0), ("core A1–A21, B3–B28", CORE, 2.5)):
        rmsd = superposed_rmsd(alpha, crystal, part)
        mean, error = mean_and_error(rmsd, run)
        note = f"within the limit in {100 * (rmsd < limit).mean():.1f} % of frames; ends are free"
        yield Check(
            f"Cα RMSD of {name} from the crystal",
            f"< {limit:g}",
            SOURCE,
            mean,
            "Å",
            error,
            mean < limit,
            note,
        )
    pairs = np.array([(i, j) for i in range(51) for j in range(i + 3, 51)])
    native = pairs[contacts(crystal[None], 8.0, pairs)[0]]
    mean, error = mean_and_error(contacts(alpha, 8.0, native).mean(1), run)
    name = f"share of the crystal's {len(native)} Cα contacts (< 8 Å) that are kept"
    yield Check(name, "> 0.8", SOURCE, mean, "", error, mean > 0.8)


def _bridges(dataset: Dataset, positions: np.ndarray) -> Iterator[Check]:
    system = dataset.system
    sulfur = {
        int(r): i
        for i, (n, r) in enumerate(zip(system.atom_names, system.residues, strict=True))
        if n == "SG"
    }
    for name, (a, b) in BRIDGES.items():
        check = Check(f"S–S bond {name}", "2.03 ± 0.05", SOURCE, None, "Å")
        if not sulfur:
            yield replace(check, note="sulfur atoms are not stored")
            continue
        length = float(np.linalg.norm(positions[:, sulfur[a]] - positions[:, sulfur[b]], axis=-1).mean())
        yield replace(check, measured=length, ok=abs(length - 2.03) < 0.05)


def _torsions(dataset: Dataset, positions: np.ndarray, run: np.ndarray) -> Iterator[Check]:
    inside, residues = helical(positions, backbone_of(dataset.system))
    for name, members in HELICES.items():
        check = Check(f"α-helical share of {name}", "> 0.7", f"{SOURCE}: 1", None)
        chosen = np.isin(residues, members)
        if not chosen.any():
            yield replace(check, note="the backbone is not stored")
            continue
        mean, error = mean_and_error(inside[:, chosen].mean(1), run)
        # the B helix carries the fold; those of the A chain fray in solution
        judged = name.startswith("B")
        note = "" if judged else "not judged: the A chain's helices fray in solution"
        yield replace(check, measured=mean, error=error, ok=mean > 0.7 if judged else None, note=note)


def _size(dataset: Dataset, positions: np.ndarray, run: np.ndarray) -> Check:
    check = Check("radius of gyration of heavy atoms", "10.3 ± 0.7", f"{SOURCE}: 10.34", None, "Å")
    heavy = dataset.system.types != 1
    if "CB" not in dataset.system.atom_names:
        return replace(check, note="side chains are not stored")
    mean, error = mean_and_error(radius_of_gyration(positions[:, heavy]), run)
    return replace(check, measured=mean, error=error, ok=abs(mean - 10.3) < 0.7)
