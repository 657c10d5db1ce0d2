"""Pictures of looks at latent: one picture, one file."""

from __future__ import annotations

from zoo.report.inside.kind import Draw
from zoo.report.inside.latent import (
    apart,
    dimension,
    information,
    maps,
    path,
    path_scene,
    sensitivity,
    similarity,
    spectrum,
    traversal,
    traversal_scene,
)

#: In the order of the page.
PICTURES: dict[str, Draw] = {
    "maps of the latent": maps.draw,
    "mutual information": information.draw,
    "spectrum": spectrum.draw,
    "intrinsic dimension": dimension.draw,
    "sets told apart": apart.draw,
    "traversals": traversal.draw,
    "traversals in space": traversal_scene.draw,
    "interpolation": path.draw,
    "interpolation in space": path_scene.draw,
    "sensitivity": sensitivity.draw,
    "similarity": similarity.draw,
}
