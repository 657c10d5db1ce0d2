"""What a run keeps of its growth, read again."""

from __future__ import annotations

import json
from typing import Any

from zoo.errors import RunError
from zoo.models.growth import parameters_in_use
from zoo.run import GROWTH, Run
from zoo.weights import load_weights


def growth_record(run: Run) -> dict[str, Any] | None:
    """Return `growth.json` of a run; None of one that did not grow.

    `where`, `parameters` at the start, and `events`, one for each addition: `epoch` and `step` behind which
    it was made, `added` neurons by place, `parameters` `before` and `after`. Of the best neurons also
    `place`, `neurons`, their `cost`, the place's `bottleneck` Ψ and its share, the gain that was `promised`
    (and on graphs that the neurons were not made from) and `measured`, loss per unit of amplitude, the
    `amplitude`, the `loss` `before` and `after`, and what all `places` promised. Parameters as of
    `parameters_in_use`.

    Raises:
        RunError: the file is damaged.
    """
    path = run.path / GROWTH
    if not path.is_file():
        return None
    try:
        record = json.loads(path.read_text(encoding="utf-8"))
        record["parameters"], record["events"], record["where"]
    except (ValueError, KeyError, TypeError) as error:
        raise RunError(f"{path} is damaged: {error!r}") from error
    return dict(record)


def size_in_use(run: Run) -> int:
    """Number of parameters of a finished run's network, as of `parameters_in_use`."""
    return parameters_in_use(load_weights(run.path))
