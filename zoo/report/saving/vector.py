"""Pictures as SVG and PDF files: whole by themselves, in black on white."""

from __future__ import annotations

import io
import re

import matplotlib
from matplotlib.figure import Figure

#: Ink of a picture that stands by itself.
BLACK = "#000000"
#: What the page's style sheet says of the viewer's balls and sticks; `page.js` says the same.
STYLE = (
    "circle{stroke:#000;stroke-width:.5;stroke-opacity:.6}"
    "line{stroke:#5a6472;stroke-width:2.6;stroke-linecap:round}"
)


def standalone_svg(markup: str) -> str:
    """Return the first SVG in a page's markup as a file of its own."""
    start = markup.index("<svg")
    text = markup[start : markup.index("</svg>", start) + len("</svg>")].replace("currentColor", BLACK)
    opening, _, body = text.partition(">")
    left, top, width, height = (float(n) for n in re.findall(r'viewBox="([^"]+)"', opening)[0].split())
    alt = re.findall(r'aria-label="([^"]*)"', opening)[0]
    style = f"<style>{STYLE}</style>" if "<circle data-i" in body else ""
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" role="img" aria-label="{alt}" '
        f'viewBox="{left:g} {top:g} {width:g} {height:g}" width="{width:g}pt" height="{height:g}pt">'
    )
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{head}{style}{body}\n'


def figure_pdf(figure: Figure) -> bytes:
    """Return a figure as PDF, with fonts that journals take and without a date."""
    buffer = io.BytesIO()
    with matplotlib.rc_context({"pdf.fonttype": 42}):
        nothing = dict.fromkeys(("Creator", "Producer", "CreationDate"))
        figure.savefig(buffer, format="pdf", metadata=nothing, bbox_inches="tight", pad_inches=0.04)
    return buffer.getvalue()


def file_name(title: str) -> str:
    """A title as the beginning of a file's name: `Loss by epoch: φ` → `loss-by-epoch-φ`."""
    return re.sub(r"[\W_]+", "-", title.lower()).strip("-")[:60].rstrip("-") or "picture"
