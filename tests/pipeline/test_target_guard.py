"""Before any load: who may be loaded, and whether it answers."""

import socket
import ssl
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
import trustme

from slocheck.errors import TargetError, UsageError
from slocheck.pipeline.target_guard import guard_target, probe_target, sole_use
from slocheck.spec.model import Target, Tls


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1:1",
        "http://127.8.9.1",
        "http://localhost:3",
        "http://api.localhost",
        "http://[::1]:8000",
    ],
)
def test_this_machine_is_free(url: str) -> None:
    """Loopback needs no word from anybody."""
    guard_target(url, [])


@pytest.mark.parametrize(
    "url",
    [
        pytest.param("http://shop.example", id="a name"),
        pytest.param("http://10.0.0.1", id="a private address"),
        pytest.param("http://127.0.0.1.example.com", id="a name that begins like loopback"),
        pytest.param("http://localhost.example.com", id="a name that begins like localhost"),
        pytest.param("http://127.0.0.1@shop.example", id="loopback as user info"),
        pytest.param("http://[::ffff:10.0.0.1]", id="a mapped address"),
        pytest.param("http://0.0.0.0:80", id="the unspecified address"),
    ],
)
def test_any_other_host_has_to_be_named(url: str) -> None:
    """The message says which flag allows it; another host's name does not."""
    with pytest.raises(UsageError, match="--allow-target"):
        guard_target(url, ["other.example"])


def test_a_named_host_is_allowed() -> None:
    """Names compare without regard to case or a trailing dot."""
    guard_target("https://Shop.Example.:8443/x", ["shop.example"])


class _Hello(BaseHTTPRequestHandler):
    answered = 0

    def do_GET(self) -> None:
        """Answer, and count it."""
        type(self).answered += 1
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def server() -> Iterator[ThreadingHTTPServer]:
    """A server that counts what it answers."""
    with ThreadingHTTPServer(("127.0.0.1", 0), _Hello) as http:
        threading.Thread(target=http.serve_forever, daemon=True).start()
        yield http
        http.shutdown()


def test_a_target_that_listens_is_there_and_sees_no_request(server: ThreadingHTTPServer) -> None:
    """A request of the probe's would be in the target's counters and in no recording."""
    probe_target(Target(url=f"http://127.0.0.1:{server.server_port}"))
    assert _Hello.answered == 0


def test_a_refused_connection_is_named() -> None:
    """Nobody listens on a port that was just free."""
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        with pytest.raises(TargetError, match="connection refused"):
            probe_target(Target(url=f"http://127.0.0.1:{held.getsockname()[1]}"))


def test_an_unknown_host_is_named() -> None:
    """The reserved top-level domain `invalid` never resolves."""
    with pytest.raises(TargetError, match="unknown host"):
        probe_target(Target(url="http://slocheck.invalid"))


def test_tls_is_verified_unless_told_otherwise(server: ThreadingHTTPServer, tmp_path: Path) -> None:
    """A certificate of an unknown authority is refused, accepted with `ca`, or with `insecure`."""
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


def test_a_ca_file_that_is_missing_is_a_usage_error(tmp_path: Path) -> None:
    """A wrong path is the user's to mend, not the target's fault."""
    with pytest.raises(UsageError, match=r"target\.tls\.ca: .*No such file"):
        probe_target(Target(url="https://127.0.0.1:1", tls=Tls(ca=str(tmp_path / "none.pem"))))


def test_one_target_is_loaded_by_one_run_at_a_time() -> None:
    """The second run is refused until the first one ends, unless it was allowed."""
    url = "http://127.0.0.1:54321"
    with sole_use(url, allow_concurrent=False):
        with pytest.raises(UsageError, match="--allow-concurrent"), sole_use(url, allow_concurrent=False):
            pass
        with sole_use(url, allow_concurrent=True):
            pass
        with sole_use("http://127.0.0.1:54322", allow_concurrent=False):
            pass
    with sole_use(url, allow_concurrent=False):
        pass
