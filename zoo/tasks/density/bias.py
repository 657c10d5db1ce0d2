"""Umbrella bias towards a region of the torsions."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from zoo.analysis.peptides import named_torsions
from zoo.data.system import System
from zoo.errors import ConfigError
from zoo.physics.coordinates import Coordinates, InternalCoordinates
from zoo.physics.target import Bias
from zoo.tasks.density.config import BiasConfig

#: Width of the edges of a region, rad.
EDGE = math.radians(10)
#: What people type for Greek letters.
LETTERS = {"phi": "φ", "psi": "ψ", "omega": "ω", "chi1": "χ1"}


def umbrella(options: BiasConfig | None, system: System, coordinates: Coordinates) -> Bias | None:
    """Return B(q)/kT `[batch]` of a region, −strength inside; None for no bias.

    Raises:
        ConfigError: a torsion that the molecule has not, or that is no coordinate of its own.
    """
    if options is None:
        return None
    if not isinstance(coordinates, InternalCoordinates):
        raise ConfigError("task.bias needs internal coordinates")
    names = named_torsions(system)
    columns: dict[tuple[int, ...], int] = {}
    for column, row in enumerate(coordinates.quadruples.tolist()):
        columns[tuple(row)] = columns[tuple(row[::-1])] = column
    windows = []
    for word, (low, high) in options.region.items():
        name = " ".join(LETTERS.get(part, part) for part in word.split())
        if name not in names:
            raise ConfigError(f"task.bias.region: there is no torsion {word!r}; there are {', '.join(names)}")
        if names[name] not in columns:
            raise ConfigError(f"task.bias.region: {word!r} is no circular coordinate of this model")
        a, b = math.radians(low), math.radians(high)
        width = (b - a) % (2 * math.pi)
        windows.append((columns[names[name]], a + width / 2, width / 2))

    def bias(q: Tensor) -> Tensor:
        inside = torch.ones_like(q[:, 0])
        for column, middle, half in windows:
            away = torch.remainder(q[:, column] - middle + math.pi, 2 * math.pi) - math.pi
            inside = inside * torch.sigmoid((half - away.abs()) / (EDGE / 4))
        return -options.strength * inside

    return bias
