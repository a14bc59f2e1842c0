"""A small shop in a thread: serves what typical Locust files request, and counts by method and path."""

import json
import threading
from collections import Counter
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self
from urllib.parse import urlsplit

FIRST_MISSING = 900
"""Items from this number on do not exist."""
HANGING = 2
"""Requests to `/hangs` that are there at once before `/meanwhile` responds."""
STATUSES = {"/broken": 500, "/busy": 503, "/limited": 429, "/teapot": 418}


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: "_Server"

    def _serve(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        path = urlsplit(self.path).path
        self.server.counts[f"{self.command} {path}"] += 1
        status, value, fields = self._response(path, body)
        data = value if isinstance(value, bytes) else json.dumps(value).encode()
        self.send_response(status)
        for name, field in fields.items():
            self.send_header(name, field)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(data)

    do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = do_HEAD = do_OPTIONS = _serve  # noqa: N815

    def _response(self, path: str, body: bytes) -> tuple[int, Any, dict[str, str]]:
        """Return status, body and header fields."""
        as_json = {"Content-Type": "application/json"}
        if path in STATUSES:
            return STATUSES[path], {"error": path[1:]}, as_json
        if path == "/login":
            return 200, {"token": "t-1"}, {**as_json, "Set-Cookie": "session=s-1; Path=/"}
        if path == "/me":
            known = self.headers.get("Authorization") or "session=s-1" in (self.headers.get("Cookie") or "")
            return (200, {"name": "ann"}, as_json) if known else (401, {"error": "who?"}, as_json)
        if path == "/page":
            return 200, b"<html><title>Shop</title></html>", {"Content-Type": "text/html"}
        if path == "/lines":
            return (
                200,
                b"".join(b"line %d\n" % number for number in range(200)),
                {"Content-Type": "text/plain"},
            )
        if path == "/hangs":
            self.server.hang()
        if path == "/meanwhile":
            self.server.wait_for_hanging()
        if path == "/upload":
            return 201, {"bytes": len(body)}, as_json
        return self._item(path, as_json)

    def _item(self, path: str, as_json: dict[str, str]) -> tuple[int, Any, dict[str, str]]:
        number = path.rpartition("/")[2]
        if number.isdigit() and int(number) >= FIRST_MISSING:
            return 404, {"error": "no such item"}, as_json
        if self.command == "DELETE":
            return 204, b"", {}
        return 201 if self.command == "POST" else 200, {"id": int(number) if number.isdigit() else 0}, as_json

    def log_message(self, *_: object) -> None:
        """Stay silent."""


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128
    counts: Counter[str]

    def __init__(self, counts: Counter[str]) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.counts = counts
        self.closing = threading.Event()
        self._hanging = 0
        self._came = threading.Condition()

    def hang(self) -> None:
        """Say that one more request hangs, and let it until the server closes."""
        with self._came:
            self._hanging += 1
            self._came.notify_all()
        self.closing.wait()

    def wait_for_hanging(self) -> None:
        """Wait until `HANGING` requests wait for a response that they will not get."""
        with self._came:
            self._came.wait_for(lambda: self._hanging >= HANGING)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Stay silent: clients may disconnect."""


class ShopServer:
    """Serves until its block ends.

    Attributes:
        counts: Requests received, by method and path without the query.
    """

    def __init__(self) -> None:
        self.counts: Counter[str] = Counter()
        self._server = _Server(self.counts)
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)

    @property
    def url(self) -> str:
        """Base URL."""
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.closing.set()
        self._server.shutdown()
        self._thread.join(10)
        self._server.server_close()
