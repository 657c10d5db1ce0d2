"""`zoo train` and `zoo eval`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from zoo.cli.options import Out, Set
from zoo.cli.output import Json, emit, note, table


def train(
    model: Annotated[str, typer.Argument(help="Model, e.g. schnet.")],
    dataset: Annotated[str, typer.Argument(help="Dataset (its packaged sample) or folder; A+B: both.")],
    task: Annotated[str | None, typer.Option(help="Task; found from model and data.")] = None,
    config: Annotated[Path | None, typer.Option(help="YAML file of settings.")] = None,
    set: Set = None,
    epochs: Annotated[int | None, typer.Option(help="Epochs.")] = None,
    seed: Annotated[int | None, typer.Option(help="Of everything random.")] = None,
    accelerator: Annotated[str | None, typer.Option(help="auto, cpu or gpu.")] = None,
    devices: Annotated[int | None, typer.Option(help="Devices of each node.")] = None,
    nodes: Annotated[int | None, typer.Option(help="Nodes.")] = None,
    out: Out = None,
    resume: Annotated[bool, typer.Option("--resume", help="Continue a killed run.")] = False,
    grow: Annotated[
        bool, typer.Option("--grow", help="Add neurons where they promise most; --set grow.every=…")
    ] = False,
    look_every: Annotated[
        int | None, typer.Option(help="Epochs between looks inside, for zoo watch.")
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Print the resolved settings and stop.")] = False,
) -> None:
    """Train a model on a dataset and evaluate it on the test split."""
    from zoo.config import parse_assignments

    settings = parse_assignments(set or [])
    if dry_run:
        import yaml

        from zoo.verbs.plan import check_device, resolve

        short = {"epochs": epochs, "seed": seed, "accelerator": accelerator}
        short |= {"devices": devices, "nodes": nodes}
        settings |= {f"train.{k}": v for k, v in short.items() if v is not None}
        settings |= {"grow": {}} if grow else {}
        plan = resolve(model, dataset, task=task, config=config, settings=settings)
        check_device(plan.config)
        record = plan.config.model_dump(mode="json")
        print(yaml.safe_dump(record, sort_keys=False, allow_unicode=True), end="")
        return
    from zoo.verbs.train import train as train_model

    run = train_model(
        model,
        dataset,
        task=task,
        config=config,
        settings=settings,
        epochs=epochs,
        seed=seed,
        accelerator=accelerator,
        devices=devices,
        nodes=nodes,
        out=out,
        resume=resume,
        grow=grow,
        look_every=look_every,
    )
    if not run.done:  # a process of a distributed run that does not evaluate
        return
    results = run.results
    print_metrics({results["model"]: results["metrics"], **results["baselines"]})
    note(f"{run.path}: trained in {results['seconds']:.1f} s on {results['device']}")


def evaluate(
    run: Annotated[Path, typer.Argument(help="Run directory.")],
    dataset: Annotated[str | None, typer.Option(help="Another dataset: name or folder.")] = None,
    split: Annotated[str, typer.Option(help="train, val, test or all.")] = "test",
    json: Json = False,
) -> None:
    """Score a run on a split of its own dataset, or of another one."""
    from zoo.run import Run
    from zoo.verbs.evaluate import evaluate as score

    opened = Run(run)
    metrics = score(opened, dataset=dataset, split=split)
    if json:
        emit(metrics)
    else:
        print_metrics({opened.config.model["name"]: metrics})


def print_metrics(rows: dict[str, dict[str, Any]]) -> None:
    """Print metrics, a column for each model: the trained one first, then its baselines."""
    first = next(iter(rows.values()))
    cells = []
    for key, metric in first.items():
        unit = metric["unit"]
        if isinstance(metric["value"], dict):
            cells += _states(key, rows)
            continue
        values = [_text(metrics[key]) if key in metrics else "" for metrics in rows.values()]
        cells.append((key, *values, "" if unit == "1" else unit))
    table(("METRIC", *rows, "UNIT"), cells)


def _states(key: str, rows: dict[str, dict[str, Any]]) -> list[tuple[str, ...]]:
    """One line for each basin: raw → reweighted share, the reference's, and what is thought of it."""
    names = dict.fromkeys(
        name for metrics in rows.values() for name in metrics.get(key, {"value": {}})["value"]
    )
    lines = []
    for name in names:
        found = [metrics.get(key, {"value": {}})["value"].get(name) for metrics in rows.values()]
        lines.append((f"{key}: {name}", *("" if f is None else _state(f) for f in found), "%"))
    return lines


def _state(found: dict[str, Any]) -> str:
    parts = []
    for label in ("raw", "reweighted", "reference"):
        if label in found:
            share, error = found[label]
            known = share is not None and error is not None
            parts.append(f"{label} {100 * share:.3g}±{100 * error:.1g}" if known else f"{label} –")
    return f"{', '.join(parts)}: {found['judgement']}"


def _text(metric: dict[str, Any]) -> str:
    value, error = metric["value"], metric.get("error")
    if isinstance(value, list):
        return " ".join("–" if v is None else f"{v:.3f}" for v in value)
    if isinstance(value, str):
        return value
    text = "–" if value is None else f"{value:.4g}"
    return text if error is None else f"{text} ± {error:.1g}"
