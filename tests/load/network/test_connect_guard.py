"""What a process of the load may connect to; that every client passes the guard is tested end to end."""

import socket

import pytest

from slocheck.allowed_targets import AllowedTargets
from slocheck.evidence.forbidden import ForbiddenConnection, forbidden_text
from slocheck.evidence.recording import FailureClass
from slocheck.load.network.connect_guard import MOST_PLACES, ConnectGuard, ForbiddenConnectionError
from slocheck.load.recording.outcome import classify


@pytest.mark.parametrize(
    ("family", "address"),
    [
        pytest.param(socket.AF_INET, ("127.0.0.1", 80), id="loopback"),
        pytest.param(socket.AF_INET, (b"127.0.0.1", 80), id="as bytes"),
        pytest.param(socket.AF_INET, ("localhost", 80), id="a name that leads to loopback"),
        pytest.param(socket.AF_INET, ("127.1", 80), id="a short form, looked up"),
        pytest.param(socket.AF_INET, ("", 80), id="nothing, which is 0.0.0.0"),
        pytest.param(socket.AF_INET6, ("::1", 80, 0, 0), id="IPv6"),
        pytest.param(socket.AF_UNIX, "/run/x.sock", id="a Unix socket"),
        pytest.param(socket.AF_INET, ("10.0.0.7", 80), id="an address that was named"),
        pytest.param(socket.AF_INET6, ("::ffff:10.0.0.7", 80, 0, 0), id="mapped"),
    ],
)
def test_what_is_allowed(family: int, address: object) -> None:
    """Nothing is recorded."""
    guard = ConnectGuard(AllowedTargets.of(["10.0.0.7"]))
    guard.check(family, address)
    assert guard.forbidden == ()


@pytest.mark.parametrize(
    ("family", "address", "host", "port"),
    [
        pytest.param(socket.AF_INET, ("10.0.0.1", 80), "10.0.0.1", 80, id="another machine"),
        pytest.param(socket.AF_INET6, ("::ffff:10.0.0.1", 80), "10.0.0.1", 80, id="mapped"),
        pytest.param(socket.AF_INET6, ("fe80::1%lo", 80, 0, 1), "fe80::1", 80, id="link-local"),
        pytest.param(socket.AF_INET, ("no-such.invalid", 80), "no-such.invalid", 80, id="an unknown name"),
        pytest.param(socket.AF_INET, ("<broadcast>", 80), "<broadcast>", 80, id="broadcast"),
        pytest.param(socket.AF_VSOCK, (2, 80), "AF_VSOCK", 0, id="the host of a virtual machine"),
        pytest.param(socket.AF_PACKET, ("lo", 0), "AF_PACKET", 0, id="raw packets"),
    ],
)
def test_what_is_not_allowed(family: int, address: object, host: str, port: int) -> None:
    """It is named, counted, and not a failure of the target."""
    guard = ConnectGuard(AllowedTargets.of(["10.0.0.7"]))
    for _ in range(2):
        with pytest.raises(ForbiddenConnectionError, match="not an allowed target") as refusal:
            guard.check(family, address)
    (noted,) = guard.forbidden
    assert (noted.host, noted.port, noted.count) == (host, port, 2)
    assert classify(refusal.value) is FailureClass.GENERATOR


def test_an_allowed_name_allows_its_addresses() -> None:
    """Also if a foreign library has resolved it: the guard then resolves it itself."""
    own = socket.gethostbyname("localhost")
    guard = ConnectGuard(AllowedTargets(names=frozenset({"localhost"})))
    guard.check(socket.AF_INET, (own, 80))


def test_the_places_are_bounded() -> None:
    """A file that tries address after address uses no memory."""
    guard = ConnectGuard(AllowedTargets())
    for last in range(MOST_PLACES + 5):
        with pytest.raises(ForbiddenConnectionError):
            guard.check(socket.AF_INET, (f"10.0.0.{last}", 80))
    assert len(guard.forbidden) == MOST_PLACES
    assert guard.forbidden[0] == ForbiddenConnection("10.0.0.0", "10.0.0.0", 80)


def test_a_name_without_an_address_is_forbidden_as_well(monkeypatch: pytest.MonkeyPatch) -> None:
    """It would be if it had a name; this machine's name and an allowed one do not count against a file."""
    monkeypatch.setattr(socket, "gethostname", lambda: "worker-7.invalid")
    guard = ConnectGuard(AllowedTargets(names=frozenset({"api.invalid"})))
    told = {}
    for name in ("worker-7.invalid", "worker-7", "api.invalid", "localhost", "auth.invalid"):
        told[name] = str(guard._not_found(name, socket.gaierror(-2, "not known")))
    (noted,) = guard.forbidden
    assert (noted.host, noted.address, noted.port) == ("auth.invalid", "", 0)
    assert "add --allow-target auth.invalid" in told["auth.invalid"]
    assert forbidden_text(guard.forbidden) == (
        "the Locust file tried to connect to auth.invalid (no address found), which is not an allowed "
        "target: add --allow-target auth.invalid"
    )
