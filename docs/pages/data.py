"""The page of all packaged samples: how each was made, and each check with what was measured."""

from __future__ import annotations

import hashlib
import json
import math
from pathlib import Path
from typing import Any

import numpy as np

from pages.markup import NOTICE, table
from zoo import keys
from zoo.data.catalog import sample_path
from zoo.data.dataset import Dataset
from zoo.data.store import MANIFEST
from zoo.errors import DataError
from zoo.registry import REGISTRY
from zoo.registry.spec import DatasetSpec

#: Results of the checks, one file for each sample, and texts on what longer runs showed.
RESULTS = Path(__file__).resolve().parents[1] / "checks"
#: What `docs/large_datasets.py` measured.
LONG = RESULTS.parent / "large_datasets.json"
MARK = {True: "✓", False: "**✗**", None: "–"}

INTRODUCTION = """\
# The data, checked

Every system comes with a packaged sample, which its bare name opens, and with the generator that made it.
Here each sample is compared with facts that its generator did not use: exact limits, other engines,
published numbers. `zoo data check NAME` makes the same comparison, and `zoo data check FOLDER` makes it for
data of your own. How to make, import and fetch data is under [Datasets](datasets.md).

**Expected** is a value or a range, and **source** says where it comes from. **Measured** is the value of the
sample with its standard error, taken between independent runs where there are several. A check holds (✓)
where both agree within four standard errors or the value is within the range. A dash marks what is told for
information, or cannot be compared, with the reason.
"""


def samples() -> list[str]:
    """Name of each packaged sample of a built-in: entries, and variants that have one of their own."""
    folders: dict[Path, str] = {}
    for entry in REGISTRY.entries("datasets"):
        spec = REGISTRY.spec(entry)
        if entry.builtin and isinstance(spec, DatasetSpec) and spec.sample is not None:
            for name in (spec.name, *(f"{spec.name}/{variant}" for variant in spec.variants)):
                try:
                    folders.setdefault(sample_path(name).resolve(), name)
                except DataError:
                    continue  # none is packaged
    return list(folders.values())


def record_path(name: str) -> Path:
    """File of the results of a sample's checks."""
    return RESULTS / f"{name.replace('/', '-')}.json"


def sample_digest(name: str) -> str:
    """SHA-256 of a sample's manifest, which holds the SHA-256 of each of its arrays."""
    return hashlib.sha256((sample_path(name) / MANIFEST).read_bytes()).hexdigest()


def out_of_date() -> dict[str, str]:
    """Samples whose results are missing or of another version, and results without a sample: why."""
    found = {}
    for name in samples():
        path = record_path(name)
        if not path.is_file():
            found[name] = "its checks were not run"
        elif json.loads(path.read_text(encoding="utf-8"))["manifest_sha256"] != sample_digest(name):
            found[name] = "its checks are of another version of the sample"
    names = {record_path(name).name for name in samples()}
    left = [path.name for path in RESULTS.glob("*.json") if path.name not in names]
    return found | dict.fromkeys(left, "results of a sample that is gone")


def page() -> str:
    """Return the page."""
    there = [name for name in samples() if record_path(name).is_file()]
    records = {name: json.loads(record_path(name).read_text(encoding="utf-8")) for name in there}
    rows, size = [], 0
    for name in there:
        checks = records[name]["checks"]
        bytes_ = sum(path.stat().st_size for path in sample_path(name).iterdir())
        size += bytes_
        dataset = Dataset(sample_path(name), verify=False)
        counts = [sum(c["ok"] is ok for c in checks) for ok in (True, False, None)]
        rows.append(
            (
                f"[{name}](#{name.replace('/', '')})",
                f"{len(dataset)} × {dataset.system.num_particles}",
                f"{bytes_ / 1e6:.2f} MB",
                *counts,
            )
        )
    header = ("sample", "frames × particles", "size", "✓", "✗", "–")
    parts = [NOTICE, INTRODUCTION, table(header, rows)]
    total = [sum(row[3 + i] for row in rows) for i in range(3)]
    parts.append(
        f"{len(rows)} samples, {size / 1e6:.1f} MB together; {sum(total)} checks: {total[0]} hold, "
        f"{total[1] or 'none'} fail{'s' if total[1] == 1 else ''}, {total[2]} are for information.\n"
    )
    parts += [_section(name, records[name]) for name in there]
    if LONG.is_file():
        parts.append(_long_datasets(json.loads(LONG.read_text(encoding="utf-8"))))
    return "\n".join(parts).rstrip() + "\n"


def _section(name: str, record: dict[str, Any]) -> str:
    dataset = Dataset(sample_path(name), verify=False)
    spec, variant = REGISTRY.split_variant(name)
    summary = spec.variants[variant] if variant else spec.summary
    link = f"[Options, arrays, provenance](entries/datasets/{spec.name}.md)"
    summary = summary[0].upper() + summary[1:]
    parts = [f"## {name}\n", f"{summary.rstrip('.')}. {link}.\n"]
    provenance = dataset.manifest.provenance
    if provenance.get("command"):
        parts += ["```bash", str(provenance["command"]), "```\n"]
    parts.append(f"{_how(dataset)} Its checks took {record['seconds']:.0f} s.\n")
    rows = [
        (
            c["name"],
            c["expected"],
            measured(c).replace(" ", "&nbsp;"),
            MARK[c["ok"]],
            f"{c['source']}{_aside(c['note'])}",
        )
        for c in record["checks"]
    ]
    parts.append(table(("check", "expected", "measured", "", "source"), rows))
    notes = record_path(name).with_suffix(".md")
    if notes.is_file():
        parts.append(notes.read_text(encoding="utf-8"))
    return "\n".join(parts)


def _long_datasets(records: list[dict[str, Any]]) -> str:
    """Memory and time by number of frames."""
    steps = list(dict.fromkeys(record["step"] for record in records))
    found = {(r["frames"], r["step"]): f"{r['own_MB']:.0f} MB, {r['seconds']:.0f} s" for r in records}
    rows = [
        (f"{frames:,}", *(found.get((frames, step), "") for step in steps))
        for frames in sorted({record["frames"] for record in records})
    ]
    text = (
        "Frames of 22 atoms, 548 bytes each, written chunk by chunk, read back once with their "
        "checksums, and cut into 200 shuffled batches as training does: largest memory of the process "
        "beyond that of its imports, and its time (`python docs/large_datasets.py`).\n"
    )
    return "\n".join(["## Long datasets\n", text, table(("frames", *steps), rows)])


def _aside(note: str) -> str:
    return f" *({note})*" if note else ""


def _how(dataset: Dataset) -> str:
    """One or two sentences: engine, seed, runs, and how long they are."""
    manifest, units = dataset.manifest, dataset.units
    provenance = manifest.provenance
    said = f"Made by {provenance['engine']}" if provenance.get("engine") else f"Version {manifest.version}"
    if manifest.temperature is not None:
        said += f" at {manifest.temperature:g} {units.temperature}"
    if keys.RUN in dataset.arrays:
        run = np.asarray(dataset.array(keys.RUN))
        runs = len(np.unique(run))
        said += f", {runs} independent run{'s' if runs > 1 else ''}"
        if keys.TIME in dataset.arrays:
            times = np.asarray(dataset.array(keys.TIME))
            longest = max(float(np.ptp(times[run == r])) for r in np.unique(run))
            said += f" of {longest:g} {units.time}" if longest else ""
    seed = provenance.get("seed")
    return said + (f", seed {seed}." if seed is not None else ".")


def measured(check: dict[str, Any]) -> str:
    """Value ± error and unit, with as many digits as the error leaves meaning to."""
    value, error = check["measured"], check["error"]
    if value is None:
        return ""
    if not error:
        text = f"{value:.5g}"
    else:
        digits = max(0, 1 - math.floor(math.log10(error)))  # two digits of the error
        text = f"{value:.{digits}f} ± {error:.{digits}f}" if digits < 8 else f"{value:.3g} ± {error:.2g}"
    return f"{text} {check['unit']}".rstrip()
