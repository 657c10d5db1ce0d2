"""From runs to one HTML file that opens offline."""

from __future__ import annotations

import shlex
from base64 import b64encode
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cached_property
from hashlib import sha256
from pathlib import Path
from typing import Any

import jinja2
from markupsafe import Markup

from zoo.analysis.flags import Flag
from zoo.errors import RunError
from zoo.files import write_text
from zoo.report import plot
from zoo.report.figures import FIGURES
from zoo.report.inside import Look, looks, recorded
from zoo.report.provenance import data_facts, data_origin, run_facts
from zoo.report.runs import Group, LeftOut, find_runs, group_runs
from zoo.report.saving import file_name
from zoo.report.saving.links import links, write_pictures
from zoo.report.summary import summary
from zoo.report.words import metric_name
from zoo.run import environment, run_flags
from zoo.verbs.compare import Board, Cell
from zoo.verbs.inside.record import Inside

HERE = Path(__file__).parent
NOTHING = Cell(None, None, "")


@dataclass
class Section:
    """One dataset and task: what was trained, a leaderboard, figures, and where they come from."""

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

    @property
    def prefix(self) -> str:
        """How files saved from the page begin."""
        return file_name(f"{Path(self.board.dataset).name}-{self.board.task}")

    @property
    def summary(self) -> tuple[str, list[str]]:
        """What was trained on what, in sentences."""
        return summary(self.group)

    @cached_property
    def facts(self) -> dict[str, Any]:
        """Provenance of the dataset and of the runs."""
        group = self.group
        return {"data": data_facts(group), "origin": data_origin(group), "runs": run_facts(group)}

    @property
    def flags(self) -> list[tuple[str, Flag]]:
        """What training found wrong, and in which run."""
        pairs = zip(self.group.runs, self.group.labels, self.group.records, strict=True)
        return [
            (f"{label}, seed {record['seed']}", flag)
            for run, label, record in pairs
            for flag in run_flags(run)
        ]


def write_report(
    runs: Sequence[Path], out: Path, *, title: str = "Report", pictures: Path | None = None
) -> Path:
    """Write a report of run directories, or of folders of them, to the file `out`.

    Looks inside that `zoo analyze` left in the runs are in it. A figure that cannot be drawn is left out,
    and the page says why.

    Args:
        runs: run directories, or folders of them.
        out: HTML file.
        title: heading of the page.
        pictures: folder for all pictures as SVG and PDF, and their data as CSV.

    Raises:
        RunError: there is no finished run at one of the paths, or one cannot be read.
    """
    out = Path(out)
    if out.is_dir():
        raise RunError(f"{out} is a folder; --out takes the name of an HTML file")
    if pictures is not None and Path(pictures).is_file():
        raise RunError(f"{pictures} is a file; --pictures takes a folder")
    found = find_runs(runs)
    inside = looks(recorded(found))
    sections = [_section(group, number) for number, group in enumerate(group_runs(found))]
    _write(out, title, sections, inside)
    if pictures is not None:
        parts: list[Section | Look] = [*sections, *inside]
        for part in parts:
            write_pictures(part.drawings, Path(pictures) / part.prefix)
    return out


def write_looks(records: Sequence[Inside], out: Path) -> Path:
    """Write a page of looks inside alone to the file `out`: what `zoo analyze` leaves."""
    title = ", ".join(dict.fromkeys(record.label for record in records))
    return _write(Path(out), title, [], looks(records))


def _write(out: Path, title: str, sections: Sequence[Section], inside: Sequence[Look]) -> Path:
    parts: list[Section | Look] = [*sections, *inside]
    here = environment()
    page = _template("template.html.jinja").render(
        title=title,
        style=Markup((HERE / "style.css").read_text(encoding="utf-8")),
        made=datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC"),
        made_by=shlex.join(here["command"]),
        environment=here,
        scripts=_scripts(parts),
        sections=sections,
        looks=inside,
        flags=[(where, part.anchor, flag) for part in parts for where, flag in part.flags],
        links=links,
        nothing=NOTHING,
        metric=metric_name,
    )
    out.parent.mkdir(parents=True, exist_ok=True)
    write_text(out, page)
    return out


def _scripts(parts: Sequence[Section | Look]) -> list[tuple[Markup, str]]:
    """Scripts of the page and of drawings, each with the digest by which the policy lets it run."""
    own = (HERE / "page.js").read_text(encoding="utf-8")
    needed = dict.fromkeys([own, *(d.script for part in parts for d in part.drawings if d.script)])
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
