"""Pictures of looks inside: `draw(records)` of one kind returns a `Drawing`, or None where it has no meaning.

All pictures take several records, to compare runs; one that shows a single subject shows the first that has
what it needs. It raises `LeftOut` where it would have a meaning, but what it is drawn from is missing.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

from zoo.report.inside import conformations, latent, layers, samples
from zoo.report.inside import slice as slices
from zoo.report.inside.kind import Draw, drawn
from zoo.report.inside.look import Look
from zoo.run import Run
from zoo.verbs.inside.record import FOLDER, Inside

__all__ = ["PICTURES", "Look", "looks", "recorded"]

#: Pictures of each kind of look, in the order of the page.
PICTURES: dict[str, dict[str, Draw]] = {
    "slice": slices.PICTURES,
    "samples": samples.PICTURES,
    "conformations": conformations.PICTURES,
    "latent": latent.PICTURES,
    "layers": layers.PICTURES,
}


def looks(records: Sequence[Inside]) -> list[Look]:
    """Return what a page shows of records: one part for each kind; labels that are alike get numbers."""
    out = []
    for kind, pictures in PICTURES.items():
        own = _distinct([record for record in records if record.kind == kind])
        if own:
            drawings, left_out = drawn(pictures, own)
            out.append(Look(kind, f"inside-{kind}", own, drawings, left_out))
    return out


def _distinct(records: Sequence[Inside]) -> list[Inside]:
    """Records with labels that differ, as folders of runs may have the same name."""
    seen: Counter[str] = Counter()
    out = []
    for record in records:
        seen[record.label] += 1
        number = seen[record.label]
        out.append(record if number == 1 else replace(record, label=f"{record.label} ({number})"))
    return out


def recorded(runs: Sequence[Run]) -> list[Inside]:
    """Return the looks that `zoo analyze` left in run directories."""
    return [
        Inside.load(run.path / FOLDER, kind)
        for run in runs
        for kind in PICTURES
        if (run.path / FOLDER / f"{kind}.json").is_file()
    ]
