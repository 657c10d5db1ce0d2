"""What pictures of conformations share: records that have what is drawn, names and units of axes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from zoo.report.plot import look, with_unit
from zoo.report.runs import LeftOut
from zoo.verbs.inside.record import Inside

#: What is drawn of the reference.
REFERENCE = "reference"


def having(records: Sequence[Inside], name: str, what: str) -> list[Inside]:
    """Return the records that have an array or a fact. Raises `LeftOut` with the reason where none has."""
    found = [record for record in records if name in record.arrays or name in record.facts]
    if not found:
        reasons = [record.facts.get("left_out", {}).get(what) for record in records]
        raise LeftOut(
            "; ".join(dict.fromkeys(r for r in reasons if r)) or f"there is nothing to show of {what}"
        )
    return found


def styles(records: Sequence[Inside]) -> dict[str, dict[str, Any]]:
    """Return colour, dash and marker of each record, by its label."""
    return look([record.label for record in records])


def axis_of(name: str, unit: str, torsion: bool) -> tuple[str, float]:
    """Return the label of an axis, and what values are multiplied by: angles are drawn in degrees."""
    return (with_unit(name, "°"), 180 / np.pi) if torsion else (with_unit(name, unit), 1.0)


def who(record: Inside) -> str:
    """Return label and kind of the conformations: `run-1 (2000 draws)`."""
    told = record.facts["conformations"]
    return f"{record.label} ({told['frames']:,} conformations: {told['what']})"


def compared(records: Sequence[Inside]) -> list[Inside]:
    """Return the records that have a reference."""
    return [record for record in records if record.facts["reference"] is not None]


def against(records: Sequence[Inside]) -> str:
    """Return what the first record that has a reference is compared with."""
    told = compared(records)[0].facts["reference"]
    return f"{told['label']} ({told['frames']:,} frames)"


def share(value: float) -> str:
    """A share in per cent."""
    return f"{100 * value:.2g} %"
