"""`zoo sample`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from zoo.cli.output import Json, emit, note


def sample(
    run: Annotated[str, typer.Argument(help="Run directory of task density or forces, or a packaged model.")],
    n: Annotated[int, typer.Option("-n", help="Number of frames.")],
    out: Annotated[Path, typer.Option(help="File to make: .extxyz, .xyz, .pdb, .xtc, .dcd or .npz.")],
    seed: Annotated[int, typer.Option(help="Of everything random.")] = 0,
    temperature: Annotated[
        float | None, typer.Option(help="In the dataset's unit: weights are for it, or it is simulated.")
    ] = None,
    resample: Annotated[
        bool, typer.Option("--resample", help="Draw by weight with replacement: a sample at equilibrium.")
    ] = False,
    refine: Annotated[
        int, typer.Option(metavar="STEPS", help="Iterations of Hamiltonian Monte Carlo on each frame.")
    ] = 0,
    replicas: Annotated[
        int | None, typer.Option(help="Simulation: independent copies; one for each 50 frames.")
    ] = None,
    timestep: Annotated[
        float | None, typer.Option(help="Simulation: ps or τ; an eighth of the shortest period.")
    ] = None,
    friction: Annotated[float | None, typer.Option(help="Simulation: 1/ps or 1/τ; 1.")] = None,
    interval: Annotated[
        float | None, typer.Option(help="Simulation: time between frames; that of the data.")
    ] = None,
    equilibrate: Annotated[
        float | None, typer.Option(help="Simulation: time thrown away first; 10/friction.")
    ] = None,
    dataset: Annotated[
        str | None, typer.Option(help="The run's dataset, if it is no longer where it was.")
    ] = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace files that are there.")] = False,
    json: Json = False,
) -> None:
    """Draw configurations from a density run, or simulate a forces run by Langevin dynamics.

    Of a density: x.xtc, and the weights of its frames in
    x.weights.csv. Columns: weight (mean 1, for averages at
    equilibrium), log_weight, log_prob (the model's log-density),
    energy. Without an energy function: log_prob alone.

    Of a potential: x.xtc, replica after replica, and in
    x.simulation.json the settings, what broke down, and how near free
    energies and time scales are to those of the run's data.

    xtc and dcd get a pdb beside them; xtc rounds positions to 0.01 Å,
    the energies are those before.
    """
    from zoo.cli.training import print_metrics
    from zoo.verbs.sample import sample as draw

    made = draw(
        run,
        n,
        out,
        seed=seed,
        temperature=temperature,
        resample=resample,
        refine=refine,
        replicas=replicas,
        timestep=timestep,
        friction=friction,
        interval=interval,
        equilibrate=equilibrate,
        dataset=dataset,
        overwrite=overwrite,
    )
    if json:
        emit({"files": made.files, "metrics": made.metrics, "notes": made.notes})
        return
    for path in made.files:
        print(path)
    if made.metrics:
        print_metrics({f"{n} {'frames' if 'stability' in made.metrics else 'draws'}": made.metrics})
    for text in made.notes:
        note(text)
