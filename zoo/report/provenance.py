"""Where everything in a report comes from, as plain text and JSON."""

from __future__ import annotations

import json
import shlex
from typing import Any

from zoo.report.runs import Group


def data_facts(group: Group) -> list[tuple[str, str]]:
    """What the dataset's manifest says, as name and text."""
    if group.data is None:
        return [("dataset", f"{group.board.dataset}: {group.problem}")]
    data, manifest = group.data, group.data.manifest
    units = data.units
    system = data.system
    counts = {name: int((system.types == kind).sum()) for kind, name in system.type_names.items()}
    facts = [
        ("dataset", f"{manifest.name}, version {manifest.version}"),
        ("frames", f"{len(data):,} of {system.num_particles} particles"),
        ("particles", ", ".join(f"{n} {name}" for name, n in counts.items() if n)),
        ("splits", ", ".join(f"{name} {len(data.split(name)):,}" for name in manifest.splits)),
        ("units", f"{units.name}: {units.length}, {units.energy}, {units.mass}, {units.time}"),
    ]
    if data.temperature is not None:
        facts.append(("temperature", f"{data.temperature:g} {units.temperature}"))
    if data.target_times:
        facts.append(("times", ", ".join(f"{t:g}" for t in data.target_times) + f" {units.time}"))
    facts += [(f"sha256 of {name}", record.sha256) for name, record in manifest.arrays.items()]
    return facts


def data_origin(group: Group) -> str:
    """How the dataset was made, as the manifest has it: indented JSON; "" where it is not known."""
    if group.data is None or not group.data.manifest.provenance:
        return ""
    return json.dumps(group.data.manifest.provenance, indent=1, ensure_ascii=False)


def run_facts(group: Group) -> list[dict[str, Any]]:
    """Settings, versions, commit and device of each run, and the command that repeats it."""
    out = []
    for run, record, label in zip(group.runs, group.records, group.labels, strict=True):
        versions = record["versions"] or {}
        device = record["gpu"] if str(record["device"]).startswith("cuda") else record["device"]
        out.append(
            {
                "label": label,
                "seed": record["seed"],
                "folder": run.path.name,
                "config_hash": record["config_hash"],
                "commit": record["commit"] or "–",
                "device": f"{device}, {record['threads']} threads",
                "seconds": record["seconds"],
                "versions": ", ".join(f"{k} {v}" for k, v in versions.items() if v)
                + f", python {record['python']}",
                "command": shlex.join(record["command"] or []),
                "repeat": shlex.join(
                    [
                        "zoo", "train", record["model"], run.config.dataset["name"],
                        "--config", str(run.path / "config.yaml"),
                    ]
                ),
                "config": (run.path / "config.yaml").read_text(encoding="utf-8"),
            }
        )  # fmt: skip
    return out
