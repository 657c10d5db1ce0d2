"""`RunConfig`: everything that decides a run. Unknown keys are errors with a suggestion."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal, TypeVar, get_args

import yaml
from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    SerializerFunctionWrapHandler,
    ValidationError,
    model_serializer,
)

from zoo.errors import ConfigError, did_you_mean

M = TypeVar("M", bound=BaseModel)


class Strict(BaseModel):
    """Base of all settings: unknown keys are refused, values are validated."""

    model_config = ConfigDict(extra="forbid", validate_default=True, allow_inf_nan=False)


class Optim(Strict):
    """Optimiser and learning-rate schedule."""

    name: Literal["adam", "adamw"] = "adamw"
    lr: float = Field(1e-3, gt=0, description="peak learning rate")
    weight_decay: float = Field(0.0, ge=0)
    schedule: Literal["constant", "cosine", "exponential", "plateau"] = "cosine"
    warmup_steps: int = Field(0, ge=0, description="steps of linear warm-up")
    final_lr: float = Field(0.01, gt=0, le=1, description="last learning rate as a share of `lr`")
    patience: int = Field(5, ge=1, description="plateau: epochs without gain before lr is halved")


class Training(Strict):
    """Length, batches, device, and what watches over the run."""

    epochs: int = Field(50, ge=1)
    seed: int = Field(0, ge=0)
    batch_size: int = Field(32, ge=1, description="frames a step, on each device")
    frames: int | None = Field(None, ge=1, description="use only so many frames of train, evenly spaced")
    accelerator: Literal["auto", "cpu", "gpu"] = "auto"
    devices: int = Field(1, ge=1)
    nodes: int = Field(1, ge=1)
    precision: Literal["32-true", "64-true", "16-mixed", "bf16-mixed"] = "32-true"
    gradient_clip: float | None = Field(10.0, gt=0, description="largest norm of the gradient")
    early_stopping: int | None = Field(None, ge=1, description="epochs without gain before it stops")
    ema: float | None = Field(None, gt=0, lt=1, description="decay of averaged weights, per step")
    validate_every: int = Field(1, ge=1, description="epochs between validations")
    workers: int = Field(0, ge=0, description="processes that load data")
    logger: Literal["csv", "tensorboard", "wandb"] = Field("csv", description="besides metrics.csv")


class Grow(Strict):
    """Neurons that are added while a network trains, where a measurement says that they help most."""

    where: Literal["bottleneck", "everywhere"] = Field(
        "bottleneck",
        description="the best neurons where they promise most for each parameter; or, to compare with, "
        "random ones evenly over all places",
    )
    every: int = Field(5, ge=1, description="epochs between additions")
    until: float = Field(0.3, gt=0, lt=1, description="share of the epochs after which nothing is added")
    share: float = Field(
        0.1, gt=0, le=10, description="parameters of an addition, as a share of those at the start"
    )
    frames: int | None = Field(
        None, ge=2, description="frames of train to measure on; by default 32 of molecules, fewer of glasses"
    )


class RunConfig(Strict):
    """A run: which model on which dataset for which task, with all options.

    `model`, `dataset` and `task` hold `name` and the options of that entry, which the entry's own
    config model validates.
    """

    model: dict[str, Any]
    dataset: dict[str, Any]
    task: dict[str, Any]
    optim: Optim = Field(default_factory=Optim)
    train: Training = Field(default_factory=Training)
    grow: Grow | None = Field(None, description="neurons added in training; none unless asked for")

    @model_serializer(mode="wrap")
    def _plain(self, handler: SerializerFunctionWrapHandler) -> dict[str, Any]:
        """Settings of a run that does not grow are written, and hashed, as before there was growing."""
        record: dict[str, Any] = handler(self)
        if record.get("grow", 0) is None:
            del record["grow"]
        return record

    def digest(self) -> str:
        """Short hash of everything that decides the result."""
        text = json.dumps(self.model_dump(mode="json"), sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()[:12]


def validated(kind: type[M], values: Mapping[str, Any], where: str = "") -> M:
    """Build a settings model. Raises `ConfigError` with one line that says what to write instead."""
    try:
        return kind.model_validate(dict(values))
    except ValidationError as error:
        problem = error.errors()[0]
        path = ".".join(str(part) for part in problem["loc"])
        if problem["type"] == "value_error" and not path:  # a rule between several settings
            raise ConfigError(str(problem["ctx"]["error"])) from error
        full = f"{where}.{path}" if where else path
        if problem["type"] == "extra_forbidden":
            parent = _model_at(kind, problem["loc"][:-1])
            hint = did_you_mean(str(problem["loc"][-1]), parent.model_fields if parent else ())
            raise ConfigError(f"no setting named {full!r}.{hint}") from error
        got = "" if problem["type"] == "missing" else f", got {problem['input']!r}"
        raise ConfigError(f"setting {full!r}: {problem['msg'].lower()}{got}") from error


def _model_at(kind: type[BaseModel], path: tuple[Any, ...]) -> type[BaseModel] | None:
    for part in path:
        field = kind.model_fields.get(str(part))
        annotation = field.annotation if field else None
        models = [a for a in (annotation, *get_args(annotation)) if isinstance(a, type)]
        found = [a for a in models if issubclass(a, BaseModel)]
        if not found:
            return None
        kind = found[0]
    return kind


def parse_assignments(pairs: list[str]) -> dict[str, Any]:
    """Turn `["optim.lr=1e-3", "train.epochs=5"]` into `{"optim.lr": 0.001, "train.epochs": 5}`.

    Values are read as YAML 1.2 scalars or lists. Raises `ConfigError` where there is no `=`.
    """
    out: dict[str, Any] = {}
    for pair in pairs:
        key, equals, text = pair.partition("=")
        if not equals or not key.strip():
            raise ConfigError(f"--set takes key=value, got {pair!r}")
        out[key.strip()] = _scalar(text)
    return out


def _scalar(text: str) -> Any:
    try:
        value = yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise ConfigError(f"cannot read the value {text!r}: {error}") from error
    if isinstance(value, str):  # YAML 1.1 takes 1e-3 for a string
        try:
            return float(value)
        except ValueError:
            return value
    return value


def nest(dotted: Mapping[str, Any]) -> dict[str, Any]:
    """Turn `{"optim.lr": 1e-3}` into `{"optim": {"lr": 1e-3}}`. Nested mappings stay as they are."""
    out: dict[str, Any] = {}
    for key, value in dotted.items():
        *parents, last = key.split(".")
        at = out
        for parent in parents:
            at = at.setdefault(parent, {})
            if not isinstance(at, dict):
                raise ConfigError(f"setting {key!r} names something below a plain value")
        if isinstance(value, Mapping) and isinstance(at.get(last), dict):
            at[last] = merged(at[last], value)
        else:
            at[last] = dict(value) if isinstance(value, Mapping) else value
    return out


def merged(base: Mapping[str, Any], over: Mapping[str, Any]) -> dict[str, Any]:
    """Merge nested mappings; `over` wins."""
    out = dict(base)
    for key, value in over.items():
        if isinstance(value, Mapping) and isinstance(out.get(key), Mapping):
            out[key] = merged(out[key], value)
        else:
            out[key] = value
    return out


def read_yaml(path: Path) -> dict[str, Any]:
    """Read a configuration file. Raises `ConfigError` where it is missing or no mapping."""
    try:
        record = yaml.safe_load(Path(path).read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise ConfigError(f"no configuration file at {path}") from error
    except OSError as error:
        raise ConfigError(f"{path} cannot be read: {error.strerror}") from error
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path} is not valid YAML: {' '.join(str(error).split())}") from error
    if not isinstance(record, dict):
        raise ConfigError(f"{path} holds no settings (a mapping is expected)")
    return _numbers(record)


def _numbers(value: Any) -> Any:
    if isinstance(value, dict):
        return {str(k): _numbers(v) for k, v in value.items()}
    if isinstance(value, list):
        return [_numbers(v) for v in value]
    return _scalar(value) if isinstance(value, str) else value
