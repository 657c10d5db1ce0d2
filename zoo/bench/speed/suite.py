"""`speed`: six measurements; each says what it compares, none passes or fails by a time."""

from __future__ import annotations

import platform
import traceback
from typing import Any

import torch

from zoo.bench.speed import autoencoder, energies, glass, large, neighbors, segments, throughput
from zoo.bench.suite import Options, Outcome, Table
from zoo.errors import ConfigError, ZooError
from zoo.run import environment

#: What is measured, in the order of the report.
PARTS: tuple[tuple[str, Any, Any], ...] = (
    ("energies", energies.energies, energies.Size()),
    ("schnet", throughput.throughput, throughput.Size()),
    ("autoencoder", autoencoder.autoencoder, autoencoder.Size()),
    ("glass", glass.glass, glass.Size()),
    ("large", large.large, large.Size()),
    ("neighbours", neighbors.neighbors, neighbors.Size()),
    ("segments", segments.segments, segments.Size()),
)


def speed(options: Options, parts: tuple[tuple[str, Any, Any], ...] = PARTS) -> Outcome:
    """Measure each part; one that fails is reported and the rest goes on.

    Raises:
        ConfigError: an option that only suites of trained models have, or a GPU that is not there.
    """
    given = {"--models": options.models, "--seeds": options.seeds, "--epochs": options.epochs}
    unused = [name for name, value in given.items() if value is not None]
    if unused:
        raise ConfigError(f"zoo bench speed takes no {unused[0]}; it takes --accelerator, --out and --json")
    device = _device(options.accelerator or "auto")
    machine = _machine(device)
    records: list[dict[str, Any]] = []
    tables: list[Table] = [_machine_table(machine)]
    failures: list[str] = []
    for name, measure, size in parts:
        try:
            found, table = measure(size, device)
        except Exception as error:
            if not isinstance(error, ZooError):
                traceback.print_exc()
            failures.append(f"{name}: {error}")
            continue
        records += [{**record, "machine": machine} for record in found]
        tables.append(table)
    return Outcome("Speed", records, tables, failures=failures)


def _device(accelerator: str) -> str:
    if accelerator not in ("auto", "cpu", "gpu"):
        raise ConfigError(f"--accelerator takes auto, cpu or gpu, got {accelerator!r}")
    cuda = torch.cuda.is_available()
    if accelerator == "gpu" and not cuda:
        raise ConfigError("no GPU that torch can use; take --accelerator cpu, or install torch's CUDA build")
    return "cuda" if cuda and accelerator != "cpu" else "cpu"


def _machine(device: str) -> dict[str, Any]:
    about = environment()
    name = torch.cuda.get_device_name() if device == "cuda" else _processor()
    kept = ("python", "platform", "packages", "threads", "commit", "command")
    return {"device": device, "name": name, **{key: about[key] for key in kept}}


def _processor() -> str:
    try:
        with open("/proc/cpuinfo", encoding="utf-8") as file:
            names = [line.partition(":")[2].strip() for line in file if line.startswith("model name")]
        return names[0] if names else platform.processor() or platform.machine()
    except OSError:
        return platform.processor() or platform.machine()


def _machine_table(machine: dict[str, Any]) -> Table:
    packages = machine["packages"]
    versions = ", ".join(
        f"{k} {packages[k]}" for k in ("molzoo", "torch", "torch-geometric") if packages.get(k)
    )
    rows = [(machine["name"], machine["device"], str(machine["threads"]), versions)]
    return Table("Machine", ("NAME", "DEVICE", "THREADS", "VERSIONS"), rows)
