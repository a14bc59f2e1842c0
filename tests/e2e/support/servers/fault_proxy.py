"""A proxy before a real Prometheus that can be told, while it runs, to respond wrongly; for tests."""

import json
import re
import threading
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from enum import StrEnum
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self

TOO_MANY = "query processing would load too many samples into memory in query execution"
LONGEST_HANG = 120.0
LONGEST_SPAN_MS = 5000
SPAN = re.compile(rb"%5B(\d+)ms%5D")


class Kind(StrEnum):
    """What the proxy does with a query."""

    PASS = "pass"
    SLOW = "slow"
    STATUS_500 = "500"
    STATUS_503 = "503"
    TRUNCATED = "truncated JSON"
    ERROR_UNDER_200 = "status: error under 200"
    WARNING = "a warning"
    PARTIAL = "isPartial"
    TOO_MUCH = "422 too many samples"
    TOO_LONG = "422 for more than 5 s of samples"
    HANG = "hang"
    REFUSE = "refuse"


@dataclass(frozen=True, slots=True)
class Fault:
    """A kind of fault and its measure.

    Attributes:
        kind: What is done.
        seconds: How long, from the first query that meets it; then queries pass again. Of a slow
            proxy: how much later each body comes.
        queries: How many queries meet it, at most.
        shift: Seconds by which `time()` alone is wrong.
    """

    kind: Kind = Kind.PASS
    seconds: float = float("inf")
    queries: float = float("inf")
    shift: float = 0.0


class FaultProxy:
    """The proxy, in threads of the test; a context manager.

    Args:
        upstream: Base URL of the real Prometheus.
        clock: Seconds by which the server behind the proxy seems to be ahead of us, in every time that
            it receives and every time that it returns.

    Attributes:
        url: Base URL.
        met: How many queries have met the fault.
        passed: How many queries were passed on since the fault was set.
    """

    def __init__(self, upstream: str, *, clock: float = 0.0) -> None:
        self.met = 0
        self.passed = 0
        self._upstream = upstream
        self._clock = clock
        self._fault = Fault()
        self._since: float | None = None
        self._lock = threading.Lock()
        self._stopped = threading.Event()
        handler = type("Handler", (_Handler,), {"proxy": self})
        self._server: ThreadingHTTPServer | None = _Server(("127.0.0.1", 0), handler)
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"

    def set(self, fault: Fault) -> None:
        """Respond like this from now on."""
        with self._lock:
            self._fault, self._since, self.met, self.passed = fault, None, 0, 0
        if fault.kind is Kind.REFUSE:
            self._close()

    def meets(self) -> Fault:
        """Count one query and return the fault that it meets."""
        with self._lock:
            fault, now = self._fault, time.monotonic()
            self._since = now if self._since is None else self._since
            over = fault.kind is not Kind.SLOW and now - self._since >= fault.seconds
            if fault.kind is Kind.PASS or over or self.met >= fault.queries:
                self.passed += 1
                return Fault(shift=fault.shift)
            self.met += 1
            return fault

    def hang(self, seconds: float) -> None:
        """Keep a query waiting, at most until the proxy ends."""
        self._stopped.wait(min(seconds, LONGEST_HANG))

    def forward(self, path: str, form: bytes | None, shift: float) -> tuple[int, bytes]:
        """Ask the real Prometheus, with its clock shifted in request and response."""
        asked = dict(urllib.parse.parse_qsl(form.decode())) if form else {}
        for name in {"time", "start", "end"} & asked.keys():
            asked[name] = f"{float(asked[name]) - self._clock:.3f}"
        body = urllib.parse.urlencode(asked).encode() if form else None
        try:
            with urllib.request.urlopen(f"{self._upstream}{path}", body, timeout=60) as response:
                status, body = response.status, response.read()
        except urllib.error.HTTPError as error:
            return error.code, error.read()
        except OSError:
            return 502, b"the server behind the proxy does not body"
        moved = self._clock + (shift if asked.get("query") == "time()" else 0.0)
        return status, _moved(body, moved, of_clock=asked.get("query") == "time()") if moved else body

    def _close(self) -> None:
        if self._server is not None:
            self._server.shutdown()
            self._server.server_close()
            self._server = None

    def __enter__(self) -> Self:
        assert self._server is not None
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stopped.set()
        self._close()


def _moved(body: bytes, by: float, *, of_clock: bool) -> bytes:
    """Return a query's body with every time in it moved; of ``time()`` the value too."""
    document = json.loads(body)
    data = document.get("data", {})
    if data.get("resultType") == "scalar":
        moment, value = data["result"]
        data["result"] = [moment + by, f"{float(value) + by:.3f}" if of_clock else value]
    elif data.get("resultType") in ("vector", "matrix"):
        for item in data["result"]:
            pairs: Iterable[list[Any]] = item.get("values") or [item["value"]]
            for pair in pairs:
                pair[0] += by
    return json.dumps(document).encode()


class _Server(ThreadingHTTPServer):
    """Does not wait for its threads at the end: one may be hanging on purpose."""

    daemon_threads = True


class _Handler(BaseHTTPRequestHandler):
    """Serves one request; ``proxy`` is set on a subclass for each proxy."""

    proxy: FaultProxy
    timeout = 60

    def do_GET(self) -> None:
        """Pass on what is not a query, such as the list of targets."""
        self._send(*self.proxy.forward(self.path, None, 0.0))

    def do_POST(self) -> None:
        """Pass a query on, or do to it what the fault says."""
        form = self.rfile.read(int(self.headers["Content-Length"]))
        fault = self.proxy.meets()
        kind = fault.kind
        if kind in (Kind.STATUS_500, Kind.STATUS_503):
            self._send(int(kind), b'{"status":"error","error":"planted"}')
        elif kind is Kind.TOO_MUCH or (kind is Kind.TOO_LONG and _is_long(form)):
            self._send(422, json.dumps({"status": "error", "error": TOO_MANY}).encode())
        elif kind is Kind.ERROR_UNDER_200:
            self._send(200, b'{"status":"error","errorType":"timeout","error":"planted"}')
        elif kind is Kind.HANG:
            self.proxy.hang(fault.seconds)
        else:
            if kind is Kind.SLOW:
                self.proxy.hang(fault.seconds)
            status, body = self.proxy.forward(self.path, form, fault.shift)
            self._send(status, _damaged(body, kind))

    def _send(self, status: int, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        with suppress(BrokenPipeError, ConnectionResetError):  # the client has given up
            self.end_headers()
            self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Stay silent."""


def _is_long(form: bytes) -> bool:
    span = SPAN.search(form)
    return span is not None and int(span[1]) > LONGEST_SPAN_MS


def _damaged(body: bytes, kind: Kind) -> bytes:
    """Return a body as this kind of fault changes it."""
    if kind is Kind.TRUNCATED:
        return body[: len(body) // 2]
    if kind in (Kind.WARNING, Kind.PARTIAL):
        more = {"warnings": ["planted: a store is gone"]} if kind is Kind.WARNING else {"isPartial": True}
        return json.dumps({**json.loads(body), **more}).encode()
    return body
