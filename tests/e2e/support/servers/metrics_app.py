"""A tiny HTTP service with a metrics page whose values a test sets; runs as its own process.

``GET /metrics`` is the page, ``POST /set`` takes ``{"http_requests_total{...}": 7, "other": null}``
(null removes a series), ``POST /raw`` takes a whole page with its content type, ``POST /respond``
takes ``{"status": 500, "delay": 0.5}`` for the page's next responses.
"""

import gzip
import json
import subprocess
import sys
import time
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Lock
from typing import Any, Self

TYPES = {
    "http_requests_total": "counter",
    "http_request_duration_seconds": "histogram",
    "process_start_time_seconds": "gauge",
}
OPENMETRICS = "application/openmetrics-text; version=1.0.0; charset=utf-8"
TEXT = "text/plain; version=0.0.4; charset=utf-8"


@dataclass(slots=True)
class State:
    """What the page shows."""

    series: dict[str, float] = field(default_factory=dict)
    raw: bytes | None = None
    content_type: str = TEXT
    status: int = 200
    delay: float = 0.0
    lock: Lock = field(default_factory=Lock)

    def page(self) -> bytes:
        """Return the page as it is now."""
        with self.lock:
            if self.raw is not None:
                return self.raw
            lines = [f"# TYPE {name} {kind}" for name, kind in TYPES.items()]
            lines += [f"{head} {value:.17g}" for head, value in self.series.items()]
        end = "# EOF\n" if "openmetrics" in self.content_type else ""
        return ("\n".join(lines) + "\n" + end).encode()


class Handler(BaseHTTPRequestHandler):
    """Serves one request; `state` is set on the class by `serve`."""

    protocol_version = "HTTP/1.1"
    state: State

    def do_GET(self) -> None:
        """Serve the metrics page, compressed if that is accepted."""
        time.sleep(self.state.delay)
        body = self.state.page()
        packed = "gzip" in self.headers.get("Accept-Encoding", "")
        body = gzip.compress(body) if packed else body
        self.send_response(self.state.status)
        self.send_header("Content-Type", self.state.content_type)
        self.send_header("Content-Length", str(len(body)))
        if packed:
            self.send_header("Content-Encoding", "gzip")
        self.end_headers()
        self.wfile.write(body)

    def do_POST(self) -> None:
        """Change the state; respond only when the change is visible."""
        body = self.rfile.read(int(self.headers["Content-Length"]))
        with self.state.lock:
            if self.path == "/raw":
                self.state.raw, self.state.content_type = body, self.headers["Content-Type"]
            elif self.path == "/respond":
                for name, value in json.loads(body).items():
                    setattr(self.state, name, value)
            else:
                for head, value in json.loads(body).items():
                    self.state.series.pop(head, None) if value is None else self.state.series.update(
                        {head: value}
                    )
        self.send_response(204)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Stay silent."""


def serve(port: int) -> None:
    """Serve until killed; prints the port."""
    Handler.state = State({"process_start_time_seconds": time.time()})
    server = ThreadingHTTPServer(("127.0.0.1", port), Handler)
    print(server.server_address[1], flush=True)  # noqa: T201 - the parent reads it
    server.serve_forever()


class MetricsApp:
    """The service in a process of its own; a context manager.

    Attributes:
        port: Where it listens.
    """

    def __init__(self, port: int = 0) -> None:
        self._process = subprocess.Popen(
            [sys.executable, str(Path(__file__)), str(port)], stdout=subprocess.PIPE, text=True
        )
        assert self._process.stdout is not None
        self.port = int(self._process.stdout.readline())

    @property
    def address(self) -> str:
        """Host and port, as Prometheus's label ``instance`` has it."""
        return f"127.0.0.1:{self.port}"

    @property
    def url(self) -> str:
        """The metrics page."""
        return f"http://{self.address}/metrics"

    def set(self, series: Mapping[str, float | None]) -> None:
        """Set series, written as on the page; None removes one."""
        self._post("/set", json.dumps(series).encode())

    def serve_raw(self, body: bytes, content_type: str = TEXT) -> None:
        """Serve exactly this page from now on."""
        self._post("/raw", body, content_type)

    def respond(self, **settings: Any) -> None:
        """Change `status` (code), `delay` (seconds) or `content_type` of the page."""
        self._post("/respond", json.dumps(settings).encode())

    def _post(self, path: str, body: bytes, content_type: str = "application/json") -> None:
        request = urllib.request.Request(f"http://{self.address}{path}", body, {"Content-Type": content_type})
        with urllib.request.urlopen(request, timeout=10) as response:
            response.read()

    def stop(self) -> None:
        """Kill the process; may be called twice."""
        self._process.kill()
        self._process.wait()
        if self._process.stdout is not None:
            self._process.stdout.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()


if __name__ == "__main__":
    serve(int(sys.argv[1]))
