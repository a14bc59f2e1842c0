"""The two ways in which a virtual user asks a server over one of the lean client's connections."""

import time

from gevent.event import Event

from slocheck.load.http.http1.connection import Connection

GET = b"GET /x HTTP/1.1\r\nHost: h\r\n\r\n"


def ask(connection: Connection, request: bytes = GET, *, within_s: float = 20, no_body: bool = False) -> int:
    """Exchange a request in a greenlet; returns the status."""
    until_ns = time.monotonic_ns() + round(within_s * 1e9)
    return connection.exchange(request, until_ns, no_body=no_body).status


def ask_from_hub(connection: Connection, request: bytes = GET, *, within_s: float = 20) -> int:
    """Begin a request without waiting, and continue as a virtual user does; returns the status."""
    until_ns, resumed = time.monotonic_ns() + round(within_s * 1e9), Event()
    if not connection.begin(request, until_ns, resumed.set):
        return connection.exchange(request, until_ns).status
    if connection.waiting:
        assert resumed.wait(20)
        head = connection.arrived(keep=True)
        if head is not None:
            return head.status
    return connection.exchange(request, until_ns, begun=True).status
