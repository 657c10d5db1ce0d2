"""Pictures of looks at layers: one picture, one file."""

from __future__ import annotations

from zoo.report.inside.kind import Draw

#: In the order of the page.
PICTURES: dict[str, Draw] = {}
