"""The report in a real browser: nothing is asked of the network, nothing complains, all is drawn."""

from __future__ import annotations

import base64
import functools
import http.server
import json
import re
import shutil
import subprocess
import threading
from pathlib import Path

import pytest
from synthetic import chain

import zoo
from zoo.report import write_report

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
FLAGS = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
    "--disable-default-apps", "--disable-extensions", "--metrics-recording-only", "--no-pings",
    "--hide-scrollbars", "--enable-logging=stderr", "--virtual-time-budget=5000",
)  # fmt: skip
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="needs chromium (apt-get install chromium)")


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("browser")
    data = chain(folder / "chain", frames=30)
    settings = {"train.epochs": 1, "model.hidden_channels": 8}
    run = zoo.train("schnet", data, settings=settings, out=folder / "run")
    (folder / "site").mkdir()
    return write_report([run.path], folder / "site" / "report.html")


class Server(http.server.ThreadingHTTPServer):
    """Serves a folder and remembers what was asked for."""

    def __init__(self, folder: Path) -> None:
        self.asked: list[str] = []
        super().__init__(("127.0.0.1", 0), functools.partial(Handler, directory=str(folder)))


class Handler(http.server.SimpleHTTPRequestHandler):
    def do_GET(self) -> None:
        self.server.asked.append(self.path)  # type: ignore[attr-defined]
        super().do_GET()

    def log_message(self, *_: object) -> None:
        pass


def browse(page: Path, tmp_path: Path, *flags: str) -> tuple[str, str, list[str]]:
    """Open `page` over HTTP; return the document as the browser has it, its log, and the requests."""
    assert CHROMIUM is not None
    server = Server(page.parent)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        address = f"http://127.0.0.1:{server.server_port}/{page.name}"
        log = tmp_path / "net.json"
        own = (f"--user-data-dir={tmp_path / 'profile'}", f"--log-net-log={log}")
        command = [CHROMIUM, *FLAGS, *own, *flags, address]
        done = subprocess.run(command, capture_output=True, text=True, timeout=120)
    finally:
        server.shutdown()
        server.server_close()
    assert done.returncode == 0, done.stderr
    origin = f"http://127.0.0.1:{server.server_port}"
    events = json.loads(log.read_text(errors="replace"))["events"]
    # requests that the page began; the browser has some of its own, such as for the time of day
    asked = [e["params"] for e in events if e.get("params", {}).get("initiator") == origin]
    outside = {p["url"] for p in asked if "url" in p and not p["url"].startswith(origin)}
    return done.stdout, done.stderr, [*server.asked, *sorted(outside)]


def test_the_page_asks_for_nothing_but_itself_and_logs_no_error(page, tmp_path):
    document, log, asked = browse(page, tmp_path, "--dump-dom")
    assert asked == ["/report.html"]
    assert "CONSOLE" not in log
    assert document.count("<figure ") == page.read_text().count("<figure ") >= 3


def test_a_page_that_asks_for_more_would_be_caught(tmp_path):
    """The test above can fail: two pictures, and a script that throws."""
    site = tmp_path / "site"
    site.mkdir()
    bad = site / "bad.html"
    bad.write_text(
        '<!DOCTYPE html><img src="missing.png"><img src="http://outside.invalid/b.png">'
        '<script>throw new Error("no")</script>'
    )
    _, log, asked = browse(bad, tmp_path, "--dump-dom")
    assert {"/missing.png", "http://outside.invalid/b.png"} <= set(asked)
    assert "CONSOLE" in log


def test_every_picture_inside_can_be_decoded(page):
    pictures = re.findall(r'href="data:image/png;base64,([^"]+)"', page.read_text())
    assert pictures
    for text in pictures:
        assert base64.b64decode(text)[:8] == b"\x89PNG\r\n\x1a\n"


@pytest.mark.parametrize(("scheme", "bright"), [("0", False), ("1", True)])
def test_light_and_dark_follow_the_reader(page, tmp_path, scheme, bright):
    from matplotlib.image import imread

    shot = tmp_path / "shot.png"
    flags = (
        f"--blink-settings=preferredColorScheme={scheme}",
        f"--screenshot={shot}",
        "--window-size=1000,1600",
    )
    browse(page, tmp_path, *flags)
    picture = imread(shot)[..., :3]
    corner = picture[-5, 5].mean()
    assert (corner > 0.9) if bright else (corner < 0.2)
    # ink on the page: some pixels are far from the background, many more than noise would be
    assert (abs(picture.mean(-1) - corner) > 0.4).mean() > 0.005
