"""What several pictures of latents share."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from zoo.report.plot import with_unit
from zoo.report.runs import LeftOut
from zoo.verbs.inside.record import Inside


@dataclass(frozen=True)
class Observed:
    """An observable as a record keeps it: of each sample `[n]`; label with unit; period of an angle."""

    name: str
    label: str
    values: np.ndarray
    period: float | None


def observed(record: Inside, most: int) -> list[Observed]:
    """Return observables to colour by: sets of frames first, then torsions, then the rest."""
    found = []
    for number, (name, (unit, period)) in enumerate(record.facts["observables"].items()):
        values, label = record.arrays[f"observable_{number}"], with_unit(name, unit)
        if period is not None:
            values, label = np.degrees(values), f"{name} (°)"
        found.append(Observed(name, label, values, None if period is None else 360.0))
    turns = [o for o in found if o.period is not None and not o.name.startswith("ω")]
    rest = [o for o in found if o.period is None]
    room = most - min(len(rest), max(1, most - len(turns)))
    chosen = [*turns[:room], *rest]
    if "part" in record.arrays:
        parts = record.facts["parts"]
        label = ", ".join(f"{k} {name.rpartition('/')[2]}" for k, name in enumerate(parts))
        chosen.insert(0, Observed("part", label, record.arrays["part"].astype(float), None))
    return chosen[:most]


def first_with(records: Sequence[Inside], *names: str) -> Inside | None:
    """Return the first record that has all of these arrays."""
    return next((r for r in records if all(n in r.arrays for n in names)), None)


def required(records: Sequence[Inside], name: str, why: str) -> Inside:
    """Return the first record that has an array. Raises `LeftOut` with the reason where none has."""
    found = first_with(records, name)
    if found is None:
        raise LeftOut(why)
    return found


def where(record: Inside) -> str:
    """`latent of NAME`, `layer 3 of NAME`."""
    return f"{record.facts['layer']} of {record.label}"


def labels_of(records: Sequence[Inside]) -> list[str]:
    """Names of records for a legend."""
    return [r.label if r.facts["layer"] == "latent" else f"{r.label}, {r.facts['layer']}" for r in records]
