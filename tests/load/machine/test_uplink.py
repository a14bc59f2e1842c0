"""How a worker's machine finds its coordinator: by any address of its name, if it proves to be one."""

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager

import gevent
import gevent.socket
import pytest
import zmq

from slocheck.load.machine.uplink import LONGEST_RETRY_MS, WRONG_KEYS, Uplink, answering
from slocheck.load.messaging.curve_access import Doorkeeper, limit
from tests.support.ports import free_port
from tests.support.waiting import DEADLINE_S

SECRET = "ab" * 32
PUBLIC_KEY, SECRET_KEY = (key.decode() for key in zmq.curve_keypair())
NOBODY = "192.0.2.1"
"""An address for documentation: packets to it lead nowhere."""


@contextmanager
def coordinator(port: int = 0) -> Iterator[tuple["zmq.Socket[bytes]", int]]:
    """Listen as a coordinator does, on a free port or this one; yields the socket and its port."""
    context = zmq.Context()
    listener = context.socket(zmq.ROUTER)
    limit(listener)
    Doorkeeper(listener, SECRET_KEY, SECRET)
    listener.bind(f"tcp://127.0.0.1:{port or '*'}")
    port = int(listener.getsockopt_string(zmq.LAST_ENDPOINT).rpartition(":")[2])
    try:
        yield listener, port
    finally:
        listener.close(linger=0)
        context.term()


@contextmanager
def uplink(port: int, server_key: str, connected: Callable[[], object]) -> Iterator[Uplink]:
    """Look for a coordinator on loopback with this key."""
    made = Uplink(
        *("127.0.0.1", port),
        server_key=server_key,
        shared_secret=SECRET,
        identity=b"one",
        on_connected=connected,
    )
    try:
        yield made
    finally:
        made.finish(0)


def hang_up(listener: socket.socket) -> None:
    """Accept a connection and end it at once, like a forwarder without a destination."""
    listener.accept()[0].close()


def wait_for(condition: Callable[[], object]) -> None:
    """Let greenlets run until something holds."""
    with gevent.Timeout(DEADLINE_S):
        while not condition():
            gevent.sleep(0.01)


def test_either_side_may_be_started_first() -> None:
    """Something else may listen there before, and nothing sent until then is kept in a queue."""
    knocks: list[int] = []
    with closing(socket.create_server(("127.0.0.1", 0))) as other:
        port = other.getsockname()[1]
        with uplink(port, PUBLIC_KEY, lambda: knocks.append(1)) as up:
            ended = threading.Thread(target=hang_up, args=(other,), daemon=True)
            ended.start()
            wait_for(lambda: up.other_listens)
            ended.join()
            up.send(b"", b"not yet")
            assert not up.connected
            other.close()
            with coordinator(port) as (listener, _):
                wait_for(lambda: knocks)
                up.send(b"", b"now")
                assert listener.poll(20_000)
                assert listener.recv_multipart() == [b"one", b"", b"now"]
                assert (up.connected, up.wrong_key) == (True, 0)


def test_a_wrong_key_is_known_after_a_few_connections() -> None:
    """In less than five seconds, as connections are retried at least once a second."""
    assert WRONG_KEYS * LONGEST_RETRY_MS < 5_000
    with coordinator() as (_, port), uplink(port, zmq.curve_keypair()[0].decode(), lambda: None) as up:
        wait_for(lambda: up.wrong_key >= WRONG_KEYS)
        assert not up.was_connected


@pytest.mark.parametrize(
    ("places", "found"),
    [
        pytest.param([("::1", None), ("127.0.0.1", "coordinator")], "127.0.0.1", id="not by IPv6"),
        pytest.param([(NOBODY, None), ("127.0.0.1", "coordinator")], "127.0.0.1", id="one leads nowhere"),
        pytest.param([("127.0.0.1", "other")], "", id="something else"),
        pytest.param([("127.0.0.1", None)], "", id="nobody"),
        pytest.param([], "", id="no address"),
    ],
)
def test_a_name_with_several_addresses(
    places: list[tuple[str, str | None]], found: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """All are tried at once, and the one where a coordinator answers is used."""
    with coordinator() as (_, there), closing(socket.create_server(("127.0.0.1", 0))) as other:
        ports = {"coordinator": there, "other": other.getsockname()[1], None: free_port()}
        entries = [
            (
                socket.AF_INET6 if ":" in address else socket.AF_INET,
                *(socket.SOCK_STREAM, 0, "", (address, ports[who])),
            )
            for address, who in places
        ]

        def lookup(*_: object, **__: object) -> list[object]:
            if not entries:
                raise socket.gaierror(socket.EAI_NONAME, "not known")
            return list(entries)

        monkeypatch.setattr(gevent.socket, "getaddrinfo", lookup)
        closer = threading.Thread(target=hang_up, args=(other,), daemon=True)
        closer.start()
        is_other = any(who == "other" for _, who in places)
        assert answering("coordinator.test", 1) == (found, is_other)
        if not is_other:
            socket.create_connection(other.getsockname()).close()
        closer.join()
