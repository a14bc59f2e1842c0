"""What goes wrong between client and target is classified, counted once, and finished on time."""

import socket
import ssl
from dataclasses import replace
from pathlib import Path

import pytest
import trustme

from slocheck.evidence.model import Ending
from slocheck.evidence.recording import FailureClass
from slocheck.spec.model import Tls
from slocheck.spec.model.load_profile import Stage
from tests.builders.load_plans import constant, make_plan, write_scenario
from tests.e2e.support.load_runs import BOTH, both_clients, run, sent_of
from tests.e2e.support.servers.load_server import LoadServer
from tests.e2e.support.stall_runs import IMPORTS


@pytest.mark.parametrize(
    ("behaviour", "plain", "fast"),
    [
        pytest.param("reset", FailureClass.RESET, FailureClass.RESET, id="reset in the middle of a body"),
        pytest.param("garbage", FailureClass.PROTOCOL, FailureClass.PROTOCOL, id="not HTTP"),
        pytest.param("silent", FailureClass.RESET, FailureClass.RESET, id="closed without a response"),
        pytest.param("status/503", FailureClass.STATUS, FailureClass.STATUS, id="503"),
        pytest.param(
            "redirect/127.0.0.2:1",
            FailureClass.UNEXPECTED,
            FailureClass.UNEXPECTED,
            id="redirect to elsewhere, which is not followed",
        ),
    ],
)
def test_failures_are_classed_and_counted_once(
    tmp_path: Path, behaviour: str, plain: FailureClass, fast: FailureClass
) -> None:
    """Each request to a broken target is one failure of its class; nothing is resent silently."""
    with LoadServer() as server:
        scenario = both_clients(tmp_path, behaviour, wait=0.05)
        ended = run(make_plan(server.url, scenario, duration_s=60), until=sent_of(*BOTH, each=6))
    counts = {name: ended.total(f"GET {name}") for name in ("plain", "fast")}
    assert counts["plain"].failures == {plain: counts["plain"].sent}
    assert counts["fast"].failures == {fast: counts["fast"].sent}
    assert ended.sent == server.counts.total()
    assert min(count.sent for count in counts.values()) > 0
    assert ended.result.recording.errors


def test_a_server_that_closes_after_each_response_costs_no_request(tmp_path: Path) -> None:
    """A connection closed without announcement is noticed before the next request."""
    with LoadServer() as server:
        plan = make_plan(server.url, both_clients(tmp_path, "close", wait=0.05), duration_s=60)
        ended = run(plan, until=sent_of(*BOTH, each=6))
    assert ended.sent == ended.total("GET plain").ok + ended.total("GET fast").ok == server.counts["/close"]


def test_a_target_that_is_down_ends_the_run(tmp_path: Path) -> None:
    """Ten seconds of nothing but failures end the load; each failure is counted."""
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{unused.getsockname()[1]}"
        ended = run(make_plan(url, both_clients(tmp_path, "x", wait=0.2), warmup_s=3, duration_s=60))
    assert ended.result.ending is Ending.TARGET_DOWN
    assert 10 <= ended.result.recording.window_s < 60
    for name in ("GET plain", "GET fast"):
        counts = ended.total(name)
        assert counts.failures == {FailureClass.REFUSED: counts.sent}
        assert counts.unserved == counts.statuses[0] == counts.sent > 10


@pytest.mark.parametrize("behaviour", ["hang", "drip"])
def test_a_hung_request_fails_at_the_drains_end_and_none_is_lost(tmp_path: Path, behaviour: str) -> None:
    """A target that never responds, or byte by byte, yields one timeout per user, and not too early."""
    with LoadServer() as server:
        scenario = both_clients(tmp_path, behaviour)
        plan = make_plan(server.url, scenario, users=4, duration_s=60, drain_s=1.5)
        ended = run(plan, until=lambda _: server.counts[f"/{behaviour}"] >= 4)
    for name in ("GET plain", "GET fast"):
        counts = ended.total(name)
        assert counts.failures == {FailureClass.TIMEOUT: counts.sent}
    assert ended.sent == server.counts[f"/{behaviour}"] >= 4
    assert ended.result.health.in_flight <= ended.sent
    assert ended.result.ending is Ending.COMPLETE


def test_a_long_task_ends_with_its_current_request(tmp_path: Path) -> None:
    """A task that would go on for ever stops at its next request; `on_stop` may still say goodbye."""
    endless = """
        from locust import HttpUser, task

        class Endless(HttpUser):
            @task
            def ask(self):
                while True:
                    self.client.get("/delay/50", name="again")

            def on_stop(self):
                self.client.get("/goodbye")
    """
    with LoadServer() as server:
        plan = make_plan(server.url, write_scenario(tmp_path, endless), duration_s=60, drain_s=60)
        ended = run(plan, until=sent_of("GET again", each=4))
    assert server.counts["/goodbye"] == ended.total("GET /goodbye").ok == 2
    assert ended.total("GET again").ok == server.counts["/delay/50"]
    assert ended.result.health.in_flight == 0


def test_certificates_are_checked_as_the_spec_says(tmp_path: Path) -> None:
    """A certificate of an unknown authority is refused by both clients, and accepted with its CA."""
    authority = trustme.CA()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("localhost", "127.0.0.1").configure_cert(context)
    ca = tmp_path / "ca.pem"
    authority.cert_pem.write_to_path(ca)
    with LoadServer(tls=context) as server:
        plan = make_plan(server.url, both_clients(tmp_path, "x", wait=0.05), duration_s=60)
        refused = run(plan, until=sent_of(*BOTH))
        assert server.counts.total() == 0
        taken = run(replace(plan, tls=Tls(ca=str(ca))), until=sent_of(*BOTH))
        unchecked = run(replace(plan, tls=Tls(insecure=True)), until=sent_of(*BOTH))
    for name in ("GET plain", "GET fast"):
        assert refused.total(name).failures == {FailureClass.TLS: refused.total(name).sent}
        assert taken.total(name).ok == taken.total(name).sent > 0
        assert unchecked.total(name).ok == unchecked.total(name).sent > 0


UNSTARTED = """
    {import_}


    class Unstarted(Base):
        wait_time = constant(0.05)

        def on_start(self):
            raise ValueError("no session")

        @task
        def ask(self):
            self.client.get("/x", name="ask")
"""


@pytest.mark.parametrize("kind", list(IMPORTS))
@pytest.mark.parametrize("rate", [(), constant(10, 1)], ids=["closed", "open"])
def test_what_on_start_raises_is_told_and_waited_for_by_nobody(
    tmp_path: Path, kind: str, rate: tuple[Stage, ...]
) -> None:
    """Users that never started are missing, and the evidence has the reason and its line."""
    scenario = write_scenario(tmp_path, UNSTARTED.format(import_=IMPORTS[kind]))
    with LoadServer() as server:
        ended = run(make_plan(server.url, scenario, users=3, duration_s=1, rate=rate))
    assert (ended.sent, ended.result.health.users) == (0, 0)
    if rate:  # no user is there for the schedule, so it does not begin
        assert ended.result.ending is Ending.SCENARIO
        said = ended.result.error
        assert said.startswith(
            "the Locust file ended the run before the load: no user could start, most often"
        )
        assert "ValueError: no session (" in said
        assert "scenario.py:" in ended.result.error
        return
    ((text, count),) = ended.result.health.exceptions.items()
    assert text.startswith("ValueError: no session (")
    assert "scenario.py:" in text
    assert count == 3
