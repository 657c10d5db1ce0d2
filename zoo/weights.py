"""Weights on disk: `weights.safetensors` and `card.json`, from which a model is built again."""

from __future__ import annotations

import json
from importlib.metadata import version
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save

from zoo.config import validated
from zoo.data.info import DataInfo
from zoo.data.store import sha256
from zoo.errors import ConfigError, RunError
from zoo.files import write_bytes, write_json
from zoo.models.base import ZooModel
from zoo.models.ensemble import Ensemble, ensemble, members_of
from zoo.models.growth import grow_to
from zoo.registry import REGISTRY
from zoo.version import __version__

WEIGHTS, CARD = "weights.safetensors", "card.json"


def save_weights(model: ZooModel, folder: Path, name: str, **facts: Any) -> None:
    """Write a model's weights and card.

    Args:
        model: a model of the registry.
        folder: where to write.
        name: the model's name in the registry.
        facts: further plain facts for the card: task, dataset, metrics.
    """
    entry = REGISTRY.find("models", name)
    requires = REGISTRY.get("models", name).requires
    tensors = {k: v.detach().cpu().contiguous() for k, v in model.state_dict().items()}
    write_bytes(Path(folder) / WEIGHTS, save(tensors))
    card = {
        "format": 1,
        "entry": REGISTRY.call_name(entry),
        "distribution": entry.distribution,
        "distribution_version": entry.version,
        "zoo": __version__,
        "torch": torch.__version__,
        **({"e3nn": version("e3nn")} if "e3nn" in requires else {}),  # whose conventions may change
        "sha256": sha256(Path(folder) / WEIGHTS),
        "parameters": sum(p.numel() for p in model.parameters()),
        "config": model.config.model_dump(mode="json"),
        "info": model.info.model_dump(mode="json"),
        **({"members": len(members_of(model))} if isinstance(model, Ensemble) else {}),
        **({"growth": model.growth} if model.growth else {}),
        **facts,
    }
    write_json(Path(folder) / CARD, card)


def load_weights(folder: Path) -> ZooModel:
    """Build the model of a card and load its weights, in evaluation mode.

    Raises:
        RunError: card or weights are missing, changed or do not fit the model.
        EntryError: the entry, or the plugin it came from, is not there.
    """
    folder = Path(folder)
    path = folder / CARD
    if not path.is_file() or not (folder / WEIGHTS).is_file():
        raise RunError(f"{folder} holds no weights ({WEIGHTS} and {CARD}); is the run finished?")
    try:
        card = json.loads(path.read_text(encoding="utf-8"))
        name, config, info, digest = (card[k] for k in ("entry", "config", "info", "sha256"))
    except (ValueError, KeyError, TypeError) as error:
        raise RunError(f"{path} is not a valid card: {error!r}") from error
    if sha256(folder / WEIGHTS) != digest:
        raise RunError(f"{folder / WEIGHTS} was changed or cut: its sha256 is not the card's")
    spec = REGISTRY.get("models", name)
    options, facts = validated(REGISTRY.load_config(spec), config, "model"), validated(DataInfo, info, "info")
    model = ensemble(lambda: REGISTRY.load_target(spec)(options, facts), int(card.get("members", 1)))
    try:
        grow_to(model, card.get("growth", {}))
        weights = load_file(folder / WEIGHTS)
        if any(weights[k].dtype == torch.float64 for k, _ in model.named_parameters() if k in weights):
            model.double()  # as it was trained
        model.load_state_dict(weights)
    except (RuntimeError, SafetensorError, ConfigError) as error:
        first = str(error).splitlines()[-1].strip()
        raise RunError(
            f"the weights in {folder} do not fit {name!r} as installed "
            f"({card.get('distribution')} {card.get('distribution_version')} wrote them): {first}"
        ) from error
    return model.eval()


def pretrained() -> dict[str, Path]:
    """Names and folders of the models that come with the package."""
    root = Path(__file__).parent / "pretrained"
    return {path.parent.name: path.parent for path in sorted(root.glob(f"*/{CARD}"))}


def load(path: Path | str) -> ZooModel:
    """Return a trained model, ready to predict: of a run directory, or a packaged one by name.

    Raises:
        RunError: there are no weights, or they were changed.
    """
    packaged = pretrained()
    if isinstance(path, str) and path in packaged:
        return load_weights(packaged[path])
    if not Path(path).exists():
        names = ", ".join(packaged)
        raise RunError(f"no run at {path}, and no packaged model of that name; packaged: {names}")
    return load_weights(Path(path))
