"""The server of `zoo watch`: five paths, read only, for this machine alone."""

from __future__ import annotations

import json
import sys
from base64 import b64encode
from collections.abc import Callable
from hashlib import sha256
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from socketserver import TCPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

import jinja2
from markupsafe import Markup

from zoo.errors import ConfigError
from zoo.report.inside import PICTURES
from zoo.report.viewer import SCRIPT
from zoo.watch.pictures import Pictures
from zoo.watch.state import Reader

HOST = "127.0.0.1"
#: Names by which this machine calls itself; a page from elsewhere whose own name leads here has another.
NAMES = ("127.0.0.1", "localhost")
HERE = Path(__file__).parent


class Refused(Exception):
    """A request that is not answered: status and reason."""

    def __init__(self, status: int, reason: str) -> None:
        super().__init__(reason)
        self.status = status


class Server(ThreadingHTTPServer):
    """Serves the page of one run on the loopback device.

    Args:
        run: its directory, which need not be there yet.
        port: 0 for any that is free.

    Raises:
        ConfigError: the port is taken or cannot be had.
    """

    daemon_threads = True

    def __init__(self, run: Path, port: int) -> None:
        self.reader = Reader(run)
        self.pictures = Pictures(self.reader)
        self.page, self.policy = _page()
        self.answers: dict[str, Callable[[dict[str, str]], Any]] = {
            "/state.json": lambda query: self.reader.state(),
            "/curves.json": lambda query: self.pictures.curves(),
            "/look.json": self._look,
        }
        try:
            super().__init__((HOST, port), Handler)
        except (OSError, OverflowError) as error:
            reason = getattr(error, "strerror", None) or "ports end at 65535"
            raise ConfigError(
                f"port {port} cannot be had ({reason}): choose another with --port, 0 for any that is free"
            ) from error

    def server_bind(self) -> None:
        """As its base, without asking a name server what this machine is called."""
        TCPServer.server_bind(self)
        self.server_name, self.server_port = HOST, int(self.server_address[1])

    @property
    def address(self) -> str:
        """Of the page."""
        return f"http://{HOST}:{self.server_port}/"

    def _look(self, query: dict[str, str]) -> Any:
        kind, epochs = query.get("kind", ""), query.get("epochs", "")
        known = {str(look["epochs"]): look["kinds"] for look in self.reader.looks()}
        if kind not in PICTURES or kind not in known.get(epochs, ()):
            raise Refused(404, "there is no such look")
        return self.pictures.look(kind, int(epochs))

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing of a browser that closes its connection; tell of all else."""
        if not isinstance(sys.exception(), OSError):
            super().handle_error(request, client_address)


class Handler(BaseHTTPRequestHandler):
    """Answers GET and HEAD on the paths of `Server.answers` and on /."""

    server: Server
    server_version = "zoo"
    sys_version = ""
    timeout = 20

    def do_GET(self) -> None:
        """Answer, or say why not."""
        try:
            kind, content = self._content()
        except Refused as refused:
            self._send(refused.status, "text/plain; charset=utf-8", f"{refused}\n".encode())
            return
        except ValueError:  # an address that is none
            self._send(400, "text/plain; charset=utf-8", b"not understood\n")
            return
        self._send(200, kind, content)

    do_HEAD = do_GET

    def refuse(self) -> None:
        """Answer to everything that would change something."""
        self._send(405, "text/plain; charset=utf-8", b"read only\n", ("Allow", "GET, HEAD"))

    do_POST = do_PUT = do_PATCH = do_DELETE = do_OPTIONS = do_TRACE = do_CONNECT = refuse

    def _content(self) -> tuple[str, bytes]:
        name = (self.headers.get("Host") or "").rpartition(":")
        host = name[0] if name[1] and name[2].isdigit() else "".join(name)
        if host.lower() not in NAMES:
            raise Refused(403, f"open this page as {self.server.address}")
        asked = urlsplit(self.path)
        if asked.path == "/":
            return "text/html; charset=utf-8", self.server.page
        if asked.path not in self.server.answers:
            raise Refused(404, "there is no such page")
        query = {key: values[-1] for key, values in parse_qs(asked.query, max_num_fields=8).items()}
        answer = self.server.answers[asked.path](query)
        return "application/json", json.dumps(answer, ensure_ascii=False).encode()

    def _send(self, status: int, kind: str, content: bytes, *more: tuple[str, str]) -> None:
        self.send_response(status)
        headers = {
            "Content-Type": kind,
            "Content-Length": str(len(content)),
            "Content-Security-Policy": self.server.policy,
            "Cache-Control": "no-store",
            "X-Content-Type-Options": "nosniff",
            "Referrer-Policy": "no-referrer",
            "Cross-Origin-Resource-Policy": "same-origin",
            "Cross-Origin-Opener-Policy": "same-origin",
            **dict(more),
        }
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(content)

    def log_message(self, format: str, *args: Any) -> None:
        """Leave the terminal to the address."""


def _page() -> tuple[bytes, str]:
    """The page, and the policy that lets its own scripts run and nothing else."""
    scripts = [SCRIPT, (HERE / "watch.js").read_text(encoding="utf-8")]
    report = HERE.parent / "report" / "style.css"
    settings = jinja2.Environment(autoescape=True, trim_blocks=True, undefined=jinja2.StrictUndefined)
    template = settings.from_string((HERE / "page.html.jinja").read_text(encoding="utf-8"))
    page = template.render(
        style=Markup(report.read_text(encoding="utf-8") + (HERE / "watch.css").read_text(encoding="utf-8")),
        scripts=[Markup(script) for script in scripts],
        kinds=list(PICTURES),
    )
    hashes = [b64encode(sha256(script.encode()).digest()).decode() for script in scripts]
    allowed = " ".join(f"'sha256-{digest}'" for digest in hashes)
    policy = (
        f"default-src 'none'; connect-src 'self'; img-src data:; style-src 'unsafe-inline'; "
        f"script-src {allowed}; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    )
    return page.encode(), policy
