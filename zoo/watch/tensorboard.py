"""Pictures and flags of looks for TensorBoard, beside the scalars that the logger writes."""

from __future__ import annotations

import io
from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from matplotlib.image import imread

from zoo.analysis.flags import Flag
from zoo.report import plot
from zoo.verbs.inside.record import Inside
from zoo.watch.pictures import drawn_one_by_one

DPI = 110


def publish(writer: Any, records: Sequence[Inside], flags: Sequence[Flag], step: int) -> None:
    """Write the pictures of looks as images `KIND/TITLE`, and all flags as text.

    Args:
        writer: a `SummaryWriter`.
        records: of one moment of a training.
        flags: that hold now.
        step: optimiser steps done.
    """
    for record in records:
        for drawing in drawn_one_by_one(record)[0]:
            if drawing.figure is not None:
                tag = f"{record.kind}/{drawing.title}"
                writer.add_image(tag, _pixels(drawing.figure), step, dataformats="HWC")
    text = "\n\n".join(f"**{flag.kind}**: {flag.text}" for flag in flags) or "nothing found wrong"
    writer.add_text("flags", text, step)
    writer.flush()


def _pixels(figure: Figure) -> np.ndarray:
    """RGB `[height, width, 3]` on white, whatever the colours of TensorBoard's own page."""
    file = io.BytesIO()
    with plot.style():
        figure.savefig(file, format="png", dpi=DPI, facecolor="white", bbox_inches="tight")
    file.seek(0)
    return np.ascontiguousarray((imread(file)[..., :3] * 255).astype(np.uint8))
