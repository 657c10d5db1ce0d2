"""One configuration of a glass: measured and predicted targets of each particle."""

from __future__ import annotations

import numpy as np

from zoo import keys
from zoo.config import Strict
from zoo.data.dataset import Frames
from zoo.errors import ConfigError
from zoo.tasks.metrics import metric, pearson
from zoo.verbs.evaluate import predict
from zoo.verbs.inside.record import Inside
from zoo.verbs.inside.subject import Subject


class Options(Strict):
    """None."""


def look(
    subject: Subject, options: Options, *, against: Subject | None, frames: int | None, seed: int
) -> Inside:
    """Predict the first configurations of the split.

    Returns:
        Of the first one `positions [particles, 3]`, `cell [3, 3]` where it is periodic, `types [particles]`,
        and `measured` and `predicted [particles, targets]`. Numbers: `pearson_X` of each type X, lists over
        targets, the mean over all configurations.

    Raises:
        ConfigError: the network predicts no targets, or there is another to compare with.
    """
    if against is not None:
        raise ConfigError("a slice is compared with what was measured alone")
    if subject.model.info.interface != "node":
        raise ConfigError(f"{subject.label} predicts no targets of particles")
    data, system = subject.data, subject.data.system
    split = data.split(subject.split)
    chosen = Frames(data, split.index[: frames or 1], subject.split)
    predicted = predict(subject.trained, chosen)[keys.TARGETS].astype(np.float64)
    measured = chosen.array(keys.TARGETS).astype(np.float64)
    frame = int(chosen.index[0])
    numbers = {}
    for kind in sorted(set(system.types.tolist())):
        members = system.types == kind
        pairs = (values[:, members].transpose(0, 2, 1) for values in (predicted, measured))
        numbers[f"pearson_{system.type_names[kind]}"] = metric(pearson(*pairs).mean(0), "1")
    arrays = {
        "positions": np.asarray(data.array(keys.POSITIONS)[frame], np.float64),
        "types": system.types,
        "measured": measured[0],
        "predicted": predicted[0],
    }
    if system.periodic:
        arrays["cell"] = np.asarray(data.array(keys.CELLS)[frame], np.float64)
    facts = {
        "dataset": data.name, "split": subject.split, "frame": frame, "pbc": [bool(p) for p in system.pbc],
        "times": list(data.target_times), "names": data.target_names,
        "units": {"length": data.units.length, "time": data.units.time},
    }  # fmt: skip
    return Inside("slice", subject.label, numbers, arrays, facts=facts)
