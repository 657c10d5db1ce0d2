"""A server on loopback that misbehaves as told: what `zoo data fetch` must survive."""

from __future__ import annotations

import hashlib
import threading
import time
from collections import Counter
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Server:
    """Files by path, and a behaviour for each.

    `faults[path]` is a list of faults, one for each request in turn; none left: served well.
    "cut": half of what was asked for, then the connection closes. "slow": byte by byte for a while.
    "wrong": other bytes of the same length. A number: that HTTP status. "stall": nothing at all.
    """

    def __init__(self) -> None:
        self.files: dict[str, bytes] = {}
        self.faults: dict[str, list] = {}
        self.requests: Counter = Counter()
        self.ranges: list[str | None] = []
        self.address = ""


@contextmanager
def serve():
    """Run a server while the body runs."""
    state = Server()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, *args):
            pass

        def do_GET(self):
            path = self.path.partition("?")[0]
            state.requests[path] += 1
            state.ranges.append(self.headers.get("Range"))
            faults = state.faults.get(path, [])
            fault = faults.pop(0) if faults else None
            if path not in state.files or isinstance(fault, int):
                self.send_error(fault or 404)
                return
            if fault == "stall":
                time.sleep(3)
                self.close_connection = True
                return
            content = state.files[path]
            tag = f'"{hashlib.md5(content).hexdigest()}"'
            if fault == "wrong":
                content = bytes(b ^ 1 for b in content)
            start, status = 0, 200
            wanted = self.headers.get("Range")
            if wanted and self.headers.get("If-Range", tag) == tag:
                start, status = int(wanted.removeprefix("bytes=").split("-")[0]), 206
                if start >= len(content):
                    self.send_error(416)
                    return
            body = content[start:]
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.send_header("ETag", tag)
            self.end_headers()
            if fault == "cut":
                self.wfile.write(body[: len(body) // 2])
                self.close_connection = True
            elif fault == "slow":
                for i in range(0, len(body), max(1, len(body) // 20)):
                    self.wfile.write(body[i : i + max(1, len(body) // 20)])
                    self.wfile.flush()
                    time.sleep(0.02)
            else:
                self.wfile.write(body)

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    state.address = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield state
    finally:
        server.shutdown()
        server.server_close()
