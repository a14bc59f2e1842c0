"""A real Redis, its exporter, and a small API that looks up each item in it; for tests."""

import subprocess
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from socket import create_connection
from typing import Self

import httpx

from tests.support.ports import free_port
from tests.support.waiting import wait_until


class Redis:
    """A redis-server and a redis exporter; a context manager.

    Attributes:
        port: Of the server.
        metrics: URL of the exporter's page.
    """

    def __init__(self, folder: Path) -> None:
        self.port = free_port()
        self._folder = folder
        exporter = free_port()
        self.metrics = f"http://127.0.0.1:{exporter}/metrics"
        self._commands = (
            (
                "redis-server",
                "--port",
                str(self.port),
                "--bind",
                "127.0.0.1",
                "--save",
                "",
                "--dir",
                str(folder),
            ),
            (
                "prometheus-redis-exporter",
                f"-redis.addr=redis://127.0.0.1:{self.port}",
                f"-web.listen-address=127.0.0.1:{exporter}",
            ),
        )
        self._processes: list[subprocess.Popen[bytes]] = []

    def ask(self, *words: str) -> str:
        """Send one command and return the first line of its response."""
        request = f"*{len(words)}\r\n" + "".join(f"${len(word.encode())}\r\n{word}\r\n" for word in words)
        with create_connection(("127.0.0.1", self.port), timeout=10) as connection:
            connection.sendall(request.encode())
            return connection.recv(4096).split(b"\r\n")[0].decode()

    def _responses(self) -> bool:
        try:
            return self.ask("PING") == "+PONG"
        except OSError:
            return False

    def _exported(self) -> bool:
        try:
            return "redis_keyspace_hits_total" in httpx.get(self.metrics, timeout=10).text
        except httpx.HTTPError:
            return False

    def __enter__(self) -> Self:
        for command, ready in zip(self._commands, (self._responses, self._exported), strict=True):
            log = (self._folder / f"{command[0]}.log").open("wb")
            self._processes.append(subprocess.Popen(command, stdout=log, stderr=subprocess.STDOUT))
            log.close()
            wait_until(ready, f"{command[0]} ready")
        return self

    def __exit__(self, *_: object) -> None:
        for process in reversed(self._processes):
            process.kill()
            process.wait()


class LookupApi:
    """Serves ``GET /items/KEY`` from Redis, in threads of the test, and counts its requests.

    Attributes:
        hits: Lookups that found something.
        misses: Lookups that did not.
    """

    def __init__(self, redis: Redis) -> None:
        self.hits = self.misses = 0
        self._redis = redis
        self._lock = threading.Lock()
        handler = type("Handler", (_Handler,), {"api": self})
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"

    def look_up(self, key: str) -> bytes:
        """Return an item, and count whether the cache had it."""
        found = self._redis.ask("GET", key) != "$-1"
        with self._lock:
            self.hits += found
            self.misses += not found
        return b"{}"

    def page(self) -> bytes:
        """Return the API's own metrics."""
        labels = 'method="GET",route="/items/{id}",status_code="200"'
        with self._lock:
            return f"http_requests_total{{{labels}}} {self.hits + self.misses}\n".encode()

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()


class _Handler(BaseHTTPRequestHandler):
    """Serves one request; ``api`` is set on a subclass for each API."""

    api: LookupApi
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        """Serve an item or the page."""
        page = self.path == "/metrics"
        body = self.api.page() if page else self.api.look_up(self.path.rpartition("/")[2])
        self.send_response(200)
        self.send_header("Content-Type", "text/plain; version=0.0.4" if page else "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Stay silent."""
