"""Before any load: which targets may be loaded, and whether they respond."""

import os
import socket
import ssl
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, nullcontext, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
import trustme

from slocheck.errors import TargetError, UsageError
from slocheck.pipeline.target.guard import guard_target, probe_target, sole_use
from slocheck.pipeline.target.port_protocol import responds_in_plain, speaks_only_tls
from slocheck.spec.model import Target, Tls

NOBODY = 65534


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1:1",
        "http://127.8.9.1",
        "http://localhost:3",
        "http://api.localhost",
        "http://[::1]:8000",
        "http://[::ffff:127.0.0.1]",
        "http://0.0.0.0:80",
    ],
)
def test_this_machine_is_free(url: str) -> None:
    """Loopback needs no permission."""
    assert guard_target(url, ["other.example"]) == ("other.example",)


@pytest.mark.parametrize(
    "url",
    [
        pytest.param("http://shop.example", id="a name"),
        pytest.param("http://10.0.0.1", id="a private address"),
        pytest.param("http://127.0.0.1.example.com", id="a name that begins like loopback"),
        pytest.param("http://localhost.example.com", id="a name that begins like localhost"),
        pytest.param("http://127.0.0.1@shop.example", id="loopback as user info"),
        pytest.param("http://[::ffff:10.0.0.1]", id="a mapped address"),
    ],
)
def test_any_other_host_has_to_be_named(url: str) -> None:
    """The message says which flag allows it; another host's name does not."""
    with pytest.raises(UsageError, match="--allow-target"):
        guard_target(url, ["other.example"])


def test_a_named_host_is_allowed() -> None:
    """Names compare without regard to case or a trailing dot, addresses without regard to their form."""
    assert guard_target("https://Shop.Example.:8443/x", ["shop.example"]) == ("shop.example",)
    assert guard_target("http://[::ffff:10.0.0.1]", ["10.0.0.1"]) == ("10.0.0.1",)


@pytest.mark.parametrize(
    ("addresses", "free"),
    [
        pytest.param(["127.0.0.1", "::1"], True, id="as usual"),
        pytest.param(["10.0.0.1"], False, id="elsewhere"),
        pytest.param(["127.0.0.1", "10.0.0.1"], False, id="elsewhere, too"),
        pytest.param(["10.0.0.9"], True, id="where the user allows it"),
    ],
)
@pytest.mark.parametrize("host", ["localhost", "api.localhost"])
def test_where_localhost_leads_decides(
    monkeypatch: pytest.MonkeyPatch, host: str, addresses: list[str], *, free: bool
) -> None:
    """A hosts file may point it anywhere; the message has the address."""
    found = [(socket.AF_INET, socket.SOCK_STREAM, 0, "", (address, 0)) for address in addresses]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: found)
    said = rf"{host} \(10\.0\.0\.1\) is not this machine.*--allow-target {host}"
    with nullcontext() if free else pytest.raises(UsageError, match=said):
        guard_target(f"http://{host}:80", ["10.0.0.9"])


@pytest.mark.parametrize("yes", [True, False])
def test_somebody_at_the_terminal_is_asked(*, yes: bool) -> None:
    """A yes allows the host for this run, also for the processes of the load; a no refuses it."""
    questions = []

    def ask(question: str) -> bool:
        questions.append(question)
        return yes

    with nullcontext() if yes else pytest.raises(UsageError, match=r"--allow-target shop\.example"):
        assert guard_target("http://shop.example", ["x.example"], ask) == ("x.example", "shop.example")
    assert questions == ["shop.example is not this machine. Send requests there?"]


class _Hello(BaseHTTPRequestHandler):
    responded = 0

    def do_GET(self) -> None:
        """Respond, and count it."""
        type(self).responded += 1
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def server() -> Iterator[ThreadingHTTPServer]:
    """A server that counts what it responds to."""
    with ThreadingHTTPServer(("127.0.0.1", 0), _Hello) as http:
        threading.Thread(target=http.serve_forever, daemon=True).start()
        yield http
        http.shutdown()


def test_a_target_that_listens_is_there_and_sees_no_request(server: ThreadingHTTPServer) -> None:
    """A request of the probe's would be in the target's counters and in no recording."""
    probe_target(Target(url=f"http://127.0.0.1:{server.server_port}"))
    assert _Hello.responded == 0


def test_a_refused_connection_is_named() -> None:
    """Nothing listens on a port that was just free."""
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        with pytest.raises(TargetError, match="connection refused"):
            probe_target(Target(url=f"http://127.0.0.1:{held.getsockname()[1]}"))


@pytest.mark.parametrize("host", ["slocheck.invalid", "x" * 64 + ".localhost"])
def test_an_unknown_host_is_named(host: str) -> None:
    """The reserved top-level domain `invalid` never resolves, and a name may be too long to be asked for."""
    with sole_use(f"http://{host}", allow_concurrent=False), pytest.raises(TargetError, match="unknown host"):
        probe_target(Target(url=f"http://{host}"))


def test_tls_is_verified_unless_told_otherwise(server: ThreadingHTTPServer, tmp_path: Path) -> None:
    """A certificate of an unknown authority is refused, but accepted with `ca` or `insecure`."""
    authority = trustme.CA()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    url = f"https://127.0.0.1:{server.server_port}"
    authority.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    with pytest.raises(TargetError, match=r"target\.tls\.ca"):
        probe_target(Target(url=url))
    probe_target(Target(url=url, tls=Tls(ca=str(tmp_path / "ca.pem"))))
    probe_target(Target(url=url, tls=Tls(insecure=True)))


@pytest.fixture
def tls_server(server: ThreadingHTTPServer) -> ThreadingHTTPServer:
    """The same server behind TLS, with a certificate of an unknown authority."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    trustme.CA().issue_cert("127.0.0.1").configure_cert(context)
    server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    return server


def test_https_on_a_plain_port_says_write_http(server: ThreadingHTTPServer) -> None:
    """The advice is the scheme, not a certificate authority."""
    with pytest.raises(TargetError, match="speaks plain HTTP, not TLS; write http://"):
        probe_target(Target(url=f"https://127.0.0.1:{server.server_port}"))


def test_http_on_a_tls_port_says_write_https(tls_server: ThreadingHTTPServer) -> None:
    """Found before the load, instead of a run in which everything fails."""
    with pytest.raises(TargetError, match="speaks TLS, not plain HTTP; write https://"):
        probe_target(Target(url=f"http://127.0.0.1:{tls_server.server_port}"))


@contextmanager
def _serving(responses: Mapping[bytes, bytes]) -> Iterator[int]:
    """Serve a port that responds by the first byte it reads."""
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def serve() -> None:
            while True:
                try:
                    peer, _ = listening.accept()
                except OSError:
                    return
                with suppress(OSError), peer:  # who has seen enough may leave
                    peer.sendall(responses.get(peer.recv(65536)[:1], b""))

        threading.Thread(target=serve, daemon=True).start()
        try:
            yield listening.getsockname()[1]
        finally:
            listening.shutdown(socket.SHUT_RDWR)


TLS, ALERT = b"\x16", b"\x15\x03\x01\x00\x02\x02\x28"
OK, MOVED = b"HTTP/1.1 200 OK\r\n\r\n", b"HTTP/1.1 301 Moved\r\nLocation: https://127.0.0.1/\r\n\r\n"
BAD = b"HTTP/1.1 400 Bad Request\r\n\r\nThe plain HTTP request was sent to HTTPS port"


@pytest.mark.parametrize(
    ("responses", "only_tls"),
    [
        pytest.param({TLS: ALERT}, True, id="an alert, and nothing in plain"),
        pytest.param({TLS: ALERT, b"H": BAD}, True, id="nginx and Go: a 400"),
        pytest.param({TLS: ALERT, b"H": MOVED}, True, id="a redirect to https"),
        pytest.param({TLS: ALERT, b"H": ALERT}, True, id="an alert to both"),
        pytest.param({TLS: ALERT, b"H": OK}, False, id="both are spoken"),
        pytest.param({TLS: BAD, b"H": OK}, False, id="plain"),
        pytest.param({TLS: b"", b"H": OK}, False, id="plain, and silent to what it does not know"),
    ],
)
def test_a_port_that_speaks_plain_http_is_left_alone(
    responses: Mapping[bytes, bytes], *, only_tls: bool
) -> None:
    """Some ports speak both; a plain one is never sent a request."""
    with _serving(responses) as port:
        assert speaks_only_tls(("127.0.0.1", port)) == only_tls


@pytest.mark.parametrize(
    ("responses", "plain"),
    [
        pytest.param({TLS: BAD, b"H": OK}, True, id="a server that knows this path"),
        pytest.param({TLS: b"", b"H": OK}, True, id="one that is silent to what it does not know"),
        pytest.param({TLS: BAD, b"H": BAD}, True, id="one that refuses whatever it does not know"),
        pytest.param({TLS: BAD, b"H": MOVED}, True, id="one that sends its users to https elsewhere"),
        pytest.param({TLS: ALERT, b"H": BAD}, False, id="TLS that refuses plain requests"),
        pytest.param({TLS: ALERT, b"H": MOVED}, False, id="TLS that knows the way"),
        pytest.param({}, False, id="another protocol"),
    ],
)
def test_http_is_advised_where_the_port_speaks_it(responses: Mapping[bytes, bytes], *, plain: bool) -> None:
    """If TLS failed for another reason, another scheme would not help."""
    with _serving(responses) as port:
        assert responds_in_plain(("127.0.0.1", port)) == plain


def test_a_ca_file_that_is_missing_is_a_usage_error(tmp_path: Path) -> None:
    """A wrong path is for the user to fix, not the target's fault."""
    with pytest.raises(UsageError, match=r"target\.tls\.ca: .*No such file"):
        probe_target(Target(url="https://127.0.0.1:1", tls=Tls(ca=str(tmp_path / "none.pem"))))


def test_one_target_is_loaded_by_one_run_at_a_time() -> None:
    """The second run is refused until the first one ends, unless it was allowed."""
    url = "http://127.0.0.1:321"
    with sole_use(url, allow_concurrent=False):
        with pytest.raises(UsageError, match="--allow-concurrent"), sole_use(url, allow_concurrent=False):
            pass
        with sole_use(url, allow_concurrent=True):
            pass
        with sole_use("http://127.0.0.1:322", allow_concurrent=False):
            pass
    with sole_use(url, allow_concurrent=False):
        pass


@pytest.mark.parametrize(
    ("other", "same"),
    [
        ("http://127.0.0.1:321/path", True),
        ("http://localhost:321", True),
        ("http://LOCALHOST:321", True),
        ("http://[::1]:321", True),
        ("http://[::ffff:127.0.0.1]:321", True),
        ("http://0.0.0.0:321", True),
        ("https://127.0.0.1:321", True),
        ("http://127.0.0.2:321", True),
        ("http://[::]:321", True),
        ("http://192.0.2.1:321", False),
        ("http://127.0.0.1:322", False),
        ("http://no-such-host.invalid:321", False),
    ],
)
def test_a_target_is_its_addresses_and_port(other: str, *, same: bool) -> None:
    """However it is spelt, and by whichever of its names."""
    with sole_use("http://127.0.0.1:321", allow_concurrent=False):
        expected = pytest.raises(UsageError, match="another slocheck run") if same else nullcontext()
        with expected, sole_use(other, allow_concurrent=False):
            pass


def test_default_ports_are_ports() -> None:
    """A URL without a port is locked as the default one."""
    with (
        sole_use("http://localhost", allow_concurrent=False),
        pytest.raises(UsageError, match="another slocheck run"),
        sole_use("http://localhost:80", allow_concurrent=False),
    ):
        pass


def test_the_lock_is_the_same_in_every_temporary_folder_and_ends_with_its_process() -> None:
    """A run that is killed leaves no file behind, and the next user need not own one."""
    code = (
        "from slocheck.pipeline.target.guard import sole_use\n"
        "with sole_use('http://localhost:321', allow_concurrent=False):\n"
        "    print('held', flush=True)\n"
        "    input()\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, env={**os.environ, "TMPDIR": "/nonexistent"},
    ) as holder:  # fmt: skip
        assert holder.stdout
        assert holder.stdout.readline() == b"held\n"
        with (
            pytest.raises(UsageError, match="another slocheck run"),
            sole_use("http://127.0.0.1:321", allow_concurrent=False),
        ):
            pass
        holder.kill()
        holder.wait()
    with sole_use("http://127.0.0.1:321", allow_concurrent=False):
        pass


def test_the_lock_holds_against_another_user() -> None:
    """A user who may not write the first user's lock is still refused."""
    here, there = socket.socketpair()
    with here, there:
        child = os.fork()
        if child == 0:
            if os.geteuid() == 0:
                os.setuid(NOBODY)
            with sole_use("http://localhost:321", allow_concurrent=False):
                there.send(b"held")
                there.recv(1)
            os._exit(0)
        assert here.recv(4) == b"held"
        with (
            pytest.raises(UsageError, match="another slocheck run"),
            sole_use("http://127.0.0.1:321", allow_concurrent=False),
        ):
            pass
        here.send(b".")
        os.waitpid(child, 0)
