"""`zoo data make|import|fetch|map|decode|export|check`: datasets."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from zoo.cli.options import Out, Set
from zoo.cli.output import Json, emit, note, table

app = typer.Typer(
    no_args_is_help=True, add_completion=False, help="Datasets: make, import, map, decode, export, check."
)


@app.command()
def make(
    name: Annotated[str, typer.Argument(help="Entry, or entry/variant.")],
    out: Out = None,
    frames: Annotated[int | None, typer.Option(help="Number of frames.")] = None,
    seed: Annotated[int, typer.Option(help="Of everything random.")] = 0,
    set: Set = None,
) -> None:
    """Simulate a dataset. Killed, it continues when the same command is given again."""
    from zoo.config import parse_assignments
    from zoo.verbs.data import describe, make_dataset

    folder = make_dataset(name, out, frames=frames, seed=seed, settings=parse_assignments(set or []))
    print(describe(folder))


@app.command("import")
def import_(
    name: Annotated[str, typer.Argument(help="An entry's name, or any new label.")],
    paths: Annotated[list[Path], typer.Argument(help="Files, or folders of them.")],
    format: Annotated[str | None, typer.Option(help="Found by content if not given.")] = None,
    out: Out = None,
    set: Set = None,
) -> None:
    """Read files of a public format into a dataset folder.

    Formats: xtc, trr, dcd, pdb, hdf5, extxyz, ase-traj, openmm-state,
    lammps-dump, lammps-data, npz, npy; published sets: mdshare,
    glassbench, botan, deepmind.

    What the files do not tell is said with --set: topology=FILE (atoms,
    bonds), select=protein, units=…, stride=N, temperature=T, timestep=T,
    runs=files (each file is an independent run), periodic=false (open
    space). A wrong option names those that the format has.
    """
    from zoo.config import parse_assignments
    from zoo.verbs.data import describe
    from zoo.verbs.importing import import_dataset, notes

    options = parse_assignments(set or [])
    folder = import_dataset(name, paths, out, format=format, options=options)
    print(describe(folder))
    for text in notes(folder):
        note(text)


@app.command()
def fetch(
    name: Annotated[str, typer.Argument(help="Entry with public files; see `zoo show NAME`.")],
    source: Annotated[str | None, typer.Option(help="Which, where it has several.")] = None,
    out: Out = None,
    match: Annotated[str, typer.Option(help="Regular expression that names of files match.")] = "",
    files: Annotated[int | None, typer.Option(min=1, help="Only the first so many.")] = None,
    set: Set = None,
) -> None:
    """Fetch public files into the cache and import them. Cut off, it goes on when repeated."""
    from zoo.config import parse_assignments
    from zoo.verbs.data import describe
    from zoo.verbs.fetching import fetch_dataset

    options = parse_assignments(set or [])
    print(describe(fetch_dataset(name, source, out, match=match, files=files, options=options)))


@app.command("map")
def map_(
    name: Annotated[str, typer.Argument(help="Entry, or folder.")],
    to: Annotated[
        str,
        typer.Option(
            help="heavy, backbone, backbone-beta, calpha, residue, groups, segments, random; or a run "
            "that has learned a map."
        ),
    ],
    out: Out = None,
    beads: Annotated[int | None, typer.Option(help="Of segments and random.")] = None,
    forces: Annotated[str, typer.Option(help="sum of each group, or optimal: of least noise.")] = "sum",
    seed: Annotated[int, typer.Option(help="Of the random map.")] = 0,
) -> None:
    """Write the beads of a dataset as a dataset, with the forces on them.

    `zoo train MODEL FOLDER --task forces` then fits a coarse-grained
    potential to it.
    """
    from zoo.verbs.data import describe
    from zoo.verbs.mapping import map_dataset

    print(describe(map_dataset(name, to, out, beads=beads, forces=forces, seed=seed)))


@app.command()
def decode(
    beads: Annotated[str, typer.Argument(help="Dataset of beads, or a simulated run of task forces.")],
    by: Annotated[str, typer.Option(help="Run of an autoencoder with the same map.")],
    out: Out = None,
    draws: Annotated[int, typer.Option(min=0, help="Structures of each frame; 0: the most likely.")] = 0,
    seed: Annotated[int, typer.Option(help="Of the draws.")] = 0,
) -> None:
    """Write the particles that an autoencoder sees in beads as a dataset."""
    from zoo.verbs.data import describe
    from zoo.verbs.decoding import decode_dataset

    print(describe(decode_dataset(beads, by, out, draws=draws, seed=seed)))


@app.command()
def export(
    name: Annotated[str, typer.Argument(help="Entry, or folder.")],
    out: Annotated[Path, typer.Option(help="File to make: .extxyz, .xyz, .pdb, .xtc, .dcd or .npz.")],
    split: Annotated[str, typer.Option(help="train, val, test or all.")] = "all",
    stride: Annotated[int, typer.Option(help="Keep every so many frames.")] = 1,
) -> None:
    """Write frames to a file that other programs read; xtc and dcd get a pdb beside them."""
    from zoo.verbs.exporting import export_dataset

    for path in export_dataset(name, out, split=split, stride=stride):
        print(path)


@app.command()
def check(
    name: Annotated[str, typer.Argument(help="Entry, or folder.")],
    json: Json = False,
) -> None:
    """Compare a dataset with independent facts; exit status 1 if one does not hold."""
    from dataclasses import asdict

    from zoo.verbs.checking import check_dataset

    checks = check_dataset(name)
    if json:
        emit([asdict(c) for c in checks])
    else:
        mark = {True: "holds", False: "FAILS", None: "–"}
        rows = []
        for c in checks:
            value = "" if c.measured is None else f"{c.measured:.5g}"
            error = "" if c.error is None else f" ± {c.error:.2g}"
            rows.append((c.name, c.expected, f"{value}{error} {c.unit}", mark[c.ok], c.source, c.note))
        table(("CHECK", "EXPECTED", "MEASURED", "", "SOURCE", "NOTE"), rows)
    failed = [c.name for c in checks if c.ok is False]
    if failed:
        note(f"{len(failed)} of {len(checks)} checks do not hold: {', '.join(failed)}")
        raise typer.Exit(1)
