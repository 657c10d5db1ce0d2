"""Specs: what an entry says of itself without importing torch. Standard library only."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

#: Version of the plugin interface. A spec written for a newer one is refused with a clear message.
API_VERSION = 1


@dataclass(frozen=True, kw_only=True)
class Spec:
    """What every entry says of itself.

    `target` and `config` are `"package.module:Name"` strings, imported when the entry is built.
    """

    name: str
    summary: str
    target: str
    config: str | None = None
    citation: str = ""
    license: str = "MIT"
    #: Extras of the entry's distribution that it needs, e.g. `("simulate",)`.
    extras: tuple[str, ...] = ()
    #: Modules that must be importable for the entry to work: what `zoo doctor` looks for.
    requires: tuple[str, ...] = ()
    api_version: int = API_VERSION


@dataclass(frozen=True, kw_only=True)
class ModelSpec(Spec):
    """A model. `target` is a class built as `Model(config, info)`; see `zoo.models.base`."""

    #: Tasks that it can be trained for, the usual one first.
    tasks: tuple[str, ...]
    #: Symmetries it promises; `zoo.testing` checks each: "permutation", "translation",
    #: "rotation", "periodic".
    symmetries: tuple[str, ...] = ("permutation", "translation", "rotation", "periodic")
    #: Settings that suit the model, by task: `{"forces": {"optim.lr": 5e-4}}`. The user's own win.
    recipes: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    #: Fitted in closed form (ridge, SVM, baselines) rather than by gradient descent.
    fitted: bool = False


@dataclass(frozen=True, kw_only=True)
class Source:
    """Where public files of a dataset are: what `zoo data fetch` knows.

    Args:
        name: what `--source` takes.
        summary: one line: what it holds, how large it is.
        kind: "files" (addresses, separated by blanks, each with `#md5:…` or `#sha256:…` behind it
            where a checksum is published), "zenodo" (a record's number) or "google" (bucket/prefix).
        location: see `kind`.
        pattern: regular expression that the wanted files' names match.
        inside: the same for the paths of what archives hold; empty: all of it.
        format: of the files, one of `zoo.data.formats.FORMATS`; None: found by content.
        settings: options of import that the files need, such as `{"units": "nm"}`.
        label: name of the dataset that the files become; None: the entry's own, whose targets are then
            computed.
        license: of the files.
    """

    name: str
    summary: str
    kind: Literal["files", "zenodo", "google"]
    location: str
    pattern: str = ""
    inside: str = ""
    format: str | None = None
    settings: Mapping[str, Any] = field(default_factory=dict)
    label: str | None = None
    license: str = "see the source"


@dataclass(frozen=True, kw_only=True)
class DatasetSpec(Spec):
    """A dataset. `target` is a subclass of `zoo.data.entry.DatasetEntry`."""

    #: Tasks that it serves, the usual one first.
    tasks: tuple[str, ...]
    #: `"package:folder"` of the packaged sample; None: made once with default options and cached.
    sample: str | None = None
    #: Variants reached as `name/variant`, each with a one-line summary.
    variants: dict[str, str] = field(default_factory=dict)
    #: The variant that the bare name means, if it has a name of its own.
    default_variant: str = ""
    units: str = "ase"
    #: Public files that `zoo data fetch` can bring.
    sources: tuple[Source, ...] = ()


@dataclass(frozen=True, kw_only=True)
class TaskSpec(Spec):
    """A task. `target` is a subclass of `zoo.tasks.base.Task`."""

    #: Models fitted beside every trained one, so that a figure is never without its baseline.
    baselines: tuple[str, ...] = ()
    #: Key of the metric that ranks models.
    headline: str = ""
    #: Whether a larger headline is the better one, as of a correlation.
    larger_is_better: bool = False


@dataclass(frozen=True, kw_only=True)
class BenchmarkSpec(Spec):
    """A benchmark. `target` is a function `suite(options) -> zoo.bench.Suite`, or a runner."""

    #: Whether it can score on a folder of public data sets too: `--data`.
    takes_data: bool = False


#: Entry-point group of each kind, and the spec class it must hold.
GROUPS: dict[str, type[Spec]] = {
    "models": ModelSpec,
    "datasets": DatasetSpec,
    "tasks": TaskSpec,
    "benchmarks": BenchmarkSpec,
}
