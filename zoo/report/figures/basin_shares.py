"""Populations of basins with errors, beside the reference's."""

from __future__ import annotations

from textwrap import fill
from typing import Any

import numpy as np

from zoo.analysis.basins import is_cis, joint_states
from zoo.analysis.mode_drop import Verdict
from zoo.analysis.peptides import torsion_planes
from zoo.analysis.populations import Population
from zoo.report.density import MOST, Draws, all_draws
from zoo.report.plot import INK, Drawing, finish, look, panels
from zoo.report.runs import Group
from zoo.tasks.density.scores import basin_members, judged

#: Where the axis ends, relative to the reference's smallest share.
END = 0.03


def draw(group: Group) -> Drawing | None:
    """A row for each basin; for each model a hollow mark (raw) and a full one (reweighted)."""
    shown = [d for d in all_draws(group)[:MOST] if basin_members(dict(d.arrays), d.frames) is not None]
    found: dict[str, Verdict] = {d.label: judged(dict(d.arrays), d.frames, d.weights) for d in shown}
    if not found:
        return None
    findings = next(iter(found.values())).findings
    names = [f.basin for f in findings]
    end = END * min((f.reference.share for f in findings if f.reference.share > 0), default=1e-3)
    figure, axes = panels(1, width=6.4, height=1.3 + 0.3 * len(names))
    axis, styles = axes[0, 0], look(group.palette)
    rows = np.arange(len(names))[::-1]
    for row, finding in zip(rows, findings, strict=True):
        own = finding.reference
        axis.plot(2 * [max(100 * own.share, 100 * end)], [row - 0.4, row + 0.4], color=INK, linewidth=1.2)
        low, high = (100 * max(own.share + s * own.error, end) for s in (-1, 1))
        axis.fill_betweenx([row - 0.4, row + 0.4], low, high, color=INK, alpha=0.15, linewidth=0)
    step = 0.7 / len(found)
    for i, (label, verdict) in enumerate(found.items()):
        for row, f in zip(rows, verdict.findings, strict=True):
            at = row + 0.35 - (i + 0.5) * step
            style = {"color": styles[label]["color"], "marker": styles[label]["marker"], "markersize": 5}
            _mark(axis, f.raw, at + 0.15 * step, end, fillstyle="none", **style)
            if f.reweighted is not None:
                _mark(axis, f.reweighted, at - 0.15 * step, end, **style)
        words = fill(f"{label}: {verdict.status}", 90, subsequent_indent="    ")
        axis.plot([], [], linestyle="none", label=words, **style)
    axis.set_xscale("log")
    axis.set_xlim(80 * end, 130)
    axis.set_yticks(rows, names)
    axis.set(xlabel="share (%)", ylim=(-0.6, len(names) - 0.4))
    axis.grid(False, axis="y")
    figure.legend(*axis.get_legend_handles_labels(), loc="outside upper left", ncols=1)
    notes = next(iter(found.values())).notes
    cis = (
        "Cis states are shares of all frames and are not judged, the others are shares of the frames with "
        "all peptide bonds in trans. "
    )
    caption = (
        "Share of each basin in % (logarithmic). Bar: the reference with its standard error (grey). Hollow "
        "marks: the draws as they come; full marks: reweighted; with standard errors. A triangle at the left "
        f"edge: none or nearly none. {cis if any(map(is_cis, names)) else ''}The words beside a model are "
        "the verdict: missing (under a tenth of the reference) and starved (under a half, or under 0.8 after "
        "reweighting), each beyond chance at one false alarm in 100 verdicts."
        " Look for full marks off the bar by more than the errors."
        + (f" {notes[0]}." if notes else "")
        + _joint(shown)
    )
    alt = "Populations of basins. " + "; ".join(f"{label}: {v.status}" for label, v in found.items())
    return finish(figure, "Populations of basins", alt, caption)


def _joint(shown: list[Draws]) -> str:
    """A sentence on the states of all residues together, of which shares of residues tell nothing."""
    if len(torsion_planes(shown[0].names)) < 2:
        return ""
    visited = [
        [set(joint_states(d.names, d.arrays[k]).tolist()) for k in ("reference_torsions", "torsions")]
        for d in shown
    ]
    drawn = ", ".join(f"{d.label} {len(a & b)}" for d, (a, b) in zip(shown, visited, strict=True))
    whole = len(visited[0][0])
    return f" Of {whole} joint states of all residues that the reference visits are drawn: {drawn}."


def _mark(axis: Any, found: Population, row: float, end: float, **how: Any) -> None:
    if found.share > end:
        error = min(found.error, 0.9 * found.share), found.error
        axis.errorbar(
            100 * found.share,
            row,
            xerr=[[100 * error[0]], [100 * error[1]]],
            elinewidth=1,
            linestyle="none",
            **how,
        )
    else:
        axis.plot(100 * end, row, linestyle="none", **{**how, "marker": "<"})
