"""Equivariant decoders beside linear ones and rebuilds from local frames, and the way back from a
simulation.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from zoo import keys
from zoo.analysis.structures import sanity
from zoo.bench.coarse_graining.cells import mean_cell, number
from zoo.bench.suite import Row, Table
from zoo.data.catalog import open_dataset
from zoo.verbs.compare import Record
from zoo.verbs.decoding import decode_dataset

#: Few and large frames: small batches, a small network.
LARGE: dict[str, Any] = {"train.batch_size": 4, "model.hidden_channels": 24}
#: System, label, map and other settings, epochs and with `--quick`.
MAPS: tuple[tuple[str, str, dict[str, Any], int, int], ...] = (
    ("alanine-dipeptide", "3-beads", {"model.map": "segments", "model.beads": 3}, 12, 1),
    ("alanine-dipeptide", "backbone", {"model.map": "backbone"}, 12, 1),
    ("alanine-dipeptide", "8-beads", {"model.map": "segments", "model.beads": 8}, 12, 1),
    ("insulin", "calpha", {"model.map": "calpha", **LARGE}, 60, 2),
    ("insulin", "residue", {"model.map": "residue", **LARGE}, 60, 2),
    ("insulin", "26-beads", {"model.map": "segments", "model.beads": 26, **LARGE}, 60, 2),
    ("insulin", "13-beads", {"model.map": "segments", "model.beads": 13, **LARGE}, 60, 2),
)
HEADER = (
    "SYSTEM", "MAP", "METHOD", "RMSD Å", "HEAVY ATOMS", "FROM BEADS ALONE", "HEAVY ATOMS", "WRONG BONDS %",
    "CLASHES", "INVERTED CENTRES", "SPREAD OF DRAWS Å",
)  # fmt: skip
BACK_HEADER = ("STRUCTURES", "WRONG BONDS %", "WRONG EDGES %", "CLASHES", "INVERTED CENTRES")


def rows(quick: bool) -> tuple[Row, ...]:
    """A row for each system and map."""
    return tuple(
        Row("cg-vae", name, "reconstruction", {**own, "train.epochs": short if quick else long}, label)
        for name, label, own, long, short in MAPS
    )


def table(records: Sequence[Record]) -> Table:
    """For each map a line of the model and one of each baseline that has the same map."""
    lines = []
    for name, label, own, *_ in MAPS:
        mine = [r for r in records if r["model"] == "cg-vae" and r["row"].endswith(f"-{label}")]
        mine = [r for r in mine if r["dataset"] == name]
        if not mine or mine[0]["error"]:
            continue
        lines.append((name, label, "cg-vae", *_cells(mine[0]["metrics"])))
        linear = "segment-map" if own["model.map"] == "segments" else "chemical-map"
        for baseline, what in ((linear, "linear, least squares"), ("frame-rebuild", "rebuild, local frames")):
            found = mine[0]["baselines"].get(baseline)
            if found is not None:
                lines.append((name, label, what, *_cells(found)))
    note = (
        "Test split, superposed. RMSD of cg-vae with the latent of the structure itself; from beads alone: "
        "with the latent that the beads make most likely (linear decoders and rebuilds have but one "
        "structure). Bonds, clashes and centres: of structures drawn from the beads, three for each frame. "
        "Clashes: pairs a structure. Insulin is stored without hydrogens"
    )
    return Table("Decoders", HEADER, lines, note)


def _cells(metrics: dict[str, Any]) -> tuple[str, ...]:
    record = [{"metrics": metrics}]

    def cell(key: str, factor: float = 1.0) -> str:
        return mean_cell(record, key, factor=factor)

    heavy = "rmsd_heavy" if "rmsd_heavy" in metrics else "rmsd"
    alone = "decode_" if "decode_rmsd" in metrics else ""
    return (
        cell("rmsd"), cell(heavy), cell(f"{alone}rmsd"), cell(f"{alone}{heavy}"),
        cell("bond_errors", 100), cell("clashes"), cell("inverted_centers"), cell("diversity"),
    )  # fmt: skip


def way_back(simulated: Path, decoder: Path, out: Path, system: str) -> tuple[Record, Table]:
    """Decode the frames of a simulation and see whether they are sound.

    Args:
        simulated: run of a potential that was simulated.
        decoder: run of cg-vae with the same map.
        out: folder of the decoded dataset, made where it is not there.
        system: dataset of the atoms.
    """
    if not out.is_dir():
        decode_dataset(simulated, decoder, out, draws=1)
    atoms, decoded = open_dataset(system), open_dataset(out)
    reference = atoms.split("test").array(keys.POSITIONS).astype(np.float64)
    lines, metrics = [], {}
    for what, data in (("atoms, test split", None), ("decoded from the simulation", decoded)):
        x = reference if data is None else data.array(keys.POSITIONS).astype(np.float64)
        found = {name: float(v.mean()) for name, v in sanity(x, reference, atoms.system).items()}
        share = {"bond_errors", "graph_errors"}
        lines.append((
            what,
            *(
                number((100 if key in share else 1) * found[key]) if key in found else "–"
                for key in ("bond_errors", "graph_errors", "clashes", "inverted_centers")
            ),
        ))  # fmt: skip
        if data is not None:
            metrics = {key: {"value": value, "unit": "1"} for key, value in found.items()}
    record: Record = {
        "row": f"way-back-{system}", "model": "cg-vae", "dataset": f"{system}/decoded", "seed": 0,
        "metrics": metrics, "error": None,
    }  # fmt: skip
    note = f"{len(decoded):,} frames of the simulated beads, one structure drawn for each"
    return record, Table("Back to atoms", BACK_HEADER, lines, note)
