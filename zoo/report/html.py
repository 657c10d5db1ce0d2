"""From runs to one HTML file that opens offline."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import Any

import jinja2
from markupsafe import Markup

from zoo.errors import RunError
from zoo.files import write_text
from zoo.report import plot
from zoo.report.figures import FIGURES
from zoo.report.inside import Look, looks, recorded
from zoo.report.provenance import data_facts, data_origin, run_facts
from zoo.report.runs import Group, LeftOut, find_runs, group_runs
from zoo.report.words import metric_name
from zoo.run import environment
from zoo.verbs.compare import Board, Cell
from zoo.verbs.inside.record import Inside

HERE = Path(__file__).parent
NOTHING = Cell(None, None, "")


@dataclass
class Section:
    """One dataset and task: a leaderboard, figures, and where they come from."""

    group: Group
    anchor: str
    drawings: list[plot.Drawing] = field(default_factory=list)
    left_out: list[tuple[str, str]] = field(default_factory=list)

    @property
    def board(self) -> Board:
        """The leaderboard."""
        return self.group.board

    @property
    def columns(self) -> list[str]:
        """Metrics of the table: of those that are lists over times, all correlations and errors."""
        return self.board.columns

    def facts(self) -> dict[str, Any]:
        """Provenance of the dataset and of the runs."""
        group = self.group
        return {"data": data_facts(group), "origin": data_origin(group), "runs": run_facts(group)}


def write_report(runs: Sequence[Path], out: Path, *, title: str = "Report") -> Path:
    """Write a report of run directories, or of folders of them, to the file `out`.

    Looks inside that `zoo analyze` left in the runs are in it. A figure that cannot be drawn is left out,
    and the page says why.

    Raises:
        RunError: there is no finished run at one of the paths, or one cannot be read.
    """
    out = Path(out)
    if out.is_dir():
        raise RunError(f"{out} is a folder; --out takes the name of an HTML file")
    found = find_runs(runs)
    inside = looks(recorded(found))
    sections = [_section(group, number) for number, group in enumerate(group_runs(found))]
    return _write(
        "template.html.jinja",
        out,
        title,
        [*sections, *inside],
        sections=sections,
        looks=inside,
        nothing=NOTHING,
        metric=metric_name,
    )


def write_looks(records: Sequence[Inside], out: Path) -> Path:
    """Write a page of looks inside alone to the file `out`: what `zoo analyze` leaves."""
    title = ", ".join(dict.fromkeys(record.label for record in records))
    parts = looks(records)
    return _write("looks.html.jinja", Path(out), title, parts, looks=parts)


def _write(template: str, out: Path, title: str, parts: Sequence[Section | Look], **values: Any) -> Path:
    page = _template(template).render(
        title=title,
        style=Markup((HERE / "style.css").read_text(encoding="utf-8")),
        made=datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC"),
        environment=environment(),
        scripts=_scripts(parts),
        **values,
    )
    out.parent.mkdir(parents=True, exist_ok=True)
    write_text(out, page)
    return out


def _scripts(parts: Sequence[Section | Look]) -> list[tuple[Markup, str]]:
    """Scripts that drawings need, each once, and the digest by which the page's policy lets it run."""
    needed = dict.fromkeys(d.script for part in parts for d in part.drawings if d.script)
    digests = [b64encode(sha256(script.encode()).digest()).decode() for script in needed]
    return [(Markup(script), f"sha256-{digest}") for script, digest in zip(needed, digests, strict=True)]


def _section(group: Group, number: int) -> Section:
    section = Section(group, f"part-{number}")
    with plot.style():
        for name, draw in FIGURES.items():
            try:
                drawing = draw(group)
            except LeftOut as reason:
                section.left_out.append((name, str(reason)))
                continue
            if drawing is not None:
                section.drawings.append(drawing)
    return section


def _template(name: str) -> jinja2.Template:
    loader = jinja2.FileSystemLoader(HERE)
    settings = jinja2.Environment(
        loader=loader, autoescape=True, trim_blocks=True, lstrip_blocks=True, undefined=jinja2.StrictUndefined
    )
    return settings.get_template(name)
