"""TLS: verified, resumed, and a response that may have been cut is not complete."""

import socket
import ssl
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import trustme

from slocheck.evidence.recording import FailureClass
from slocheck.load.http.deadline_timer import DeadlineTimer
from slocheck.load.http.errors import TransportError
from slocheck.load.http.http1.tls import connect_to
from slocheck.load.http.origin import Origin, OriginError, make_origin
from slocheck.spec.model import Tls
from tests.support import hostile_server
from tests.support.asking import GET, ask_from_hub
from tests.support.asking import ask as ask_in_greenlet
from tests.support.hostile_server import OK, Behaviour, HostileServer, Peer, respond_with

MORE_THAN_BUFFERS = 32_000_000
"""More than socket buffers hold: a server that reads nothing keeps some of it from being sent."""
POST = b"POST /x HTTP/1.1\r\nHost: h\r\nContent-Length: 4000000\r\n\r\n" + b"b" * 4_000_000


class Authority:
    """The test's own certificate authority, in files."""

    def __init__(self, folder: Path) -> None:
        self.made = trustme.CA()
        self.ca = str(folder / "ca.pem")
        self.made.cert_pem.write_to_path(self.ca)
        self.client = str(folder / "client.pem")
        self.made.issue_cert("client@example.com").private_key_and_cert_chain_pem.write_to_path(self.client)

    def server(self, *names: str, asks_clients: bool = False) -> ssl.SSLContext:
        """Return a server's context with a certificate for some names."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.made.issue_cert(*(names or ("127.0.0.1", "::1"))).configure_cert(context)
        if asks_clients:
            context.verify_mode = ssl.CERT_REQUIRED
            self.made.configure_trust(context)
        return context


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    """One authority for all tests."""
    return Authority(tmp_path_factory.mktemp("tls"))


Way = Callable[..., int]
both_ways = pytest.mark.parametrize("way", [ask_in_greenlet, ask_from_hub])


def ask(
    origin: Origin,
    requests: int = 1,
    request: bytes = GET,
    *,
    within_s: float = 20,
    way: Way = ask_in_greenlet,
) -> Iterator[int]:
    """Send requests on one connection; yields each status."""
    connection = connect_to(origin, DeadlineTimer())
    try:
        for _ in range(requests):
            yield way(connection, request, within_s=within_s)
    finally:
        connection.dispose()


def why(origin: Origin, request: bytes = GET, *, within_s: float = 20) -> FailureClass:
    """Exchange a request that fails; returns why."""
    with pytest.raises(TransportError) as caught:
        list(ask(origin, 1, request, within_s=within_s))
    return caught.value.failure


@pytest.mark.parametrize("host", ["127.0.0.1", "::1"])
def test_a_certificate_is_verified(authority: Authority, host: str) -> None:
    """An unknown authority is refused before a request is sent; its CA, or `insecure`, is accepted."""
    with HostileServer(tls=authority.server(), host=host) as server:
        assert why(make_origin(server.url, Tls())) is FailureClass.TLS
        assert server.heads == []
        assert list(ask(make_origin(server.url, Tls(ca=authority.ca)), 3)) == [200] * 3
        assert list(ask(make_origin(server.url, Tls(insecure=True)), 3)) == [200] * 3
        assert server.connections == 3


@pytest.mark.parametrize("host", ["127.0.0.1", "::1"])
def test_a_wrong_name_is_refused(authority: Authority, host: str) -> None:
    """A certificate of the right authority for another name is another server's."""
    with HostileServer(tls=authority.server("other.example", "127.0.0.9"), host=host) as server:
        assert why(make_origin(server.url, Tls(ca=authority.ca))) is FailureClass.TLS
        assert server.heads == []


def test_a_refused_certificate_is_no_reason_to_try_other_addresses(authority: Authority) -> None:
    """The last address's error would hide the cause."""
    with HostileServer(tls=authority.server("other.example")) as server:
        origin = make_origin(server.url, Tls(ca=authority.ca))
        origin.resolve()
        family, (host, _) = origin.addresses[0]
        origin.addresses.append((family, (host, 1)))
        assert {why(origin) for _ in range(4)} == {FailureClass.TLS}


def test_a_client_certificate_is_shown(authority: Authority) -> None:
    """A client without one is refused: under TLS 1.3 after the handshake, from the client's view."""
    with HostileServer(tls=authority.server(asks_clients=True)) as server:
        bare = make_origin(server.url, Tls(ca=authority.ca))
        assert why(bare) in (FailureClass.TLS, FailureClass.RESET)
        assert server.heads == []
        shown = make_origin(server.url, Tls(ca=authority.ca, cert=authority.client))
        assert list(ask(shown, 2)) == [200, 200]


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
@both_ways
def test_sessions_are_resumed(authority: Authority, version: ssl.TLSVersion, way: Way) -> None:
    """The second connection to an origin saves the server its signature."""
    context = authority.server()
    context.maximum_version = version
    with HostileServer(tls=context) as server:
        origin = make_origin(server.url, Tls(ca=authority.ca))
        assert [status for _ in range(3) for status in ask(origin, 2, way=way)] == [200] * 6
    assert (server.connections, server.resumed) == (3, 2)


@both_ways
def test_a_large_request_is_sent_whole_past_session_tickets(authority: Authority, way: Way) -> None:
    """Session tickets that arrive while the request is being sent are not a response."""
    got: list[int] = []

    def count(peer: Peer, head: bytes) -> bool:
        got.append(len(peer.body(head)))
        peer.send(OK)
        return True

    with HostileServer({"x": count}, tls=authority.server()) as server:
        assert list(ask(make_origin(server.url, Tls(ca=authority.ca)), 2, POST, way=way)) == [200, 200]
        assert server.connections == 1
    assert got == [4_000_000, 4_000_000]


@pytest.mark.parametrize("behaviour", [hostile_server.refuse_early, hostile_server.refuse_early_and_close])
@both_ways
def test_an_early_response_counts_under_tls(authority: Authority, behaviour: Behaviour, way: Way) -> None:
    """As without TLS."""
    with HostileServer({"x": behaviour}, tls=authority.server()) as server:
        large = POST.replace(b"4000000", b"%d" % MORE_THAN_BUFFERS) + bytes(MORE_THAN_BUFFERS - 4_000_000)
        assert list(ask(make_origin(server.url, Tls(ca=authority.ca)), 2, large, way=way)) == [413, 413]
        assert server.connections == 2


def speak_twice(peer: Peer, head: bytes) -> bool:
    """Respond, and send something more, in two records of one segment."""
    peer.body(head)
    peer.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_CORK, 1)
    peer.send(b"HTTP/1.1 201 Asked\r\nContent-Length: 0\r\n\r\n")
    peer.send(b"HTTP/1.1 202 Unasked\r\nContent-Length: 0\r\n\r\n")
    peer.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_CORK, 0)
    return True


@both_ways
def test_what_nobody_asked_for_is_no_response_to_the_next_request(authority: Authority, way: Way) -> None:
    """It waits decrypted where the event loop does not see it."""
    with HostileServer({"x": speak_twice}, tls=authority.server()) as server:
        assert list(ask(make_origin(server.url, Tls(ca=authority.ca)), 3, way=way)) == [201] * 3
        assert server.connections == 3


def abandon(peer: Peer, head: bytes) -> bool:
    """Send a body that ends with the connection, and end that without TLS's goodbye."""
    peer.body(head)
    peer.send(b"HTTP/1.1 200 OK\r\n\r\nperhaps all")
    peer.reset()
    return False


def part(peer: Peer, head: bytes) -> bool:
    """Say goodbye after the whole body."""
    peer.body(head)
    peer.send(b"HTTP/1.1 200 OK\r\n\r\nall")
    peer.sock.unwrap()  # type: ignore[attr-defined]  # a socket under TLS
    return False


def outcome(origin: Origin, request: bytes, way: Way) -> int | FailureClass:
    """Ask over a connection that has responded before; returns the status, or why there is none."""
    connection = connect_to(origin, DeadlineTimer())
    try:
        assert ask_in_greenlet(connection, GET.replace(b"/x", b"/fine")) == 200
        return way(connection, request)
    except TransportError as error:
        return error.failure
    finally:
        connection.dispose()


@both_ways
def test_a_response_that_may_have_been_cut_is_not_whole(authority: Authority, way: Way) -> None:
    """Anyone on the path can end a connection; only the server can sign off."""
    behaviours: dict[str, Behaviour] = {
        "x": abandon,
        "y": part,
        "z": respond_with(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\ncut", keep=False),
    }
    with HostileServer(behaviours, tls=authority.server()) as server:
        origin = make_origin(server.url, Tls(ca=authority.ca))
        found = [outcome(origin, GET.replace(b"/x", path), way) for path in (b"/x", b"/y", b"/z")]
        assert found == [FailureClass.RESET, 200, FailureClass.RESET]


def test_plain_http_on_the_other_side_is_a_tls_failure() -> None:
    """The handshake fails; if nothing comes, it fails in bounded time."""
    for greeting, failure in ((b"220 mail ESMTP\r\n", FailureClass.TLS), (b"", FailureClass.TIMEOUT)):
        with HostileServer(greeting=greeting) as server:
            origin = make_origin(server.url.replace("http:", "https:"), Tls(insecure=True))
            assert why(origin, within_s=0.3 if not greeting else 20) is failure


def test_files_that_cannot_be_used_are_named(tmp_path: Path) -> None:
    """Before any load, with the file's name."""
    with pytest.raises(OriginError, match=r"none\.pem"):
        make_origin("https://h", Tls(ca=str(tmp_path / "none.pem")))
    broken = tmp_path / "broken.pem"
    broken.write_text("no certificate")
    with pytest.raises(OriginError, match=r"broken\.pem"):
        make_origin("https://h", Tls(cert=str(broken)))
