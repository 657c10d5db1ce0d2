"""The report in a real browser, from a file, without a network: it turns, plays, saves, prints, is read."""

from __future__ import annotations

import base64
import csv
import io
import json
import re
import time
from collections.abc import Callable, Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy as np
import pytest
from synthetic import chain

import zoo
from zoo.analysis.flags import Flag
from zoo.report import write_report
from zoo.run import Run

webdriver = pytest.importorskip("selenium.webdriver")
from browser import chromium, needs_browser  # noqa: E402
from selenium.webdriver.common.by import By  # noqa: E402
from selenium.webdriver.common.keys import Keys  # noqa: E402

pytestmark = needs_browser
WIDE, NARROW = 1280, 390
VIEWER, SLIDER = ".viewer", ".viewer input"
PLACES = (
    "return [...document.querySelectorAll('.viewer circle')].map(c => [+c.dataset.i, +c.getAttribute('cx')])"
)
#: Contrast of each visible text with what is behind it, by WCAG 2: the five worst.
CONTRAST = """
const parse = (text) => { const n = text.match(/[\\d.]+/g).map(Number);
  return n.length < 4 ? [...n, 1] : n; };
const light = (rgb) => { const [r, g, b] = rgb.map((v) => { v /= 255;
  return v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4; });
  return 0.2126 * r + 0.7152 * g + 0.0722 * b; };
const behind = (node) => { for (; node; node = node.parentElement) {
  const c = parse(getComputedStyle(node).backgroundColor); if (c[3] > 0) return c; }
  return [255, 255, 255, 1]; };
const found = [];
const walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
while (walk.nextNode()) {
  const node = walk.currentNode.parentElement;
  if (!walk.currentNode.textContent.trim() || !node.getClientRects().length) continue;
  if (["SCRIPT", "STYLE", "title"].includes(node.tagName)) continue;
  const style = getComputedStyle(node), drawn = node.ownerSVGElement;
  const [a, b] = [parse(drawn ? style.fill : style.color), behind(node)].map((c) => light(c.slice(0, 3)));
  found.push([(Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05), walk.currentNode.textContent.trim()]);
}
return [found.length, found.sort((p, q) => p[0] - q[0]).slice(0, 5)];
"""


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("browser")
    data = chain(folder / "chain", frames=30)
    settings = {"train.epochs": 2, "model.hidden_channels": 8}
    forces = zoo.train("schnet", data, settings=settings, out=folder / "forces")
    density = zoo.train(
        "laplace", "alanine-dipeptide/replica-exchange", task="density", settings={"task.samples": 120},
        out=folder / "density", with_baselines=False,
    )  # fmt: skip
    Run(forces.path).write_flags([Flag("overfitting", "the loss of the validation split rises")])
    return write_report(
        [forces.path, density.path], folder / "site" / "report.html", pictures=folder / "pictures"
    )


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    with chromium(tmp_path_factory.mktemp("profile")) as driver:
        yield driver


@pytest.fixture
def opened(browser: Any, page: Path) -> Any:
    """The page, fresh: light, wide, with motion."""
    look(browser)
    width(browser, WIDE)
    browser.get(page.as_uri())
    return browser


def look(browser: Any, scheme: str = "light", motion: str = "no-preference", media: str = "") -> None:
    features = [
        {"name": "prefers-color-scheme", "value": scheme},
        {"name": "prefers-reduced-motion", "value": motion},
    ]
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": media, "features": features})


def width(browser: Any, pixels: int) -> None:
    size = {"width": pixels, "height": 900, "deviceScaleFactor": 1, "mobile": False}
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)


def until(true: Callable[[], Any], seconds: float = 10.0) -> Any:
    end = time.monotonic() + seconds
    while not (found := true()) and time.monotonic() < end:
        time.sleep(0.05)
    assert found
    return found


def places(browser: Any) -> np.ndarray:
    """Where the balls of the viewer are, left to right, by particle."""
    return np.array([x for _, x in sorted(browser.execute_script(PLACES))])


def find(browser: Any, selector: str) -> Any:
    return browser.find_element(By.CSS_SELECTOR, selector)


def test_it_opens_from_a_file_asks_for_nothing_and_logs_no_error(browser, page):
    browser.get_log("performance"), browser.get_log("browser")
    browser.get(page.as_uri())
    find(browser, SLIDER).send_keys(Keys.ARROW_RIGHT)
    events = [json.loads(entry["message"])["message"] for entry in browser.get_log("performance")]
    asked = [e["params"]["request"]["url"] for e in events if e["method"] == "Network.requestWillBeSent"]
    assert asked.count(page.as_uri()) == 1
    assert {url for url in asked if not url.startswith("data:")} == {page.as_uri()}
    assert browser.get_log("browser") == []


def test_the_log_has_what_a_worse_page_would_ask_for(browser, tmp_path):
    """The test above can fail."""
    bad = tmp_path / "bad.html"
    bad.write_text('<img src="http://outside.invalid/a.png"><script>throw new Error("no")</script>')
    browser.get_log("performance"), browser.get_log("browser")
    browser.get(bad.as_uri())
    told = [entry["message"] for entry in browser.get_log("browser")]
    assert any("outside.invalid" in entry["message"] for entry in browser.get_log("performance"))
    assert any("Error: no" in text for text in told) and any("ERR_NAME_NOT_RESOLVED" in t for t in told)


def test_the_slider_moves_the_structure_to_the_frames_that_are_drawn(opened):
    drawing = json.loads(find(opened, ".viewer script").get_attribute("textContent"))
    slider = find(opened, SLIDER)
    for frame in (0, 1, 2):
        x = np.array(drawing["frames"][frame]).reshape(-1, 3)[:, 0] / 10
        until(lambda x=x: np.allclose(places(opened), x, atol=0.051))
        assert find(opened, ".viewer output").text == drawing["notes"][frame]
        slider.send_keys(Keys.ARROW_RIGHT)


def test_keys_and_mouse_turn_the_structure(opened):
    start = places(opened)
    find(opened, VIEWER).send_keys(Keys.ARROW_RIGHT * 3)
    until(lambda: np.abs(places(opened) - start).max() > 1)
    find(opened, VIEWER).send_keys(Keys.ARROW_LEFT * 3)
    until(lambda: np.allclose(places(opened), start, atol=0.11))
    svg = find(opened, ".viewer svg")
    opened.execute_script("arguments[0].scrollIntoView({block: 'center', behavior: 'instant'})", svg)
    webdriver.ActionChains(opened).click_and_hold(svg).move_by_offset(40, 10).release().perform()
    until(lambda: np.abs(places(opened) - start).max() > 1)


def test_play_steps_through_the_frames_until_it_is_stopped(opened):
    play, slider = find(opened, ".viewer .play"), find(opened, SLIDER)
    play.send_keys(Keys.SPACE)
    assert play.text == "Stop" and play.get_attribute("aria-pressed") == "true"
    until(lambda: int(slider.get_property("value")) >= 2)
    play.send_keys(Keys.SPACE)
    stopped = slider.get_property("value")
    time.sleep(0.8)
    assert slider.get_property("value") == stopped and play.text == "Play"


def test_nothing_plays_for_readers_who_ask_for_less_motion(opened):
    play, slider = find(opened, ".viewer .play"), find(opened, SLIDER)
    play.send_keys(Keys.SPACE)
    look(opened, motion="reduce")
    until(lambda: not play.is_displayed())
    stopped = slider.get_property("value")
    time.sleep(0.8)
    assert slider.get_property("value") == stopped
    opened.refresh()
    assert not find(opened, ".viewer .play").is_displayed() and find(opened, SLIDER).is_displayed()


def saved(browser: Any, figure: Any, folder: Path) -> dict[str, bytes]:
    """Click on all that saves a picture, and return the files that arrive."""
    folder.mkdir()
    where = {"behavior": "allow", "downloadPath": str(folder)}
    browser.execute_cdp_cmd("Browser.setDownloadBehavior", where)
    for link in figure.find_elements(By.CSS_SELECTOR, ".saves a, .saves button"):
        browser.execute_script("arguments[0].scrollIntoView({block: 'center', behavior: 'instant'})", link)
        before = len(list(folder.iterdir()))
        link.click()
        until(lambda before=before: len([p for p in folder.iterdir() if p.suffix in KINDS]) > before)
    return {path.suffix: path.read_bytes() for path in folder.iterdir()}


KINDS = (".svg", ".pdf", ".csv")


@pytest.mark.parametrize("kind", ["curves", "viewer"])
def test_a_picture_is_saved_as_svg_pdf_and_its_data(opened, page, tmp_path, kind):
    if kind == "viewer":  # turned: saved as it is seen
        find(opened, VIEWER).send_keys(Keys.ARROW_RIGHT * 4)
        time.sleep(0.2)
    figure = next(
        f for f in opened.find_elements(By.TAG_NAME, "figure")
        if bool(f.find_elements(By.CSS_SELECTOR, VIEWER)) == (kind == "viewer")
    )  # fmt: skip
    files = saved(opened, figure, tmp_path / "saved")
    assert sorted(files) == sorted(KINDS)
    root = ElementTree.fromstring(files[".svg"])
    text = files[".svg"].decode()
    assert root.tag == "{http://www.w3.org/2000/svg}svg" and "currentColor" not in text
    assert not re.search(r'href="(?!#|data:)|url\((?!#)|@import', text)
    assert files[".pdf"].startswith(b"%PDF") and files[".pdf"].rstrip().endswith(b"%%EOF")
    (name,) = (tmp_path / "saved").glob("*.csv")
    title = name.stem.partition("forces-" if kind == "curves" else "density-")[2]
    (written,) = (page.parent.parent / "pictures").glob(f"*/{title}.csv")
    assert files[".csv"] == written.read_bytes()
    rows = list(csv.DictReader(io.StringIO(files[".csv"].decode())))
    if kind == "curves":
        run = Run(page.parent.parent / "forces")
        found = [float(r["loss (no unit)"]) for r in rows if r["series"] == "schnet" and r["loss (no unit)"]]
        assert np.allclose(found, [row["val_loss"] for row in run.curve()], rtol=1e-5)
    else:
        drawn = np.array([float(c.get("cx")) for c in root.iter("{http://www.w3.org/2000/svg}circle")])
        assert np.allclose(np.sort(drawn), np.sort(places(opened)))
        assert {"x (Å)", "y (Å)", "z (Å)", "note"} <= set(rows[0]) and len(rows) % 22 == 0


def test_a_command_is_copied(opened):
    opened.execute_cdp_cmd("Browser.grantPermissions", {"permissions": ["clipboardReadWrite"]})
    box = find(opened, ".command")
    box.find_element(By.TAG_NAME, "button").click()
    until(lambda: box.find_element(By.CSS_SELECTOR, "[role=status]").text == "copied")
    assert box.find_element(By.TAG_NAME, "code").text.startswith("zoo train schnet")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_text_can_be_read_in_light_and_dark(opened, scheme):
    look(opened, scheme)
    opened.execute_script("for (const box of document.querySelectorAll('details')) box.open = true")
    background = opened.execute_script("return getComputedStyle(document.body).backgroundColor")
    assert (np.mean([int(n) for n in re.findall(r"\d+", background)]) > 128) == (scheme == "light")
    number, worst = opened.execute_script(CONTRAST)
    assert number > 200 and worst[0][0] >= 4.5, worst


@pytest.mark.parametrize("pixels", [WIDE, NARROW])
def test_nothing_hangs_over_the_edge(opened, pixels):
    width(opened, pixels)
    opened.execute_script("for (const box of document.querySelectorAll('details')) box.open = true")
    assert opened.execute_script("return document.documentElement.scrollWidth") <= pixels


def test_print_has_all_pictures_and_no_controls(opened):
    # an A4 page holds two pictures with their captions, or one and a table
    figures = len(opened.find_elements(By.TAG_NAME, "figure"))
    paper = {"paperWidth": 8.27, "paperHeight": 11.69}
    pdf = base64.b64decode(opened.execute_cdp_cmd("Page.printToPDF", paper)["data"])
    pages = len(re.findall(rb"/Type /Page\b(?!s)", pdf))
    assert pdf.startswith(b"%PDF") and figures / 3 <= pages <= figures + 6
    look(opened, "dark", media="print")
    width(opened, 718)  # A4 less the margins, in pixels of CSS
    shown = (
        "return [...document.querySelectorAll('nav, button, .saves, .controls')].filter(n => n.offsetParent)"
    )
    until(lambda: opened.execute_script(shown) == [])  # the change of medium takes a moment
    body = "const s = getComputedStyle(document.body); return [s.backgroundColor, s.color]"
    assert opened.execute_script(body) == ["rgb(255, 255, 255)", "rgb(0, 0, 0)"]
    until(lambda: opened.execute_script("return document.documentElement.scrollWidth") <= 718)


def test_everything_is_reached_by_the_tab_key_and_seen_to_be(opened):
    wanted = opened.execute_script(
        "return [...document.querySelectorAll('a, button, input, summary, .viewer')]"
        ".filter(n => n.getClientRects().length).length"
    )
    assert wanted > 30
    opened.execute_script("window.met = new Set()")
    here = (
        "const n = document.activeElement, s = getComputedStyle(n); window.met.add(n);"
        "return [n.tagName, s.outlineStyle, parseFloat(s.outlineWidth)]"
    )
    body = find(opened, "body")
    for _ in range(3 * wanted):
        webdriver.ActionChains(opened).send_keys(Keys.TAB).perform()
        tag, style, thick = opened.execute_script(here)
        if tag == "BODY":
            break
        assert style == "solid" and thick >= 2, tag
    missed = opened.execute_script(
        "return [...document.querySelectorAll('a, button, input, summary, .viewer')]"
        ".filter(n => n.getClientRects().length && !window.met.has(n)).map(n => n.outerHTML.slice(0, 80))"
    )
    assert missed == [] and body


def test_a_screen_reader_finds_its_way(opened):
    levels = opened.execute_script(
        "return [...document.querySelectorAll('h1,h2,h3,h4')].map(n => +n.tagName[1])"
    )
    assert levels[0] == 1 and levels.count(1) == 1
    assert all(b <= a + 1 for a, b in pairwise(levels))
    unnamed = opened.execute_script(
        "return [...document.querySelectorAll('figure svg[role=img], nav, .viewer, [role=region], section')]"
        ".filter(n => !n.getAttribute('aria-label') && !n.getAttribute('aria-labelledby')).length"
    )
    scopes = opened.execute_script("return [...document.querySelectorAll('th')].every(n => n.scope)")
    assert unnamed == 0 and scopes
    for link in opened.find_elements(By.CSS_SELECTOR, "nav a"):
        target = link.get_attribute("href").partition("#")[2]
        assert opened.execute_script("return !!document.getElementById(arguments[0])", target)
    assert (
        "overfitting" in find(opened, "#flags").text
        and "the loss of the validation" in find(opened, "#flags").text
    )
