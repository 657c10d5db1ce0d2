"""`analyze`: look inside a run, a dataset or a trajectory file."""

from __future__ import annotations

import json
import shlex
from collections.abc import Mapping
from importlib import import_module
from pathlib import Path
from typing import Any

from zoo.config import nest, validated
from zoo.errors import ConfigError, UnknownName
from zoo.run import Run
from zoo.verbs.inside.record import FOLDER, Inside
from zoo.verbs.inside.subject import Subject, open_both
from zoo.weights import CARD, pretrained

#: Kinds of look. Each module has `Options`, and `look(subject, options, *, against, frames, seed)`.
LOOKS = {
    "conformations": "zoo.verbs.inside.conformations",
    "latent": "zoo.verbs.inside.latent",
    "layers": "zoo.verbs.inside.layers",
}


def analyze(
    subject: str | Path | Run,
    kind: str,
    *,
    against: str | Path | Run | None = None,
    dataset: str | Path | None = None,
    read: Mapping[str, Any] | None = None,
    frames: int | None = None,
    seed: int = 0,
    settings: Mapping[str, Any] | None = None,
    out: Path | str | None = None,
) -> Inside:
    """Look inside and keep what was found as `KIND.json` and `KIND.npz`.

    Args:
        subject: run, name of a packaged model, dataset or trajectory file.
        kind: "conformations", "latent" or "layers".
        against: what to compare with: reference conformations, or a second run for its latent space.
        dataset: of a run, another dataset than its own.
        read: of files, also of one in `against`, options of their format, such as `topology`.
        frames: how many to look at; what the kind of look takes by default.
        seed: of everything random.
        settings: options of the kind of look.
        out: folder to write to; by default `RUN/inside`, or `inside/NAME` for what is no run.

    Raises:
        UnknownName, ConfigError, DataError, RunError: the request was wrong.
    """
    if kind not in LOOKS:
        raise UnknownName("kind of look", kind, LOOKS)
    if frames is not None and frames < 2:
        raise ConfigError(f"--frames takes at least 2, got {frames}")
    if not 0 <= seed < 2**32:
        raise ConfigError(f"--seed takes a number from 0 to 2³² − 1, got {seed}")
    if out is not None and Path(out).exists() and not Path(out).is_dir():
        raise ConfigError(f"--out takes a folder, and {out} is a file")
    module = import_module(LOOKS[kind])
    options = validated(module.Options, nest(settings or {}))
    opened, other = open_both(subject, against, dataset=dataset, read=read or {})
    record = module.look(opened, options, against=other, frames=frames, seed=seed)
    record.facts["subject"] = _told(opened)
    named = {"--against": against, "--dataset": dataset, "--frames": frames, "--out": out}
    record.facts["command"] = _command(subject, kind, {**named, "--seed": seed}, read or {}, settings or {})
    record.save(inside_folder(opened.folder, opened.label, out))
    return record


def _told(subject: Subject) -> str:
    """What is looked at, in words."""
    data = f"{subject.data.name} ({subject.data.system.num_particles:,} particles)"
    if subject.task is None or subject.folder is None:
        return f"{len(subject.data):,} frames of {data}"
    card = json.loads((subject.folder / CARD).read_text(encoding="utf-8"))
    size = sum(weight.numel() for weight in subject.model.parameters())
    return f"{card['entry']} ({size:,} parameters), trained for the task {card['task']['name']} on {data}"


def _command(
    subject: Any, kind: str, named: Mapping[str, Any], read: Mapping[str, Any], settings: Mapping[str, Any]
) -> str:
    """What takes the same look again, as typed."""
    words = ["zoo", "analyze", _name(subject), kind]
    words += [text for name, v in named.items() if v is not None for text in (name, _name(v))]
    for option, pairs in (("--read", read), ("--set", settings)):
        words += [text for key, v in pairs.items() for text in (option, f"{key}={v}")]
    return shlex.join(words)


def _name(subject: Any) -> str:
    return str(subject.path if isinstance(subject, Run) else subject)


def inside_folder(run: Path | None, label: str, out: Path | str | None = None) -> Path:
    """Where looks are kept: `out`, the run's `inside`, or `inside/LABEL` of data and of packaged models."""
    if out is not None:
        return Path(out)
    if run is None or run in pretrained().values():
        return Path(FOLDER) / label.replace("/", "-")
    return run / FOLDER
