"""What a page shows of one kind of look."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from zoo.analysis.flags import Flag
from zoo.report import plot
from zoo.report.saving import file_name
from zoo.report.words import metric_name
from zoo.verbs.compare import Cell
from zoo.verbs.inside.record import Inside


@dataclass
class Look:
    """One kind of look inside, at one subject or at several."""

    kind: str
    anchor: str
    records: list[Inside]
    drawings: list[plot.Drawing] = field(default_factory=list)
    left_out: list[tuple[str, str]] = field(default_factory=list)

    @property
    def prefix(self) -> str:
        """How files saved from the page begin."""
        return file_name("-".join(dict.fromkeys([*(record.label for record in self.records[:2]), self.kind])))

    @property
    def flags(self) -> list[tuple[str, Flag]]:
        """What the looks found wrong, and where."""
        return [(f"{r.label}, {self.kind}", flag) for r in self.records for flag in r.flags]

    @property
    def told(self) -> list[str]:
        """What was looked at, a sentence for each record."""
        return [f"{r.label}: {', '.join(_parts(r.facts))}." for r in self.records if _parts(r.facts)]

    @property
    def commands(self) -> list[tuple[str, str]]:
        """Label and command of each look."""
        return [(r.label, str(r.facts["command"])) for r in self.records if r.facts.get("command")]

    @property
    def rows(self) -> list[tuple[str, list[str], str]]:
        """Name, one text for each record, and unit of each number."""
        names = list(dict.fromkeys(name for record in self.records for name in record.numbers))
        out = []
        for name in names:
            found = [record.numbers.get(name) for record in self.records]
            unit = next(number["unit"] for number in found if number)
            cells = ["–" if n is None else Cell(n["value"], n.get("error"), n["unit"]).text() for n in found]
            out.append((metric_name(name), cells, "" if unit == "1" else unit))
        return out


def _parts(facts: Mapping[str, Any]) -> list[str]:
    """What is looked at, how many frames of which split, and the seed, as far as the record has them."""
    frames, split = facts.get("frames"), facts.get("split")
    number = len(frames) if isinstance(frames, list) else frames
    parts = [str(facts["subject"])] if "subject" in facts else []
    if number is not None:
        parts.append(f"{number:,} frames" + (f" of split {split}" if split else ""))
    return parts + ([f"seed {facts['seed']}"] if parts and "seed" in facts else [])
