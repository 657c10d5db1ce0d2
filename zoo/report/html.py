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
from zoo.report.provenance import data_facts, data_origin, run_facts
from zoo.report.runs import Group, LeftOut, find_runs, group_runs
from zoo.run import environment
from zoo.verbs.compare import Board, Cell

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

    A figure that cannot be drawn is left out, and the page says why.

    Raises:
        RunError: there is no finished run at one of the paths, or one cannot be read.
    """
    out = Path(out)
    if out.is_dir():
        raise RunError(f"{out} is a folder; --out takes the name of an HTML file")
    groups = group_runs(find_runs(runs))
    sections = [_section(group, number) for number, group in enumerate(groups)]
    page = _template().render(
        title=title,
        sections=sections,
        style=Markup((HERE / "style.css").read_text(encoding="utf-8")),
        made=datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC"),
        environment=environment(),
        nothing=NOTHING,
        metric=metric_name,
        scripts=_scripts(sections),
    )
    out.parent.mkdir(parents=True, exist_ok=True)
    write_text(out, page)
    return out


def _scripts(sections: list[Section]) -> list[tuple[Markup, str]]:
    """Scripts that drawings need, each once, and the digest by which the page's policy lets it run."""
    needed = dict.fromkeys(d.script for section in sections for d in section.drawings if d.script)
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


def metric_name(key: str) -> str:
    """`pearson_mean_A` as people read it: `r in a configuration, A`."""
    words = {
        "force_mae": "force MAE",
        "force_rmse": "force RMSE",
        "energy_mae": "energy MAE",
        "pearson_mean": "r in a configuration",
        "pearson_pooled": "r pooled",
        "mae": "MAE",
        "share_mean": "share of the ceiling in a configuration",
        "share_pooled": "share of the pooled ceiling",
        "calibration": "error over expected error",
        "spread_correlation": "rank r of spread and error",
        "chi": "χ",
    }
    if key in words:
        return words[key]
    stem, _, kind = key.rpartition("_")
    return f"{words[stem]}, {kind}" if stem in words else key.replace("_", " ")


def _template() -> jinja2.Template:
    loader = jinja2.FileSystemLoader(HERE)
    settings = jinja2.Environment(
        loader=loader, autoescape=True, trim_blocks=True, lstrip_blocks=True, undefined=jinja2.StrictUndefined
    )
    return settings.get_template("template.html.jinja")
