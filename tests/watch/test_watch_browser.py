"""The page of `zoo watch` in a real browser: it follows the run, and leaves the reader's hands alone."""

from __future__ import annotations

import json
import os
import socket
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from synthetic import chain

import zoo
from zoo.analysis.flags import Flag
from zoo.files import write_json
from zoo.run import RESULTS, STATUS, Run
from zoo.tasks.metrics import metric
from zoo.verbs.inside.record import Inside
from zoo.verbs.looking.callback import epoch_folder
from zoo.watch.server import Server

pytest.importorskip("selenium.webdriver")
from browser import chromium, needs_browser
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys

pytestmark = needs_browser
PLACES = "return [...document.querySelectorAll('.viewer circle')].map(c => c.getAttribute('cx')).join()"
OVERFLOW = "return document.documentElement.scrollWidth - document.documentElement.clientWidth"


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    with chromium(
        tmp_path_factory.mktemp("profile"), "--window-size=1200,1400", reachable="127.0.0.1"
    ) as driver:
        yield driver


class Training:
    """A run directory that changes as one in training does."""

    def __init__(self, run: Run) -> None:
        self.run = run
        (run.path / RESULTS).unlink()

    def reach(self, epochs: int, state: str = "training") -> None:
        rows = [
            {"epoch": i, "seconds": 2.0 * (i + 1), "train_loss": 1 / (i + 1), "val_loss": 1.1 / (i + 1)}
            for i in range(epochs)
        ]
        self.run.write_curve(rows)
        status = {"state": state, "epochs": 10, "done": epochs, "step": 1, "steps": 4, "pid": os.getpid()}
        problems = {"problems": {"latent": "it has none", "predictions": "no"}, "host": socket.gethostname()}
        write_json(self.run.path / STATUS, status | problems)

    def look(self, epochs: int) -> None:
        x = np.random.default_rng(epochs).normal(0, 1, (4, 5, 3))
        arrays = {"positions": x, "elements": np.array([6, 8, 6, 8, 6]), "bonds": np.array([[0, 1], [1, 2]])}
        facts = {"notes": [f"{name} after {epochs}" for name in ("one", "two", "three", "four")], "unit": "Å"}
        record = Inside("samples", "run", {"finite": metric(1.0, "1")}, arrays, facts=facts)
        record.save(epoch_folder(self.run.path, epochs))


@pytest.fixture
def training(tmp_path: Path) -> Training:
    data = chain(tmp_path / "chain", frames=24)
    return Training(zoo.train("mean-force", data, out=tmp_path / "run", with_baselines=False))


@pytest.fixture
def page(training: Training, browser: Any) -> Iterator[Any]:
    training.reach(2)
    training.look(2)
    browser.get_log("browser"), browser.get_log("performance")
    with Server(training.run.path, 0) as server:
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
        browser.get(server.address)
        browser.server = server
        until(lambda: browser.find_elements(By.CSS_SELECTOR, "#look-samples .viewer circle"))
        yield browser
        server.shutdown()
    errors = [entry for entry in browser.get_log("browser") if entry["level"] == "SEVERE"]
    assert [e for e in errors if "ERR_CONNECTION_REFUSED" not in e["message"]] == []
    browser.get("about:blank")


def until(condition: Callable[[], Any], seconds: float = 20.0) -> Any:
    """Wait for a condition, of a page that asks every two seconds."""
    end = time.monotonic() + seconds
    while not (found := condition()):
        assert time.monotonic() < end, "nothing came of waiting"
        time.sleep(0.05)
    return found


def text(page: Any, selector: str) -> str:
    # asked for at once: an element that is found first may be another one by the time it is read
    return str(page.execute_script("return document.querySelector(arguments[0]).innerText", selector))


def test_the_page_follows_the_run(page: Any, training: Training) -> None:
    assert text(page, "#headline") == "Training: 2 of 10 epochs done"
    assert "about" in text(page, "#detail") and "left" in text(page, "#detail")
    assert text(page, "#chosen") == "after 2 epochs"
    assert "No look: it has none" in text(page, "#look-latent")
    assert text(page, "#problems") == "No look at predictions: no."
    before, curves = page.execute_script(PLACES), page.find_element(By.CSS_SELECTOR, "#curves svg")
    assert not page.find_element(By.ID, "flags").is_displayed()
    training.reach(4)
    training.look(4)
    training.run.write_flags([Flag("mode drop", "<b>never</b> αL")])
    until(lambda: text(page, "#chosen") == "after 4 epochs" and page.execute_script(PLACES) != before)
    assert text(page, "#headline") == "Training: 4 of 10 epochs done"
    assert text(page, ".flag") == "mode drop. <b>never</b> αL"  # words, not markup
    assert "one after 4" in text(page, ".viewer output")
    assert page.find_element(By.CSS_SELECTOR, "#curves svg") != curves
    assert page.find_element(By.ID, "headline").get_attribute("aria-live") == "polite"
    (training.run.path / STATUS).unlink()
    write_json(training.run.path / RESULTS, {})
    until(lambda: text(page, "#headline").startswith("Finished after 4"))
    assert page.execute_script(OVERFLOW) <= 0
    asked = [json.loads(entry["message"])["message"] for entry in page.get_log("performance")]
    urls = {m["params"]["request"]["url"] for m in asked if m["method"] == "Network.requestWillBeSent"}
    outside = ("http", "ws", "file", "ftp")  # the browser's own new tab has chrome: addresses
    assert urls and all(url.startswith(page.server.address) for url in urls if url.startswith(outside))


def test_hands_are_left_alone(page: Any, training: Training) -> None:
    frames = page.find_element(By.CSS_SELECTOR, "#look-samples .viewer input")
    first = page.execute_script(PLACES)
    frames.send_keys(Keys.ARROW_RIGHT, Keys.ARROW_RIGHT)
    until(lambda: page.execute_script(PLACES) != first)
    assert frames.get_attribute("value") == "2"
    training.reach(4)
    training.look(4)
    until(lambda: "three after 4" in text(page, ".viewer output"))
    # another element in the same place: it has the keyboard and the frame that the old one had
    again = page.find_element(By.CSS_SELECTOR, "#look-samples .viewer input")
    assert again != frames and again == page.switch_to.active_element and again.get_attribute("value") == "2"
    held = page.execute_script(PLACES)
    again.send_keys(Keys.ARROW_LEFT)
    until(lambda: page.execute_script(PLACES) != held)


def test_an_earlier_epoch_stays_chosen(page: Any, training: Training) -> None:
    for epochs in (4, 6):
        training.reach(epochs)
        training.look(epochs)
    until(lambda: text(page, "#chosen") == "after 6 epochs")
    slider = page.find_element(By.ID, "epoch")
    slider.send_keys(Keys.ARROW_LEFT)
    until(lambda: "after 4" in text(page, ".viewer output"))
    assert text(page, "#chosen") == "after 4 epochs" == slider.get_attribute("aria-valuetext")
    assert not page.find_element(By.ID, "follow").is_selected()
    training.reach(8)
    training.look(8)
    until(lambda: slider.get_attribute("max") == "3")
    time.sleep(0.3)
    assert text(page, "#chosen") == "after 4 epochs" and "after 4" in text(page, ".viewer output")
    assert page.switch_to.active_element == slider
    page.find_element(By.ID, "follow").click()
    until(lambda: "after 8" in text(page, ".viewer output"))
    page.find_element(By.ID, "earlier").click()
    until(lambda: "after 6" in text(page, ".viewer output"))


def test_a_server_that_is_gone_is_told(page: Any) -> None:
    page.server.shutdown()
    page.server.socket.close()
    until(lambda: "is zoo watch still running?" in text(page, "#detail"))
    assert text(page, "#chosen") == "after 2 epochs"  # what was there stays


def test_it_fits_a_small_screen_and_the_dark(page: Any) -> None:
    page.execute_cdp_cmd("Emulation.setDeviceMetricsOverride",
                         {"width": 390, "height": 800, "deviceScaleFactor": 1, "mobile": False})  # fmt: skip
    dark = [{"name": "prefers-color-scheme", "value": "dark"}]
    page.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": dark})
    try:
        assert page.execute_script(OVERFLOW) <= 0
        back = page.execute_script("return getComputedStyle(document.body).backgroundColor")
        assert max(int(n) for n in back[4:-1].split(",")) < 60
    finally:
        page.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})
        page.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": []})
