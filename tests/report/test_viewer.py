"""The viewer: its markup by itself, and its script in Node with a page of stubs."""

from __future__ import annotations

import json
import re
import shutil
import subprocess

import numpy as np
import pytest

from zoo.report.figures.samples import superposed
from zoo.report.viewer import FILL, SCRIPT, viewer

NODE = shutil.which("node")
WATER = np.array([[0.0, 0.0, 0.0], [0.96, 0.0, 0.0], [-0.24, 0.93, 0.1]])
BONDS = np.array([[0, 1], [0, 2]])

#: A page with one viewer: just the methods that the script calls. One line of JSON for each list of actions.
PAGE = """
const fs = require("fs"), vm = require("vm");
const { script, data, circles, lines, scenarios } = JSON.parse(fs.readFileSync(0, "utf8"));
class Stub {
  constructor(i) { this.dataset = { i: String(i) }; this.attributes = {}; this.on = {}; this.children = []; }
  setAttribute(k, v) { this.attributes[k] = v; }
  addEventListener(kind, act) { this.on[kind] = act; }
  append(...nodes) { this.children = nodes; }
}
const media = () => ({ matches: false, addEventListener() {} });
const quick = { requestAnimationFrame: (act) => act(), matchMedia: media };
for (const actions of scenarios) {
  const [svg, slider, output, controls, box, play] = [1, 2, 3, 4, 5, 6].map((i) => new Stub(i));
  slider.value = "0"; slider.parentElement = new Stub(7); controls.hidden = true;
  const atoms = circles.map((i) => new Stub(i)), bonds = lines.map((i) => new Stub(i));
  svg.querySelectorAll = (kind) => (kind === "circle" ? atoms : bonds);
  const text = JSON.stringify(data);
  const parts = { script: { textContent: text }, svg, input: slider, output };
  Object.assign(parts, { ".controls": controls, ".play": play });
  box.querySelector = (kind) => parts[kind];
  vm.runInNewContext(script, { ...quick, document: { querySelectorAll: () => [box], activeElement: box } });
  for (const [kind, what] of actions) {
    const event = { ...what, preventDefault() {}, target: kind === "slide" ? slider : box };
    if (kind === "slide") { slider.value = what.value; slider.on.input(event); }
    else if (kind === "key") { box.on.keydown(event); }
    else { svg.on[kind](event); }
  }
  const sorted = (nodes) => [...nodes].sort((a, b) => a.dataset.i - b.dataset.i).map((n) => n.attributes);
  console.log(JSON.stringify({
    atoms: sorted(atoms), bonds: sorted(bonds), note: output.textContent, hidden: controls.hidden,
    order: svg.children.map((n) => [atoms.includes(n) ? "atom" : "bond", Number(n.dataset.i)]),
    view: svg.attributes.viewBox,
  }));
}
"""
RIGHT, LEFT, DOWN, UP = (("key", {"key": f"Arrow{where}"}) for where in ("Right", "Left", "Down", "Up"))
SCENARIOS: dict[str, list[tuple[str, dict]]] = {
    "start": [],
    "second frame": [("slide", {"value": "1"})],
    "right": [RIGHT] * 5,
    "right and down": [RIGHT] * 5 + [DOWN] * 5,
    "there and back": [LEFT, RIGHT],
    "dragged round": [("pointermove", {"buttons": 1, "movementX": 314.16, "movementY": 0})],
    "moved over": [("pointermove", {"buttons": 0, "movementX": 99, "movementY": 0})],
    "up and in": [UP, ("key", {"key": "+"})],
    "keys of the browser": [("key", {"key": "+", "ctrlKey": True}), ("key", {"key": "Tab"})],
}


def markup(frames: np.ndarray | None = None, notes: tuple[str, ...] = ("first", "second </script>")) -> str:
    x = np.stack([WATER, WATER[:, [1, 0, 2]]]) if frames is None else frames
    return viewer(x, np.array([8, 1, 1]), BONDS, notes, "Water & <co>")


def still(text: str) -> dict[int, tuple[float, float]]:
    found = re.findall(r'<circle data-i="(\d)" cx="(.*?)" cy="(.*?)"', text)
    return {int(i): (float(x), -float(y)) for i, x, y in found}


@pytest.fixture(scope="module")
def turned() -> dict[str, dict]:
    """What the page looks like after each of the scenarios."""
    if NODE is None:
        pytest.skip("needs node")
    text = markup()
    given = {
        "script": SCRIPT,
        "data": json.loads(re.findall(r'<script type="application/json">(.*?)</script>', text, re.S)[0]),
        "scenarios": list(SCENARIOS.values()),
        "circles": [int(i) for i in re.findall(r'<circle data-i="(\d+)"', text)],
        "lines": [int(i) for i in re.findall(r'<line data-i="(\d+)"', text)],
    }
    done = subprocess.run(
        [NODE, "-e", PAGE], input=json.dumps(given), capture_output=True, text=True, timeout=200
    )
    assert done.returncode == 0, done.stderr
    found = dict(zip(SCENARIOS, map(json.loads, done.stdout.splitlines()), strict=True))
    for state in found.values():
        state["x"] = np.array([[float(a["cx"]), -float(a["cy"])] for a in state["atoms"]])
    return found


def picture(x: np.ndarray) -> np.ndarray:
    """Where atoms must be, apart from one scale."""
    return x - x.mean(0)


def same_up_to_scale(a: np.ndarray, b: np.ndarray) -> bool:
    return bool(np.allclose(a / np.abs(a).max(), b / np.abs(b).max(), atol=3e-3))


def test_still_picture_shows_the_first_frame_from_back_to_front():
    text = markup()
    at = still(text)
    assert same_up_to_scale(np.array([at[i] for i in range(3)]), picture(WATER)[:, :2])
    assert [int(i) for i in re.findall(r'<circle data-i="(\d)"', text)][-1] == 2  # the foremost
    radii = [float(r) for r in re.findall(r' r="(.*?)"', text)]
    reach = [np.hypot(*at[i]) for i in range(3)]
    assert max(reach) + min(radii) <= FILL + 0.2 and text.count("<line") == 2


def test_markup_cannot_be_broken_out_of():
    text = markup()
    assert text.count("</script>") == 1 and "Water &amp; &lt;co&gt;" in text
    assert "</script" not in SCRIPT and not re.search(r"\beval\b|Function\(|https?:|import\(|fetch", SCRIPT)


def test_script_draws_what_the_still_picture_shows(turned):
    found, first = turned["start"], still(markup())
    assert np.allclose(found["x"], [first[i] for i in range(3)], atol=0.11)
    assert found["note"] == "first" and found["hidden"] is False


def test_slider_shows_another_frame(turned):
    found = turned["second frame"]
    assert same_up_to_scale(found["x"], picture(WATER[:, [1, 0, 2]])[:, :2])
    assert found["note"] == "second </script>"


def test_arrow_keys_turn_about_the_axes_of_the_screen(turned):
    c, s = np.cos(0.6), np.sin(0.6)  # five keys
    upright = np.array([[c, 0, s], [0, 1, 0], [-s, 0, c]])
    level = np.array([[1, 0, 0], [0, c, -s], [0, s, c]])
    assert same_up_to_scale(turned["right"]["x"], (picture(WATER) @ upright.T)[:, :2])
    assert same_up_to_scale(turned["right and down"]["x"], (picture(WATER) @ upright.T @ level.T)[:, :2])
    for nothing in ("there and back", "moved over"):
        assert same_up_to_scale(turned[nothing]["x"], picture(WATER)[:, :2])


def test_half_a_turn_puts_the_back_in_front(turned):
    found = turned["dragged round"]
    assert same_up_to_scale(found["x"], picture(WATER)[:, :2] * [-1, 1])
    atoms = [i for kind, i in found["order"] if kind == "atom"]
    assert atoms[0] == 2  # was the foremost
    assert len(found["order"]) == 5


def test_bonds_run_from_atom_to_atom_and_zoom_narrows_the_view(turned):
    found = turned["up and in"]
    for bond, (i, j) in zip(found["bonds"], BONDS, strict=True):
        ends = np.array([[float(bond[f"x{k}"]), -float(bond[f"y{k}"])] for k in (1, 2)])
        first, second = found["x"][i], found["x"][j]
        way = second - first
        along = (ends - first) @ way / (way @ way)
        assert 0 < along[0] < 0.5 < along[1] < 1
        assert np.allclose(first + along[:, None] * way, ends, atol=0.2)
    assert float(found["view"].split()[2]) == pytest.approx(200 / 1.15)


def test_keys_of_the_browser_are_left_to_it(turned):
    assert turned["keys of the browser"]["view"] == turned["start"]["view"]
    assert np.array_equal(turned["keys of the browser"]["x"], turned["start"]["x"])


def test_superposed_frames_differ_by_no_turn_or_shift_and_stay_right_handed():
    rng = np.random.default_rng(0)
    x = rng.normal(size=(12, 3)) * [3, 1, 0.5]
    turn, _ = np.linalg.qr(rng.normal(size=(3, 3)))
    turn *= np.linalg.det(turn)
    found = superposed(np.stack([x, x @ turn + 7.0, x * [1, 1, -1]]))
    assert np.allclose(found[0], found[1], atol=1e-9)
    assert not np.allclose(found[0], found[2], atol=0.1)  # the mirror image is no rotation of it

    def volume(y: np.ndarray) -> float:
        return float(np.linalg.det(y[1:4] - y[0]))

    assert volume(found[0]) == pytest.approx(volume(x))
    assert volume(found[2]) == pytest.approx(-volume(x))
    assert np.ptp(found[0][:, 0]) > np.ptp(found[0][:, 1]) > np.ptp(found[0][:, 2])
