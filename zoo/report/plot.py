"""How figures look, and how they become SVG inside a page: readable on light and on dark."""

from __future__ import annotations

import io
import re
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from html import escape
from itertools import count
from textwrap import wrap
from typing import Any

import matplotlib
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import Colormap, ListedColormap
from matplotlib.figure import Figure

from zoo.report.saving import figure_pdf, figure_table, file_name, standalone_svg

#: Stands for the text colour of the page while matplotlib draws.
INK = "#0b0c0d"
#: Okabe and Ito's colours, told apart with any colour vision; those that carry on both backgrounds first.
COLORS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9")
DASHES = ("-", "--", "-.", ":")
MARKERS = ("o", "s", "^", "D", "v", "P")

STYLE: dict[Any, Any] = {
    "figure.facecolor": "none",
    "axes.facecolor": "none",
    "savefig.facecolor": "none",
    "text.color": INK,
    "axes.edgecolor": INK,
    "axes.labelcolor": INK,
    "xtick.color": INK,
    "ytick.color": INK,
    "legend.frameon": False,
    "legend.fontsize": 8.5,
    "font.size": 9.5,
    "axes.titlesize": 10,
    "axes.linewidth": 0.7,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "grid.color": INK,
    "grid.alpha": 0.13,
    "grid.linewidth": 0.6,
    "lines.linewidth": 1.6,
    "svg.fonttype": "none",
    "font.family": "sans-serif",
    "savefig.dpi": 160,
}

_number = count()
_DIGITS = re.compile(r"(\d\.\d\d)\d+")


@dataclass(frozen=True)
class Drawing:
    """A figure of the page. Made by `finish`, or by `zoo.report.viewer.scene`.

    Args:
        title, caption: text.
        svg: markup.
        script: what the markup needs, once in the page.
        figure: as matplotlib has it.
        rows: CSV of what is drawn, where the figure has not all of it.
    """

    title: str
    svg: str
    caption: str
    script: str = ""
    figure: Figure | None = None
    rows: str = ""

    @property
    def name(self) -> str:
        """The title as the beginning of a file's name."""
        return file_name(self.title)

    @cached_property
    def table(self) -> str:
        """What is drawn, as CSV: columns are called as the axes are, with units."""
        return self.rows or ("" if self.figure is None else figure_table(self.figure))

    @cached_property
    def pdf(self) -> bytes:
        """The picture as PDF; b"" without a figure."""
        with style():
            return b"" if self.figure is None else figure_pdf(self.figure)

    @property
    def svg_file(self) -> str:
        """The picture as an SVG file that stands by itself."""
        return standalone_svg(self.svg)


@contextmanager
def style() -> Iterator[None]:
    """Draw in the page's style."""
    with matplotlib.rc_context({**matplotlib.rcParamsDefault, "backend": "agg", **STYLE}):
        yield


def panels(columns: int, rows: int = 1, width: float = 3.4, height: float = 2.8, **kwargs: Any) -> Any:
    """Return a figure and its axes `[rows, columns]`, each panel `width` × `height` inches."""
    figure = Figure(figsize=(width * columns, height * rows), layout="constrained")
    return figure, figure.subplots(rows, columns, squeeze=False, **kwargs)


def finish(figure: Figure, title: str, alt: str, caption: str) -> Drawing:
    """Turn a figure into markup. `alt` is read to people who cannot see it."""
    _wrap_titles(figure)
    svg = to_svg(figure, alt)
    figure.set_layout_engine("none")  # all is in its place: a PDF need not find it again
    return Drawing(title, svg, caption, figure=figure)


def to_svg(figure: Figure, alt: str) -> str:
    """Return inline SVG: no reference to the outside, ids of its own, text in the page's colour."""
    buffer = io.StringIO()
    nothing = dict.fromkeys(("Creator", "Date", "Format", "Type"))
    figure.savefig(buffer, format="svg", metadata=nothing, bbox_inches="tight", pad_inches=0.04)
    text = buffer.getvalue()
    text = text[text.index("<svg") :]
    text = re.sub(r"<metadata>.*?</metadata>|<style.*?</style>|<!--.*?-->", "", text, flags=re.S)
    text = text.replace("xlink:href", "href").replace(INK, "currentColor")
    # a hundredth of a point is finer than any screen, and a third of the page is saved
    text = re.sub(r' (d|x|y)="[^"]*"', lambda found: _DIGITS.sub(r"\1", found[0]), text)
    prefix = f"f{next(_number)}-"
    text = re.sub(r'\bid="', f'id="{prefix}', text)
    text = re.sub(r'href="#', f'href="#{prefix}', text)
    text = re.sub(r"url\(#", f"url(#{prefix}", text)
    opening, _, body = text.partition(">")
    box = re.findall(r'viewBox="([^"]+)"', opening)[0]
    width = float(box.split()[2]) * 4 / 3  # points to pixels
    head = f'<svg role="img" aria-label="{escape(alt)}" viewBox="{box}" style="--width: {width:.0f}px">'
    return f"{head}<title>{escape(alt)}</title>{body.strip()}"


def look(labels: Sequence[str]) -> dict[str, dict[str, Any]]:
    """Return colour, dash and marker of each model: the same in every figure of a group."""
    return {
        label: {
            "color": COLORS[i % len(COLORS)],
            "linestyle": DASHES[i % len(DASHES)],
            # shifted by one each time that the colours are used up: 36 pairs of colour and marker
            "marker": MARKERS[(i + i // len(COLORS)) % len(MARKERS)],
        }
        for i, label in enumerate(labels)
    }


def density_map() -> Colormap:
    """Viridis without its ends, which would vanish in a dark or in a white page."""
    full = matplotlib.colormaps["viridis"]
    return ListedColormap([full(0.2 + 0.72 * i / 255) for i in range(256)])


def legend(figure: Figure, axis: Any) -> None:
    """Name the curves of `axis` above all panels, where they cover nothing.

    In as many columns as fit the figure's width; the figure grows by the rows beyond the first.
    """
    handles, names = axis.get_legend_handles_labels()
    if not names:
        return
    renderer = FigureCanvasAgg(figure).get_renderer()
    for columns in range(min(len(names), 6), 0, -1):
        drawn = figure.legend(handles, names, loc="outside upper center", ncols=columns)
        extent = drawn.get_window_extent(renderer)
        if extent.width <= 0.98 * figure.bbox.width or columns == 1:
            rows = -(-len(names) // columns)
            more = (rows - 1) * extent.height / rows / figure.dpi
            figure.set_figheight(figure.get_figheight() + more)
            return
        drawn.remove()


def _wrap_titles(figure: Figure) -> None:
    """Break titles of panels that would run into the next panel."""
    for axis in figure.axes:
        spec = axis.get_subplotspec()
        text, size = axis.get_title(), float(axis.title.get_fontsize())
        if spec is None or not text:
            continue
        share = len(spec.colspan) / spec.get_gridspec().ncols
        # a letter is about 0.55 of its height wide; a tenth is left between panels
        letters = int(0.9 * share * figure.get_figwidth() * 72 / (0.55 * size))
        if max(map(len, text.splitlines())) > letters:
            lines = [part for line in text.splitlines() for part in wrap(line, max(letters, 12)) or [""]]
            axis.set_title("\n".join(lines), fontsize=size)


def set_scale(axis: Any, values: Iterable[float]) -> None:
    """Logarithmic y axis where values span more than a factor of three, linear elsewhere."""
    known = [v for v in values if v > 0]
    if known and max(known) > 3 * min(known):
        axis.set_yscale("log")


def with_unit(text: str, unit: str) -> str:
    """`force error (eV/Å)`."""
    return f"{text} ({unit})" if unit and unit != "1" else text
