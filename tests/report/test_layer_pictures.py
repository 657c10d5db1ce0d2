"""Pictures of looks at layers: what they show is what the records say."""

from __future__ import annotations

import re

import numpy as np
import pytest

from zoo.report.inside import looks
from zoo.report.inside.layers import PICTURES, bottlenecks, gains, smoothing
from zoo.report.inside.layers.rows import MOST, place_label
from zoo.report.plot import style
from zoo.report.runs import LeftOut
from zoo.tasks.metrics import metric
from zoo.verbs.inside.record import Inside

PLACES = ["block.0.filter.0 > block.0.filter.2", "head.lin1 > head.lin2"]


def record(label: str, maps: int = 4, *, searched: bool = True, attention: bool = True) -> Inside:
    rng = np.random.default_rng(0)
    arrays = {
        name: rng.random(maps) + 0.1
        for name in ("share", "share_error", "fitted_share", "psi", "wanted", "gradient", "gradient_error")
    }
    arrays |= {
        "units": np.full(maps, 8), "outputs": np.full(maps, 8), "rank": np.arange(maps) % 8 + 1,
        "effective_rank": np.linspace(1, 2, maps), "condition": np.logspace(0, 5, maps),
        "dead": np.array([0, 2]), "activation_units": np.array([8, 8]),
        "dirichlet": np.array([0.9, 0.5, 0.004]), "dirichlet_error": np.full(3, 0.001),
        "cosine_distance": np.array([0.8, 0.4, 0.002]), "cosine_error": np.full(3, np.nan),
        "singular_values": np.array([[3.0, 1.0, np.nan], [2.0, np.nan, np.nan]]),
        "gain_share": np.array([0.2, 0.1]), "cost": np.array([40, 10]),
    }  # fmt: skip
    if searched:
        arrays |= {
            "decrease": np.array([0.08, 0.04]), "decrease_error": np.array([0.01, np.nan]),
            "tried_amplitudes": np.array([[0, 1.0, 3], [0, 1.0, np.nan]]),
            "tried_promises": np.array([[0, 0.01, 0.03], [0, 0.01, np.nan]]),
            "tried_losses": np.array([[0, -0.009, 0.02], [0, 0.001, np.nan]]),
        }  # fmt: skip
    if attention:
        arrays |= {"attention_entropy": np.full((2, 3), 0.7), "attention_error": np.full((2, 3), 0.01)}
    return Inside(
        "layers",
        label,
        {
            "bottleneck_median": metric(0.5, "1"),
            "gradient_spread": metric(10, "1"),
            "update_decrease": metric(0.05, "1", 0.01),
        },
        arrays,
        facts={
            "maps": [f"map.{k}" for k in range(maps)], "places": PLACES, "best_place": PLACES[1],
            "activations": ["act.0", "act.1"], "states": ["layer 0", "layer 1", "layer 2"],
            "loss_unit": "1", "options": {"neurons": 4},
        },
    )  # fmt: skip


def test_all_pictures_of_two_runs_have_axes_captions_and_words_for_the_blind() -> None:
    (found,) = looks([record("one"), record("one", attention=False)])
    assert not found.left_out
    assert [part.label for part in found.records] == ["one", "one (2)"]
    assert len(found.drawings) == len(PICTURES)
    for drawing in found.drawings:
        assert re.search(r"Look .*(unit|share|%|loss)|(unit|share|%).*Look ", drawing.caption), drawing.title
        label = re.search(r'aria-label="([^"]+)"', drawing.svg)
        assert label is not None and len(label[1]) > 15
        for axis in drawing.figure.axes:
            assert axis.get_xlabel()
        assert drawing.table


def test_rows_show_the_shares_with_their_errors() -> None:
    one = record("one")
    with style():
        drawing = bottlenecks.draw([one])
    axis = drawing.figure.axes[0]
    points = axis.containers[0][0]
    assert np.allclose(points.get_xdata(), one.arrays["share"])
    assert [t.get_text() for t in axis.get_yticklabels()] == one.facts["maps"]


def test_of_many_layers_those_that_stand_out_are_kept_and_the_caption_says_so() -> None:
    many = record("many", maps=60)
    many.arrays["share"] = np.ones(60)
    many.arrays["share"][57] = 0.2
    with style():
        drawing = bottlenecks.draw([many])
    shown = [t.get_text() for t in drawing.figure.axes[0].get_yticklabels()]
    assert len(shown) == MOST and "map.57" in shown
    assert f"Of 60 layers the {MOST}" in drawing.caption


def test_gains_are_drawn_beside_what_the_weights_can_still_learn() -> None:
    with style():
        drawing = gains.draw([record("one")])
    left, right = drawing.figure.axes
    assert np.allclose(left.containers[0][0].get_xdata(), [0.08, 0.04])
    assert np.allclose(right.containers[0][0].get_xdata(), [2.0, 4.0])  # for 1000 parameters
    assert any(np.allclose(line.get_xdata(), 0.05) for line in left.lines)


def test_what_is_missing_is_said() -> None:
    with pytest.raises(LeftOut, match="line_search"):
        gains.draw([record("one", searched=False)])
    none = record("one")
    none.facts["places"] = []
    with pytest.raises(LeftOut, match="no place"):
        gains.draw([none])
    for name in ("dirichlet", "dirichlet_error"):
        del none.arrays[name]
    assert smoothing.draw([none]) is None  # a network without nodes


def test_labels_of_places_are_short() -> None:
    assert place_label(PLACES[0]) == "block.0.filter: 0 > 2"
    assert place_label("a > b") == "a > b"
    assert place_label("map.3") == "map.3"
