"""A tiny API that counts its requests under the usual names and fails exactly the requests that it should.

``GET /items`` is served and counted, ``GET /metrics`` is the page, ``GET /count`` says how many items
were served, ``POST /blind`` makes the page fail from then on. Runs as its own process. The page may be
one that was rendered some seconds ago, with or without a timestamp.
"""

import json
import subprocess
import sys
import time
import urllib.request
from collections import Counter
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Condition, Thread
from typing import Self

NAME = "http_request_duration_seconds"
EDGES = ("0.1", "0.25", "1", "+Inf")
BURST_LIMIT = 5.0


class Counts:
    """What was served so far.

    Args:
        first: Number of the first request that fails, from 1; 0: none does.
        length: How many fail from there on.
        period: Seconds between two renderings of the page; 0: it is rendered for each request.
        own_times: Whether the page says when it was rendered.
    """

    def __init__(self, first: int, length: int, period: int = 0, own_times: int = 0) -> None:
        self.blind = False
        self._statuses: Counter[int] = Counter()
        self._failing = range(first, first + length) if first else range(0)
        self._changed = Condition()
        self._begun = time.time()
        self._own_times = bool(own_times)
        self._made = self._page() if period else b""
        if period:
            Thread(target=self._flush, args=(period,), daemon=True).start()

    def _flush(self, period: int) -> None:
        """Render the page every `period` seconds."""
        while True:
            time.sleep(period)
            with self._changed:
                self._made = self._page()

    def serve(self) -> int:
        """Count one request and return its status."""
        with self._changed:
            status = 500 if self.served() + 1 in self._failing else 200
            self._statuses[status] += 1
            self._changed.notify_all()
            return status

    def served(self) -> int:
        """Return how many requests were counted."""
        return self._statuses.total()

    def page(self) -> bytes:
        """Return the metrics; a page that is asked for within the burst of failures shows it whole."""
        if self._made:
            return self._made
        with self._changed:
            self._changed.wait_for(lambda: not 0 < self._statuses[500] < len(self._failing), BURST_LIMIT)
            return self._page()

    def _page(self) -> bytes:
        lines = [f"process_start_time_seconds {self._begun:.3f}"]
        at = f" {time.time() * 1000:.0f}" if self._own_times else ""
        for status, count in self._statuses.items():
            labels = f'method="GET",route="/items",status_code="{status}"'
            lines.append(f"http_requests_total{{{labels}}} {count}{at}")
            lines += [f'{NAME}_bucket{{{labels},le="{edge}"}} {count}{at}' for edge in EDGES]
        return ("\n".join(lines) + "\n").encode()


class Handler(BaseHTTPRequestHandler):
    """Serves one request; ``counts`` is set on the class by `serve`."""

    counts: Counts

    def do_GET(self) -> None:
        """Serve an item, the page or the count."""
        if self.path == "/metrics":
            self._send(503 if self.counts.blind else 200, self.counts.page(), "text/plain; version=0.0.4")
        elif self.path == "/count":
            self._send(200, json.dumps(self.counts.served()).encode())
        else:
            self._send(self.counts.serve(), b"{}")

    def do_POST(self) -> None:
        """Show no page from now on."""
        self.counts.blind = True
        self._send(204, b"")

    def _send(self, status: int, body: bytes, content_type: str = "application/json") -> None:
        self.send_response(status)
        self.send_header("Content-Type", content_type)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Stay silent."""


class Server(ThreadingHTTPServer):
    """Accepts a burst of connections without refusing any."""

    request_queue_size = 128


def serve(port: int, *plan: int) -> None:
    """Serve until killed; prints the port. `plan` is what `Counts` takes."""
    Handler.counts = Counts(*plan)
    server = Server(("127.0.0.1", port), Handler)
    print(server.server_address[1], flush=True)  # noqa: T201 - the parent reads it
    server.serve_forever()


class CountedApi:
    """The API in a process of its own; a context manager.

    Attributes:
        port: Where it listens; the same after a restart.
    """

    def __init__(
        self, *, fail_from: int = 0, failures: int = 0, period: int = 0, own_times: bool = False
    ) -> None:
        self.port = 0
        self._plan = (str(fail_from), str(failures), str(period), str(int(own_times)))
        self._process: subprocess.Popen[str] | None = None

    @property
    def url(self) -> str:
        """Base URL."""
        return f"http://{self.address}"

    @property
    def address(self) -> str:
        """Host and port."""
        return f"127.0.0.1:{self.port}"

    @property
    def metrics(self) -> str:
        """URL of the metrics page."""
        return f"{self.url}/metrics"

    def served(self) -> int:
        """Return how many items this process has served."""
        with urllib.request.urlopen(f"{self.url}/count", timeout=10) as response:
            return int(response.read())

    def blind(self) -> None:
        """Let every scrape fail from now on, until a restart."""
        with urllib.request.urlopen(f"{self.url}/blind", b"", timeout=10):
            pass

    def restart(self) -> None:
        """Kill the process and start another on the same port, its counters at 0."""
        self.stop()
        self._start()

    def stop(self) -> None:
        """Kill the process; may be called twice."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            assert self._process.stdout is not None
            self._process.stdout.close()
            self._process = None

    def _start(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, str(Path(__file__)), str(self.port), *self._plan],
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self._process.stdout is not None
        self.port = int(self._process.stdout.readline())

    def __enter__(self) -> Self:
        self._start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()


if __name__ == "__main__":
    serve(*map(int, sys.argv[1:]))
