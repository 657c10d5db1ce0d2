"""Links of a page that save its pictures, and pictures as files of a folder."""

from __future__ import annotations

import gzip
from base64 import b64encode
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from zoo.files import write_bytes, write_text
from zoo.report.plot import Drawing

#: Largest file of a picture that a page carries, in bytes; larger ones are written by `--pictures`.
LARGEST = 400_000


@dataclass(frozen=True)
class Link:
    """A link that saves a file.

    Args:
        kind: "PDF" or "CSV".
        file: name to save it by.
        href: the file itself; "" for one that is too large for a page.
    """

    kind: str
    file: str
    href: str


def links(drawing: Drawing, prefix: str) -> list[Link]:
    """Links for the PDF and the data of a drawing.

    The data travels compressed: without scripts, the link saves it as it is, `.csv.gz`.
    """
    packed = gzip.compress(drawing.table.encode(), 9, mtime=0)
    name = f"{prefix}-{drawing.name}"
    return [
        Link("PDF", f"{name}.pdf", _inline(drawing.pdf, "application/pdf")),
        Link("CSV", f"{name}.csv.gz", _inline(packed, "application/gzip")),
    ]


def _inline(content: bytes, kind: str) -> str:
    return "" if len(content) > LARGEST else f"data:{kind};base64,{b64encode(content).decode()}"


def write_pictures(drawings: Iterable[Drawing], folder: Path) -> list[Path]:
    """Write each drawing as SVG and PDF, and its data as CSV, and return the paths."""
    folder.mkdir(parents=True, exist_ok=True)
    written: list[Path] = []
    for drawing in drawings:
        stem, number = drawing.name, 1
        while folder / f"{stem}.svg" in written:
            number += 1
            stem = f"{drawing.name}-{number}"
        write_text(folder / f"{stem}.svg", drawing.svg_file)
        write_bytes(folder / f"{stem}.pdf", drawing.pdf)
        write_text(folder / f"{stem}.csv", drawing.table)
        written += [folder / f"{stem}.{ending}" for ending in ("svg", "pdf", "csv")]
    return written
