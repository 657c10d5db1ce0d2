"""`predict`: targets of the particles of a configuration of any size, without a dataset."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch

from zoo import keys
from zoo.data.dataset import offsets
from zoo.errors import ConfigError, DataError
from zoo.models.described import DescribedModel
from zoo.models.ensemble import members_of
from zoo.progress import progress
from zoo.run import Run
from zoo.tasks.propensity.task import PropensityTask
from zoo.tasks.propensity.tiles import Whole, predict_whole
from zoo.verbs.evaluate import make_task
from zoo.weights import load_weights


def predict(
    run: Run | Path | str,
    positions: np.ndarray | Mapping[str, np.ndarray],
    types: np.ndarray,
    cell: np.ndarray | None = None,
    pbc: bool | tuple[bool, bool, bool] | None = None,
) -> np.ndarray:
    """Predict the targets of a configuration, tile by tile: 10⁶ particles do.

    Args:
        run: of the task `propensity`, or its directory.
        positions: `[N, 3]`, wrapped or not, in the run's unit of length, of the kind that the run was
            trained on (`task.positions`); or each kind by its name, where descriptors look at several.
        types: `[N]`, as in the training data.
        cell: `[3, 3]`, rows are lattice vectors; None: open space.
        pbc: periodic along each row; by default all where there is a cell, and not along z where all
            particles lie in z = 0.

    Returns:
        Targets `[N, targets]` float32; of an ensemble the members' mean.

    Raises:
        ConfigError: the run is of another task, or positions of a kind are needed and not given: thermal
            ones too where descriptors tell how far a particle is from those.
        DataError: arrays of wrong shapes, or types that the model never saw.
    """
    run = run if isinstance(run, Run) else Run(run)
    model = load_weights(run.path)
    task = make_task(model, run.config.task)
    if not isinstance(task, PropensityTask):
        raise ConfigError(f"{run.path} is a run of another task than propensity; use zoo.evaluate")
    task.eval()
    member, own = members_of(model)[0], task.options.positions
    given = dict(positions) if isinstance(positions, Mapping) else {own: positions}
    kinds = member.describer.settings.positions if isinstance(member, DescribedModel) else None
    for kind in (own, *(kinds or ())):
        if kind not in given:
            raise ConfigError(f"the run looks at {kind} positions; give them as positions={{{kind!r}: …}}")
    wholes = {kind: _whole(x, types, cell, pbc) for kind, x in given.items()}
    if isinstance(member, DescribedModel) and "offset" in member.describer.base_names:
        wholes = _with_offsets(wholes, [own, *(kinds or ())])
    views = None if kinds is None else [wholes[kind] for kind in kinds]
    with progress("predictions", len(types), "particles") as bar:
        found = predict_whole(task.on_device, member, wholes[own], views, bar=bar)
    return found[keys.TARGETS].numpy()


def _with_offsets(wholes: dict[str, Whole], kinds: Sequence[str]) -> dict[str, Whole]:
    """Tell each configuration how far its particles are from the thermal positions."""
    thermal = wholes.get("thermal")
    if thermal is None and any(kind != "thermal" for kind in kinds):
        first = next(kind for kind in kinds if kind != "thermal")
        raise ConfigError(
            "the run looks at how far particles are from their thermal positions; give both as "
            f"positions={{'thermal': …, {first!r}: …}}"
        )
    if thermal is None:
        return wholes
    cell = None if thermal.cell is None else thermal.cell.numpy()
    return {
        kind: replace(whole, offsets=torch.from_numpy(offsets(
            whole.positions.numpy(), thermal.positions.numpy(), cell, whole.pbc
        )))
        for kind, whole in wholes.items()
    }  # fmt: skip


def _whole(
    positions: np.ndarray,
    types: np.ndarray,
    cell: np.ndarray | None,
    pbc: bool | tuple[bool, bool, bool] | None,
) -> Whole:
    x, z = np.asarray(positions, np.float64), np.asarray(types)
    if x.shape != (len(z), 3) or z.ndim != 1 or not len(z):
        raise DataError(f"positions [N, 3] and types [N] are needed, got {x.shape} and {z.shape}")
    if not np.isfinite(x).all():
        raise DataError("positions hold NaN or infinity")
    if cell is None:
        if pbc is not None and np.any(pbc):
            raise DataError("periodic directions need a cell; give cell, or leave pbc out")
        return Whole(torch.from_numpy(x), torch.from_numpy(z.astype(np.int64)), None, (False,) * 3)
    box = np.asarray(cell, np.float64)
    if box.shape != (3, 3):
        raise DataError(f"the cell must have shape [3, 3], got {list(box.shape)}")
    if pbc is None:
        pbc = (True, True, bool(x[:, 2].any()))
    flags = (pbc, pbc, pbc) if isinstance(pbc, bool) else (bool(pbc[0]), bool(pbc[1]), bool(pbc[2]))
    return Whole(torch.from_numpy(x), torch.from_numpy(z.astype(np.int64)), torch.from_numpy(box), flags)
