"""What the packaged sample of a dataset holds, and how it was made, read from its manifest."""

from __future__ import annotations

from collections import Counter
from typing import Any

from pages.markup import code, table
from zoo.data.catalog import sample_path
from zoo.data.store import Manifest, read_manifest
from zoo.data.system import System
from zoo.errors import DataError
from zoo.registry.spec import DatasetSpec
from zoo.units import SYSTEMS

#: Longer lists and texts of a provenance stay in the manifest.
LONGEST = 400


def section(spec: DatasetSpec) -> str:
    """Return the section on the sample that `spec.name` opens."""
    if spec.sample is None:
        return "## Sample\n\nMade on first use, with default options, and kept in the cache.\n"
    try:
        manifest = read_manifest(sample_path(spec.name))
    except DataError:
        return f"## Sample\n\nNone is packaged yet; `zoo data make {spec.name}` makes one.\n"
    parts = [
        "## Sample\n",
        f"What the bare name `{spec.name}` opens.\n",
        table(("sample", f"version {manifest.version}"), _facts(manifest)),
    ]
    parts += ["### Arrays\n", _arrays(manifest)]
    parts += ["### How it was made\n", table(("what", "how"), _provenance(manifest.provenance))]
    return "\n".join(parts)


def _facts(manifest: Manifest) -> list[tuple[str, Any]]:
    system, units = System.from_json(manifest.system), SYSTEMS[manifest.units]
    counts = Counter(system.type_names[t] for t in system.types.tolist())
    frames = {name: sum(stop - start for start, stop in ranges) for name, ranges in manifest.splits.items()}
    rows: list[tuple[str, Any]] = [
        ("frames", f"{sum(frames.values())}: " + ", ".join(f"{name} {n}" for name, n in frames.items())),
        ("particles", f"{system.num_particles}: " + ", ".join(f"{n} {kind}" for kind, n in counts.items())),
        ("units", f"{code(units.name)}: {units.length}, {units.energy}, {units.mass}, {units.time}"),
        ("periodic", "yes" if system.periodic else "no"),
    ]
    if manifest.temperature is not None:
        rows.append(("temperature", f"{manifest.temperature:g} {units.temperature}"))
    if manifest.target_names:
        rows.append(("targets", ", ".join(manifest.target_names)))
    return rows


def _arrays(manifest: Manifest) -> str:
    rows = [
        (code(name), code(a.shape), code(a.dtype.lstrip("<|")), a.unit, code(a.sha256[:12]))
        for name, a in manifest.arrays.items()
    ]
    return table(("array", "shape", "dtype", "unit", "sha256"), rows)


def _provenance(record: dict[str, Any]) -> list[tuple[str, Any]]:
    rows = []
    for key, value in record.items():
        if isinstance(value, dict):
            text = ", ".join(f"{k} = {_short(v)}" for k, v in value.items())
        else:
            text = code(value) if key == "command" else _short(value)
        rows.append((key.replace("_", " "), text))
    return rows


def _short(value: Any) -> str:
    text = str(value)
    if len(text) <= LONGEST:
        return text
    return (
        f"{len(value)} of them, in the manifest" if isinstance(value, list | dict) else text[:LONGEST] + " …"
    )
