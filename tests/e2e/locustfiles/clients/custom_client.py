"""A client for another protocol: a socket, each call timed by hand and reported to Locust's request event."""

import socket
import time
from dataclasses import dataclass
from urllib.parse import urlsplit

from locust import User, constant, task


class LineClient:
    def __init__(self, host, request_event):
        parts = urlsplit(host)
        self._address = (parts.hostname, parts.port)
        self._event = request_event

    def ask(self, path, name=None):
        meta = {
            "request_type": "LINE",
            "name": name or path,
            "start_time": time.time(),
            "response_length": 0,
            "response": None,
            "context": {"path": path},
            "exception": None,
        }
        begun = time.perf_counter()
        try:
            with socket.create_connection(self._address, timeout=5) as sock:
                sock.sendall(f"GET {path} HTTP/1.0\r\n\r\n".encode())
                data = b"".join(iter(lambda: sock.recv(4096), b""))
            meta["response"], meta["response_length"] = data, len(data)
            if not data.startswith(b"HTTP/1.1 200"):
                raise ValueError(f"unexpected first line {data.splitlines()[0]!r}")
        except Exception as error:
            meta["exception"] = error
        meta["response_time"] = (time.perf_counter() - begun) * 1000
        self._event.fire(**meta)
        return meta["response"]


class LineUser(User):
    fixed_count = 1
    wait_time = constant(0.001)

    def __init__(self, environment):
        super().__init__(environment)
        self.client = LineClient(self.host, request_event=environment.events.request)

    @task
    def ask(self):
        for _ in range(5):
            self.client.ask("/items/1")
        self.client.ask("/items/901", name="missing")
        self.client.ask("/items?page=2")
        self.stop()


@dataclass
class Response:
    status_code: int
    headers: list
    history: list


class Reporting(User):
    """Reports requests in its own way: errors as text, its own response objects, any sizes."""

    fixed_count = 1
    wait_time = constant(0.001)

    def tell(self, name, **what):
        known = {"request_type": "OWN", "name": name, "response_time": 2, "response_length": 3}
        self.environment.events.request.fire(**{**known, **what})

    @task
    def report(self):
        self.tell("error as a text", exception="the door is shut")
        self.tell("no error, as a text", exception="")
        self.tell("no error, as a boolean", exception=False)
        self.tell("error as a list", exception=["a", "b"])
        self.tell(
            "with a response", response=Response(200, [("x", "y")], ["/login"]), exception=None, context=None
        )
        self.tell("redirects by its own account", response=Response(200, [], []), url="/a?b=c", extra=self)
        self.tell("a long time", response_time=12_345.678, response_length=2.0)
        self.tell("of a kind", request_type=None)
        self.stop()
