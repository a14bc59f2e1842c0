"""One connection against a server that misbehaves: classified, bounded in time, nothing sent twice."""

import resource
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager

import pytest

from slocheck.evidence.recording import FailureClass
from slocheck.load.http.deadline_timer import DeadlineTimer
from slocheck.load.http.errors import TransportError
from slocheck.load.http.http1.connection import Connection
from slocheck.load.http.http1.tls import connect_to
from slocheck.load.http.origin import Address, Origin, make_origin
from slocheck.spec.model import Tls
from slocheck.spec.model.workload import DEFAULT_MAX_BODY
from tests.support import hostile_server
from tests.support.asking import GET, ask, ask_from_hub
from tests.support.broken_responses import BROKEN, MAX_BODY, WHOLE
from tests.support.hostile_server import OK, Behaviour, HostileServer, Peer, respond_with
from tests.support.waiting import wait_until

LARGE = 4 << 20
FAR_NS = 20_000_000_000


def post(size: int) -> bytes:
    """Return a request with a large body."""
    return b"POST /x HTTP/1.1\r\nHost: h\r\nContent-Length: %d\r\n\r\n" % size + b"b" * size


@contextmanager
def connection_to(origin: Origin, max_body: int = DEFAULT_MAX_BODY) -> Iterator[Connection]:
    """Return a connection that is closed at the end."""
    connection = connect_to(origin, DeadlineTimer(), max_body)
    try:
        yield connection
    finally:
        connection.dispose()


@contextmanager
def talking_to(behaviour: Behaviour) -> Iterator[tuple[Connection, HostileServer]]:
    """Return a connection to a server with one behaviour."""
    with (
        HostileServer({"x": behaviour}) as server,
        connection_to(make_origin(server.url, Tls())) as connection,
    ):
        yield connection, server


Ask = Callable[..., int]
both_ways = pytest.mark.parametrize("again", [ask, ask_from_hub])


def why(
    connection: Connection, request: bytes = GET, *, within_s: float = 20, ask: Ask = ask
) -> FailureClass:
    """Exchange a request that fails; returns why."""
    with pytest.raises(TransportError) as caught:
        ask(connection, request, within_s=within_s)
    return caught.value.failure


def test_many_requests_share_a_connection() -> None:
    """Keep-alive, with bodies of all sizes around those of a receive."""
    sizes = [0, 1, 65_000, 65_535, 65_536, 65_537, 10 << 20]
    bodies = iter([size for size in sizes for _ in range(2)])

    def sized(peer: Peer, head: bytes) -> bool:
        size = next(bodies)
        return respond_with(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % size + b"x" * size)(peer, head)

    with talking_to(sized) as (connection, server):
        for size in sizes:
            for keep in (True, False):
                connection.exchange(GET, time.monotonic_ns() + FAR_NS, keep=keep)
                assert (connection.size, connection.body) == (size, b"x" * size if keep else b"")
    assert server.connections == 1


def test_what_is_read_in_the_hub_is_what_was_sent() -> None:
    """Bodies and heads that resemble those before them, of this and of another connection."""
    alike = b"HTTP/1.1 200 OK\r\nX: a\r\nContent-Length: 6\r\n\r\n"
    twin = alike.replace(b"X: a", b"X: b")
    said = [alike + b"abcdef", alike + b"\r\n\r\nef", twin + b"abcdef", alike + b"123456"]
    said += [OK, alike + b"zyxwvu", alike.replace(b"200", b"503") + b"abcdef", alike + b"abcdef"]
    given = iter([data for data in said for _ in range(2)])

    def respond_in_turn(peer: Peer, head: bytes) -> bool:
        return respond_with(next(given))(peer, head)

    with (
        talking_to(respond_in_turn) as (one, server),
        connection_to(make_origin(server.url, Tls())) as two,
    ):
        for data in said:
            for connection in (one, two):
                assert ask_from_hub(connection) == int(data[9:12])
                assert connection.body == data.partition(b"\r\n\r\n")[2]
                assert connection.size == len(connection.body)
        assert server.connections == 2


@pytest.mark.parametrize(
    ("behaviour", "failure"),
    [
        pytest.param(hostile_server.reset_in_body, FailureClass.RESET, id="reset in the body"),
        pytest.param(
            respond_with(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\ncut", keep=False),
            FailureClass.RESET,
            id="cut",
        ),
        pytest.param(respond_with(b"", keep=False), FailureClass.RESET, id="closed without a response"),
        pytest.param(respond_with(b"HTTP/1.1 20", keep=False), FailureClass.RESET, id="closed in the head"),
        pytest.param(respond_with(b"\0\0\x12\4\0\0\0\0\0\0\3\0\0\0\x64"), FailureClass.PROTOCOL, id="HTTP/2"),
        pytest.param(respond_with(b"220 mail ESMTP\r\n"), FailureClass.PROTOCOL, id="SMTP"),
        pytest.param(
            respond_with(b"HTTP/1.1 200 OK\r\nContent-Length: 99999999999\r\n\r\n"),
            FailureClass.PROTOCOL,
            id="huge",
        ),
        pytest.param(
            respond_with(b"HTTP/1.1 200 OK\r\nX: " + b"y" * 200_000), FailureClass.PROTOCOL, id="endless head"
        ),
        pytest.param(hostile_server.hang, FailureClass.TIMEOUT, id="never responds"),
        pytest.param(hostile_server.drip, FailureClass.TIMEOUT, id="a byte a second"),
    ],
)
@both_ways
def test_failures_are_classed_and_the_next_request_is_unharmed(
    behaviour: Behaviour, failure: FailureClass, again: Ask
) -> None:
    """One request is sent for one failure; the next one goes over a new connection."""
    fine = GET.replace(b"/x", b"/fine")
    with talking_to(behaviour) as (connection, server):
        assert ask(connection, fine) == 200
        within_s = 0.3 if failure is FailureClass.TIMEOUT else 20
        assert why(connection, within_s=within_s, ask=again) is failure
        assert again(connection, fine) == 200
        wait_until(lambda: server.requests.total() >= 3, "the server has read all requests")
        assert server.requests == {"/x": 1, "/fine": 2}
        assert server.connections == 2


@pytest.mark.parametrize(
    ("behaviour", "connections"),
    [
        pytest.param(respond_with(OK), 1, id="kept"),
        pytest.param(
            respond_with(OK.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n"), keep=False),
            2,
            id="announced",
        ),
        pytest.param(
            respond_with(OK + b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n?"), 2, id="bytes behind"
        ),
        pytest.param(respond_with(b"HTTP/1.1 200 OK\r\n\r\nto the end", keep=False), 2, id="until closed"),
        pytest.param(respond_with(b"HTTP/1.1 100 Continue\r\n\r\n" + OK), 1, id="100 first"),
        pytest.param(
            respond_with(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n0\r\nA: b\r\n\r\n"),
            1,
            id="trailers",
        ),
    ],
)
@both_ways
def test_when_a_connection_is_used_again(behaviour: Behaviour, connections: int, again: Ask) -> None:
    """A second request never reads the response to the first."""
    with talking_to(behaviour) as (connection, server):
        assert [ask(connection), again(connection)] == [200, 200]
        assert (server.connections, server.requests["/x"]) == (connections, 2)


def at_end(connection: Connection) -> bool:
    """Tell whether the server's end of a connection has arrived."""
    try:
        return not connection._socket.recv(1, socket.MSG_PEEK)
    except BlockingIOError:
        return False


@both_ways
def test_an_idle_connection_that_was_closed_is_not_used(again: Ask) -> None:
    """The end may wait in the socket while the process was busy."""
    with talking_to(hostile_server.close_when_idle) as (connection, server):
        assert ask(connection) == 200
        wait_until(lambda: at_end(connection), "its end")  # the hub does not run meanwhile
        connection._deadlines.checks += 1
        assert again(connection) == 200
        assert server.connections == 2


@both_ways
@pytest.mark.parametrize("behaviour", [hostile_server.refuse_early, hostile_server.refuse_early_and_close])
def test_a_response_before_the_end_of_the_request_ends_the_sending(behaviour: Behaviour, again: Ask) -> None:
    """The response counts, and the connection with half a request on it is not used again."""
    with talking_to(behaviour) as (connection, server):
        assert ask(connection, GET.replace(b"/x", b"/fine")) == 200
        for _ in range(2):
            assert again(connection, post(8 * LARGE)) == 413  # more than socket buffers hold
            assert connection.body == b"big"
        assert (server.connections, server.requests["/x"]) == (2, 2)


def outcome(connection: Connection, request: bytes) -> int | FailureClass:
    """Exchange a request; returns its status, or why there is none."""
    try:
        return ask(connection, request)
    except TransportError as error:
        return error.failure


def test_a_response_that_is_followed_by_a_reset_is_a_response_or_a_reset() -> None:
    """Which one depends on the network; the next request is unharmed."""
    with talking_to(hostile_server.refuse_early_and_reset) as (connection, server):
        for number in range(10):
            assert outcome(connection, post(LARGE)) in (413, FailureClass.RESET)
            assert ask(connection, GET.replace(b"/x", b"/fine")) == 200
            assert server.requests == {"/x": number + 1, "/fine": number + 1}


def test_an_interim_response_does_not_end_the_sending() -> None:
    """Nor one that grows while the request is being sent."""

    def go_on(peer: Peer, head: bytes) -> bool:
        peer.send(b"HTTP/1.1 100 Continue\r\n\r\n")
        peer.pause(0.05)
        peer.send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n")
        peer.pause(0.05)
        peer.body(head)
        peer.send(b"1\r\ny\r\n0\r\n\r\n")
        return True

    with talking_to(go_on) as (connection, server):
        for _ in range(2):
            assert ask(connection, post(LARGE)) == 200
            assert connection.body == b"xy"
        assert server.connections == 1


def test_a_server_that_reads_nothing_times_out() -> None:
    """The deadline holds while sending, too."""
    with talking_to(hostile_server.hang) as (connection, _):
        assert why(connection, post(16 << 20), within_s=0.3) is FailureClass.TIMEOUT


def test_head_has_no_body() -> None:
    """Its length is that of a body that does not follow."""
    head = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n"
    with talking_to(respond_with(head)) as (connection, server):
        for _ in range(2):
            assert ask(connection, GET.replace(b"GET", b"HEAD"), no_body=True) == 200
            assert connection.size == 0
        assert server.connections == 1


def refusing() -> tuple[int, str, int]:
    """Return an address that refuses: its port was free a moment ago."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return socket.AF_INET, "127.0.0.1", probe.getsockname()[1]


def test_all_addresses_are_used_and_a_bad_one_is_passed_over() -> None:
    """Connections take turns; an address that refuses costs no request."""
    with HostileServer() as one, HostileServer(host="127.0.0.2") as two:
        origin = make_origin(one.url, Tls())
        family, host, port = refusing()
        origin.addresses = [
            (family, (host, port)),
            *((family, (h, s.port)) for h, s in (("127.0.0.1", one), ("127.0.0.2", two))),
        ]
        for _ in range(6):
            with connection_to(origin) as connection:
                assert ask(connection) == 200
        assert one.connections + two.connections == 6
        assert min(one.connections, two.connections) >= 2


@contextmanager
def silence() -> Iterator[Address]:
    """Return an address that neither accepts nor refuses: its queue is full."""
    with ExitStack() as stack:
        listener = stack.enter_context(socket.socket())
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        for _ in range(16):
            waiting = stack.enter_context(socket.socket())
            waiting.setblocking(False)
            waiting.connect_ex(listener.getsockname())
        yield socket.AF_INET, listener.getsockname()


def test_an_address_that_does_not_respond_leaves_time_for_the_next_one() -> None:
    """Each address gets its share of the connect timeout; a single one gets all of it."""
    with silence() as way, HostileServer() as server:
        origin = make_origin(server.url, Tls())
        origin.resolve()
        origin.addresses.insert(0, way)
        for _ in range(2):
            with connection_to(origin) as connection:
                assert ask(connection, within_s=2) == 200
        origin.addresses = [way]
        with connection_to(origin) as connection:
            assert why(connection, within_s=0.3) is FailureClass.TIMEOUT


@pytest.mark.parametrize(
    ("url", "failure"),
    [
        pytest.param(lambda: f"http://127.0.0.1:{refusing()[2]}", FailureClass.REFUSED, id="refused"),
        pytest.param(lambda: "http://slocheck.invalid", FailureClass.DNS, id="unknown name"),
        pytest.param(lambda: f"http://{'x' * 70}.invalid", FailureClass.DNS, id="no name at all"),
    ],
)
def test_what_cannot_be_reached(url: Callable[[], str], failure: FailureClass) -> None:
    """No connection, and no request."""
    with connection_to(make_origin(url(), Tls())) as connection:
        assert [why(connection) for _ in range(3)] == [failure] * 3


def test_the_most_telling_of_many_failures_is_reported() -> None:
    """A machine without IPv6 is not a generator failure if another address refuses."""
    origin = make_origin("http://h", Tls())
    refused = TransportError(FailureClass.REFUSED, "refused")
    unassigned = TransportError(FailureClass.GENERATOR, "cannot assign requested address")
    first, second = (socket.AF_INET6, ("::1", 80)), (socket.AF_INET, ("127.0.0.1", 80))
    assert origin.most_telling([(first, unassigned), (second, refused)]) is refused
    origin.reached.add(first)
    assert origin.most_telling([(second, refused), (first, unassigned)]) is unassigned, "ports have run out"
    assert make_origin("http://h", Tls()).most_telling([(first, unassigned)]) is unassigned


def test_no_descriptor_left_is_the_generators_own_failure() -> None:
    """It says nothing about the target."""
    with HostileServer() as server, connection_to(make_origin(server.url, Tls())) as connection:
        assert ask(connection) == 200
        connection.close()
        limits = resource.getrlimit(resource.RLIMIT_NOFILE)
        resource.setrlimit(resource.RLIMIT_NOFILE, (3, limits[1]))
        try:
            failure = why(connection)
        finally:
            resource.setrlimit(resource.RLIMIT_NOFILE, limits)
        assert failure is FailureClass.GENERATOR
        assert ask(connection) == 200


def test_ipv6() -> None:
    """An address in brackets is the same without them."""
    with HostileServer(host="::1") as server:
        origin = make_origin(server.url, Tls())
        assert (origin.host, origin.authority) == ("::1", f"[::1]:{server.port}")
        with connection_to(origin) as connection:
            assert ask(connection) == 200


def test_broken_responses_are_failures_and_odd_ones_are_not() -> None:
    """Even if no step reads the body: it is still decoded, within the limit."""
    behaviours = {
        "b" + str(at): respond_with(data, keep=False) for at, (data, _) in enumerate(BROKEN.values())
    }
    behaviours |= {"w" + str(at): respond_with(data, keep=False) for at, data in enumerate(WHOLE.values())}
    judged: dict[str, FailureClass | None] = {}
    with HostileServer(behaviours) as server:
        for path in behaviours:
            with connection_to(make_origin(server.url, Tls()), MAX_BODY) as connection:
                request = b"GET /%s HTTP/1.1\r\nHost: h\r\n\r\n" % path.encode()
                try:
                    connection.exchange(request, time.monotonic_ns() + FAR_NS, keep=False)
                    judged[path] = None
                except TransportError as error:
                    judged[path] = error.failure
    expected = [failure for _, failure in BROKEN.values()] + [None] * len(WHOLE)
    assert dict(zip((*BROKEN, *WHOLE), judged.values(), strict=True)) == dict(
        zip((*BROKEN, *WHOLE), expected, strict=True)
    )
