"""What single figures draw: found by topology and geometry, not by names."""

from __future__ import annotations

import numpy as np
from synthetic import glass

from zoo.data.dataset import Dataset
from zoo.report.plot import INK, look, panels, set_scale, style, to_svg
from zoo.report.slab import radii


def test_radii_of_touching_neighbours(tmp_path):
    """A lattice of A at distance 1 with a B in the middle of a cell, at √3/2 from its corners."""
    data = Dataset(glass(tmp_path / "glass", particles=10))
    side = np.array([2.0, 2.0, 2.0])
    corners = np.array([[i, j, k] for i in (0, 1) for j in (0, 1) for k in (0, 1)], float)
    x = np.concatenate([corners, [[0.5, 0.5, 0.5], [1.5, 0.5, 0.5]]])
    x[0] -= 1e-17  # on the wrong side of the box's edge, by round-off
    radius = radii(data.system.types, data.system.pbc, x, side)  # 8 A and 2 B
    assert np.allclose(radius[:8], 0.5) and np.allclose(radius[8:], np.sqrt(3) / 2 - 0.5)


def test_svg_of_two_figures_shares_no_id_and_names_nothing_outside():
    ids = []
    for _ in range(2):
        with style():
            figure, axes = panels(1)
            axes[0, 0].plot([1, 2], [1, 2], marker="o", label="a < b")
            axes[0, 0].legend()
            svg = to_svg(figure, 'x < y & "z"')
        assert "http" not in svg and INK not in svg and "currentColor" in svg
        assert 'aria-label="x &lt; y &amp; &quot;z&quot;"' in svg
        ids.append({part.partition('"')[0] for part in svg.split(' id="')[1:]})
    assert ids[0] and not ids[0] & ids[1]


def test_models_beyond_the_palette_still_differ_by_dash_or_marker():
    found = [tuple(v.values()) for v in look([str(i) for i in range(12)]).values()]
    assert len(set(found)) == 12


def test_scale_is_logarithmic_only_where_it_helps():
    for values, scale in (([1.0, 2.0], "linear"), ([0.01, 2.0], "log"), ([], "linear")):
        _, axes = panels(1)
        set_scale(axes[0, 0], values)
        assert axes[0, 0].get_yscale() == scale
