"""One figure, one file: `draw(group)` returns a `Drawing`, or None where it has no meaning.

It raises `LeftOut` where it would have one, but its data is missing.
"""

from __future__ import annotations

from collections.abc import Callable

from zoo.report.figures import correlation, elements, glass_map, learning, parity, ramachandran
from zoo.report.plot import Drawing
from zoo.report.runs import Group

#: All figures, in the order of the page, by the name under which one that is left out is listed.
FIGURES: dict[str, Callable[[Group], Drawing | None]] = {
    "learning curves": learning.draw,
    "predicted against true forces": parity.draw,
    "force error by element": elements.draw,
    "correlation against time": correlation.draw,
    "propensity map": glass_map.draw,
    "Ramachandran plot": ramachandran.draw,
}

__all__ = ["FIGURES"]
