"""What a page shows of one kind of look."""

from __future__ import annotations

from dataclasses import dataclass, field

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
