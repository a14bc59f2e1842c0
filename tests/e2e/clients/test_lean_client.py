"""The lean client through the whole engine, against a hostile server: classified, counted once, on time."""

import gzip
import json
import socket
import ssl
from functools import partial
from pathlib import Path

import pytest
import trustme

from slocheck.evidence.recording import FailureClass, Recording
from slocheck.spec.model import Tls
from tests.builders.load_plans import make_plan, write_scenario
from tests.e2e.support.lean_runs import DECLARATIVE, KINDS, LEAN, LEAN_OPEN, OPEN, Call, run_calls
from tests.e2e.support.load_runs import run, sent_of
from tests.support import hostile_server
from tests.support.hostile_server import OK, Behaviour, HostileServer, respond_with

BIG = 10 << 20
MISBEHAVING: dict[str, tuple[Behaviour, FailureClass | None]] = {
    "fine": (respond_with(OK), None),
    "closes": (respond_with(OK.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n"), keep=False), None),
    "resets": (hostile_server.reset_in_body, FailureClass.RESET),
    "silent": (respond_with(b"", keep=False), FailureClass.RESET),
    "http2": (respond_with(b"\0\0\x12\4\0\0\0\0\0\0\3\0\0\0\x64"), FailureClass.PROTOCOL),
    "garbage": (respond_with(b"\x16\3\1 nonsense\r\n\r\n"), FailureClass.PROTOCOL),
    "trailers": (
        respond_with(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\nA: b\r\n\r\n"),
        None,
    ),
    "continues": (respond_with(b"HTTP/1.1 100 Continue\r\n\r\n" + OK), None),
    "to-the-end": (respond_with(b"HTTP/1.1 200 OK\r\n\r\nall", keep=False), None),
    "nothing": (respond_with(b"HTTP/1.1 204 No Content\r\n\r\n"), None),
    "unzippable": (
        respond_with(OK.replace(b"\r\n\r\n", b"\r\nContent-Encoding: gzip\r\n\r\n")),
        FailureClass.PROTOCOL,
    ),
    "fails": (respond_with(b"HTTP/1.1 503 No\r\nContent-Length: 0\r\n\r\n"), FailureClass.STATUS),
    "moves": (
        respond_with(b"HTTP/1.1 302 Found\r\nLocation: /fine\r\nContent-Length: 0\r\n\r\n"),
        FailureClass.UNEXPECTED,
    ),
    "big": (respond_with(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % BIG + bytes(BIG)), None),
    "early": (hostile_server.refuse_early_and_close, FailureClass.UNEXPECTED),
}
LARGE = {LEAN: 16 << 20, LEAN_OPEN: 1 << 20, DECLARATIVE: 8000, OPEN: 8000}
"""Bytes of a body; a scenario's are bounded."""
SIZES = {"big": BIG, "trailers": 3, "nothing": 0, "fine": 2, "to-the-end": 3, "continues": 2}


@pytest.mark.parametrize("kind", KINDS)
def test_a_misbehaving_server_is_classed_and_counted_once(tmp_path: Path, kind: str) -> None:
    """Each request is counted once, in its class, whatever the request before it met."""
    calls = [
        Call(f"/{name}", "POST", LARGE[kind]) if name == "early" else Call(f"/{name}") for name in MISBEHAVING
    ]
    with HostileServer({name: behave for name, (behave, _) in MISBEHAVING.items()}) as server:
        ended = run_calls(server.url, tmp_path, kind, calls, drain_s=20)
    for call in calls:
        counts, failure = ended.total(call.name), MISBEHAVING[call.path[1:]][1]
        assert counts.sent == server.requests[call.path] > 0, call.path
        assert counts.failures == ({failure: counts.sent} if failure else {}), call.path
        if call.path[1:] in SIZES:
            assert counts.bytes_received == SIZES[call.path[1:]] * counts.sent, call.path
    assert ended.total("POST /early").statuses == {413: ended.total("POST /early").sent}
    assert ended.total("GET /moves").statuses == {302: ended.total("GET /moves").sent}
    assert ended.sent == server.requests.total()
    assert ended.result.health.in_flight == 0


@pytest.mark.parametrize("kind", KINDS)
def test_a_server_that_keeps_its_clients_waiting(tmp_path: Path, kind: str) -> None:
    """A request that takes longer than its timeout fails at the timeout, not before."""
    calls = [
        Call("/hangs", timeout=0.3),
        Call("/drips", timeout=0.4),
        Call("/stuck", "POST", LARGE[kind], 0.3),
    ]
    behaviours: dict[str, Behaviour] = {
        "hangs": hostile_server.hang,
        "drips": hostile_server.drip,
        "stuck": hostile_server.hang,
    }
    with HostileServer(behaviours) as server:
        ended = run_calls(server.url, tmp_path, kind, calls)
    for call in calls:
        counts = ended.total(call.name)
        assert counts.failures == {FailureClass.TIMEOUT: counts.sent}
        assert counts.sent >= server.requests[call.path] > 0, "a busy server may not have read it by then"
    assert ended.result.health.in_flight == 0


def _received(server: HostileServer, path: str, _: Recording) -> bool:
    """Return whether each user's request has come; none of them is recorded before it ends."""
    return server.requests[path] >= 4


@pytest.mark.parametrize("kind", KINDS)
def test_what_hangs_at_the_end_fails_with_the_drain(tmp_path: Path, kind: str) -> None:
    """The run ends at its deadline, long before a timeout; each request in flight is a failure, once."""
    with HostileServer({"hangs": hostile_server.hang, "drips": hostile_server.drip}) as server:
        for path in ("/hangs", "/drips"):
            came = partial(_received, server, path)
            ended = run_calls(server.url, tmp_path, kind, [Call(path, timeout=600)], until=came, drain_s=1.5)
            counts = ended.total(f"GET {path}")
            assert counts.failures == {FailureClass.TIMEOUT: counts.sent}
            assert counts.sent == server.requests[path] >= 4


@pytest.mark.parametrize("kind", [LEAN, DECLARATIVE])
def test_a_server_that_refuses_at_100(tmp_path: Path, kind: str) -> None:
    """Users with a connection are served; the others are refused without waiting."""

    def enough(recording: Recording) -> bool:
        failures = [counts.failures for one in recording.endpoints for counts in one.slices]
        return sum(each.get(FailureClass.REFUSED, 0) for each in failures) >= 10 and sent(recording)

    sent = sent_of("GET /x", each=220)
    with HostileServer(accepts=100) as server:
        ended = run_calls(
            server.url, tmp_path, kind, [Call("/x")], until=enough, users=110, spawn_rate=1000, think=0.2
        )
    counts = ended.total("GET /x")
    assert counts.ok == server.requests["/x"] >= 100
    assert server.connections == 100
    assert set(counts.failures) <= {FailureClass.REFUSED, FailureClass.RESET}
    assert counts.failures[FailureClass.REFUSED] >= 10


@pytest.mark.parametrize("kind", [LEAN, DECLARATIVE])
def test_connections_that_the_server_closes_when_idle(tmp_path: Path, kind: str) -> None:
    """Their end is noticed before the next request, which uses a new one."""
    with HostileServer({"x": hostile_server.close_when_idle}) as server:
        ended = run_calls(server.url, tmp_path, kind, [Call("/x")], think=1.0, each=5)
    assert ended.total("GET /x").ok == ended.sent == server.requests["/x"] == server.connections > 4


@pytest.mark.parametrize("kind", [LEAN, DECLARATIVE])
def test_what_cannot_be_reached(tmp_path: Path, kind: str) -> None:
    """No such name, or nothing listens: each request fails in its class, at the users' pace."""
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        nobody = f"http://127.0.0.1:{unused.getsockname()[1]}"
        for url, failure in (("http://slocheck.invalid", FailureClass.DNS), (nobody, FailureClass.REFUSED)):
            counts = run_calls(url, tmp_path, kind, [Call("/x")], think=0.1, each=5).total("GET /x")
            assert counts.failures == {failure: counts.sent}
            assert counts.unserved == counts.sent > 4


def tls_server(authority: trustme.CA, *names: str, asks: bool = False) -> ssl.SSLContext:
    """Return a server's context."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert(*names).configure_cert(context)
    if asks:
        context.verify_mode = ssl.CERT_REQUIRED
        authority.configure_trust(context)
    return context


@pytest.mark.parametrize("kind", [LEAN, DECLARATIVE])
def test_tls(tmp_path: Path, kind: str) -> None:
    """Verified unless the spec says otherwise; own CA and client certificate, over IPv4 and IPv6."""
    authority, calls = trustme.CA(), [Call("/x")]
    ca, client = tmp_path / "ca.pem", tmp_path / "client.pem"
    authority.cert_pem.write_to_path(ca)
    authority.issue_cert("client@example.com").private_key_and_cert_chain_pem.write_to_path(client)
    trusted = Tls(ca=str(ca), cert=str(client))
    with HostileServer(tls=tls_server(authority, "127.0.0.1", asks=True)) as server:
        refused = run_calls(server.url, tmp_path, kind, calls).total("GET /x")
        assert refused.failures == {FailureClass.TLS: refused.sent}
        assert server.requests.total() == 0
        ended = run_calls(server.url, tmp_path, kind, calls, tls=trusted)
        assert ended.total("GET /x").ok == ended.sent == server.requests["/x"] > 0
    with HostileServer(tls=tls_server(authority, "other.example"), host="::1") as server:
        misnamed = run_calls(server.url, tmp_path, kind, calls, tls=trusted).total("GET /x")
        assert misnamed.failures == {FailureClass.TLS: misnamed.sent}
        unchecked = run_calls(server.url, tmp_path, kind, calls, tls=Tls(insecure=True))
        assert unchecked.total("GET /x").ok == unchecked.sent == server.requests["/x"] > 0


def test_descriptors_that_run_out_are_the_generators_failure(tmp_path: Path) -> None:
    """They do not count against the target, and the users with a connection carry on."""
    scenario = """
        import os, resource
        from locust import constant, events, task
        from slocheck.users import LeanHttpUser

        @events.test_start.add_listener
        def few(environment, **_):
            _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
            highest = max(int(name) for name in os.listdir("/proc/self/fd"))
            resource.setrlimit(resource.RLIMIT_NOFILE, (highest + 4, hard))

        class Asking(LeanHttpUser):
            wait_time = constant(0.05)

            @task
            def ask(self):
                self.client.get("/x")
    """
    with HostileServer() as server:
        plan = make_plan(server.url, write_scenario(tmp_path, scenario), users=20, duration_s=60)
        ended = run(plan, until=sent_of("GET /x", each=40))
    counts = ended.total("GET /x")
    assert set(counts.failures) == {FailureClass.GENERATOR}
    assert counts.ok == server.requests["/x"] > 0


def test_a_body_that_cannot_be_decoded_fails(tmp_path: Path) -> None:
    """Whether or not a step checks the body: the response is incomplete."""
    coded = b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: %d\r\n\r\n%b"
    good = gzip.compress(b'{"found": true}')
    behaviours = {
        "good": respond_with(coded % (len(good), good)),
        "broken": respond_with(coded % (4, b"oops")),
    }
    looks = {"expect": {"json": {"$.found": True}}}
    misses = {"expect": {"json": {"$.found": False}}}
    steps = [
        {"get": "/good", "name": "GET good", **looks},
        {"get": "/good", "name": "GET other", **misses},
        {"get": "/broken", "name": "GET unseen"},
        {"get": "/broken", "name": "GET broken", **looks},
    ]
    path = tmp_path / "scenario.yaml"
    path.write_text(json.dumps({"think": "10ms", "flows": [{"steps": steps}]}))
    with HostileServer(behaviours) as server:
        names = ("GET good", "GET other", "GET unseen", "GET broken")
        ended = run(make_plan(server.url, str(path), duration_s=60), until=sent_of(*names, each=6))
    failures = {name: ended.total(f"GET {name}").failures for name in ("good", "other", "unseen", "broken")}
    sent = {name: ended.total(f"GET {name}").sent for name in failures}
    assert failures == {
        "good": {},
        "other": {FailureClass.EXPECTATION: sent["other"]},
        "unseen": {FailureClass.PROTOCOL: sent["unseen"]},
        "broken": {FailureClass.PROTOCOL: sent["broken"]},
    }
    assert sent["good"] + sent["other"] == server.requests["/good"] > 10
    assert sent["unseen"] + sent["broken"] == server.requests["/broken"] > 10
