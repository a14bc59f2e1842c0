"""The lean client against real servers, in a Locust file and under a declarative scenario."""

import ssl
from dataclasses import replace
from pathlib import Path

import pytest
import trustme

from slocheck.evidence.model import Ending
from slocheck.evidence.recording import FailureClass
from slocheck.spec.course import Stage
from slocheck.spec.model import Tls
from tests.e2e.hostile_server import BIG, TALKS, HostileServer
from tests.e2e.load_runs import Run, make_plan, run, write_scenario
from tests.e2e.load_server import LoadServer

KINDS = ("LeanHttpUser", "declarative")
LOCUST_FILE = """
    from locust import constant, task

    from slocheck.users import LeanHttpUser


    class User(LeanHttpUser):
        wait_time = constant(0.02)
        network_timeout = 1.0
{tasks}
"""
TASK = """
        @task
        def ask_{function}(self):
            {call}
"""
CALLS = {
    "early": 'self.client.post("/early", data=b"x" * (1 << 22))',
    "gzip": """
            with self.client.get("/gzip", catch_response=True) as answer:
                if answer.json() != {"found": True}:
                    answer.failure("not found")""",
    "wrong": """
            with self.client.get("/wrong", catch_response=True) as answer:
                if "found" not in answer.text:
                    answer.failure("not found")""",
}
STEPS = {
    "early": f'{{post: /early, body: "{"x" * 7_000}", timeout: 1s}}',
    "gzip": "{get: /gzip, timeout: 1s, expect: {json: {$.found: true}}}",
    "wrong": "{get: /wrong, timeout: 1s, expect: {body: found}}",
}


def scenario(folder: Path, kind: str, *talks: str) -> str:
    """Write a scenario that asks for these talks, all equally often."""
    if kind == "declarative":
        path = folder / "scenario.yaml"
        steps = [STEPS.get(talk, f"{{get: /{talk}, timeout: 1s}}") for talk in talks]
        path.write_text("think: 20ms\nflows:\n" + "".join(f"  - steps: [{step}]\n" for step in steps))
        return str(path)
    tasks = "".join(
        TASK.format(function=talk.replace("-", "_"), call=CALLS.get(talk, f'self.client.get("/{talk}")'))
        for talk in talks
    )
    return write_scenario(folder, LOCUST_FILE.format(tasks=tasks))


FAILURES = {
    "reset": FailureClass.RESET,
    "silent": FailureClass.RESET,
    "drip": FailureClass.TIMEOUT,
    "hang": FailureClass.TIMEOUT,
    "http2": FailureClass.PROTOCOL,
    "garbage": FailureClass.PROTOCOL,
    "lengths": FailureClass.PROTOCOL,
    "unavailable": FailureClass.STATUS,
    "wrong": FailureClass.EXPECTATION,
}


SHARED = [talk for talk in TALKS if talk != "idle"]
"""All but the one that closes a connection a moment after its answer: another request may be on its way."""


@pytest.fixture(scope="module", params=KINDS)
def survived(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Run, dict[str, int]]:
    """One run through all that a server can do wrong, and what the server counted."""
    folder = tmp_path_factory.mktemp("hostile")
    with HostileServer() as server:
        path = scenario(folder, request.param, *SHARED)
        plan = make_plan(server.url, path, users=150, duration_s=6, rate=(Stage(100, 100, 6),))
        return run(plan), dict(server.counts)


@pytest.mark.parametrize("talk", SHARED)
def test_whatever_a_server_does_is_classed_and_counted_once(
    survived: tuple[Run, dict[str, int]], talk: str
) -> None:
    """As many requests as the server received, each with one outcome of the right class."""
    ended, counted = survived
    counts = ended.total(f"{'POST' if talk == 'early' else 'GET'} /{talk}")
    assert counts.sent == counted[talk] > 5
    expected = {FAILURES[talk]: counts.sent} if talk in FAILURES else {}
    assert counts.failures == expected, ended.result.recording.errors


def test_a_hostile_server_does_not_stop_the_run(survived: tuple[Run, dict[str, int]]) -> None:
    """It ends on time, nothing is lost or unrecorded, the worker stays whole."""
    ended, _ = survived
    assert ended.result.ending is Ending.COMPLETE
    assert ended.result.health.unrecorded == 0
    assert ended.result.health.exceptions == {}
    assert all(worker.complete for worker in ended.result.health.workers)
    assert ended.total("GET /big").bytes_received == BIG * ended.total("GET /big").sent
    assert ended.result.end - ended.result.load_start < 6 + 5 + 10


@pytest.mark.parametrize("kind", KINDS)
def test_a_connection_that_the_server_has_closed_is_not_used_again(tmp_path: Path, kind: str) -> None:
    """It promises to stay and leaves 20 ms later, when nobody speaks: the next request takes a new one."""
    with HostileServer() as server:
        path = scenario(tmp_path, kind, "idle")
        text = Path(path).read_text().replace("20ms", "200ms").replace("constant(0.02)", "constant(0.2)")
        Path(path).write_text(text)
        ended = run(make_plan(server.url, path, users=5, duration_s=2))
        counts = ended.total("GET /idle")
        assert counts.ok == counts.sent == server.counts["idle"] > 20


@pytest.mark.parametrize("kind", KINDS)
def test_connections_beyond_what_a_server_takes_are_refused(tmp_path: Path, kind: str) -> None:
    """Ten users are served on their connections, five are refused again and again."""
    with HostileServer(connections=10) as server:
        ended = run(make_plan(server.url, scenario(tmp_path, kind, "plain"), users=15, duration_s=2))
        counts = ended.total("GET /plain")
        assert counts.ok == server.counts["plain"]
    assert set(counts.failures) <= {FailureClass.REFUSED, FailureClass.RESET}
    assert counts.failures[FailureClass.REFUSED] > 5


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("host", ["::1", "localhost"])
def test_every_address_of_a_name_is_tried(tmp_path: Path, kind: str, host: str) -> None:
    """IPv6 by its address; and a name whose first address refuses is reached by its next one."""
    if host == "localhost":
        with LoadServer() as server:
            ended = run(make_plan(server.url, scenario(tmp_path, kind, "plain"), duration_s=1))
    else:
        with HostileServer(host) as hostile:
            ended = run(make_plan(hostile.url, scenario(tmp_path, kind, "plain"), duration_s=1))
    counts = ended.total("GET /plain")
    assert counts.ok == counts.sent > 5


@pytest.mark.parametrize("kind", KINDS)
def test_a_name_that_nobody_knows_is_a_dns_failure(tmp_path: Path, kind: str) -> None:
    """It is asked for, and every request says that there is no such name."""
    ended = run(make_plan("http://nowhere.invalid:80", scenario(tmp_path, kind, "plain"), duration_s=1))
    counts = ended.total("GET /plain")
    assert counts.failures == {FailureClass.DNS: counts.sent}
    assert counts.sent > 0


@pytest.mark.parametrize("kind", KINDS)
def test_certificates_are_checked(tmp_path: Path, kind: str) -> None:
    """Unknown authority and wrong name are refused; its own CA, and a client certificate, are taken."""
    authority = trustme.CA()
    ca, own = tmp_path / "ca.pem", tmp_path / "own.pem"
    authority.cert_pem.write_to_path(ca)
    authority.issue_cert("client@example").private_key_and_cert_chain_pem.write_to_path(own)
    path = scenario(tmp_path, kind, "plain")
    outcomes = []
    for name, tls in (
        ("localhost", Tls()),
        ("other.example", Tls(ca=str(ca))),
        ("localhost", Tls(ca=str(ca), cert=str(own))),
    ):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        authority.issue_cert(name).configure_cert(context)
        authority.configure_trust(context)
        context.verify_mode = ssl.CERT_REQUIRED if tls.cert else ssl.CERT_NONE
        with LoadServer(tls=context) as server:
            ended = run(replace(make_plan(server.url, path, duration_s=1), tls=tls))
        counts = ended.total("GET /plain")
        assert counts.sent > 3
        outcomes.append((counts.ok == counts.sent, set(counts.failures)))
    assert outcomes == [(False, {FailureClass.TLS}), (False, {FailureClass.TLS}), (True, set())]
