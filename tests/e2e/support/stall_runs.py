"""Runs against a server that stalls once and logs when it responded: the truth about every wait."""

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import ceil
from pathlib import Path

from slocheck.evidence.recording import SliceCounts
from slocheck.spec.model.load_profile import ArrivalProcess
from tests.builders.load_plans import constant, make_plan, write_scenario
from tests.e2e.support.load_runs import run
from tests.e2e.support.servers.load_server import LoadServer

RATE = 100
MOST_USERS = 400
"""Four seconds' arrivals may wait without one being dropped, also on a machine that is slow for a while."""
LOCUST_FILE = """
    {import_}


    class User(Base):
        wait_time = {wait}

        @task
        def ask(self):
            self.client.get("{path}", name="ask")
"""
_LOCUST = "import constant, constant_throughput, task"
IMPORTS = {
    "HttpUser": f"from locust {_LOCUST}, HttpUser as Base",
    "FastHttpUser": f"from locust {_LOCUST}, FastHttpUser as Base",
    "LeanHttpUser": f"from locust {_LOCUST}\n    from slocheck.users import LeanHttpUser as Base",
}


@dataclass(frozen=True)
class Stall:
    """A server's stall.

    Attributes:
        number: The request at which it stands still.
        length_ms: For how long.
        service_ms: What each request takes it, one after the other.
    """

    number: int
    length_ms: float = 1000
    service_ms: float = 0

    @property
    def path(self) -> str:
        """Where to send the requests."""
        return f"/stall/{self.number}-{self.length_ms}-{self.service_ms}"


@dataclass(frozen=True)
class Stalled:
    """A run at a planned rate against a server that stalled.

    Attributes:
        total: All requests as they were recorded.
        truth: How long each waited from its intended start to the server's response, seconds, ascending.
    """

    total: SliceCounts
    truth: Sequence[float]

    def true_s(self, share: Fraction) -> float:
        """Return a percentile of the truth, seconds; nearest rank."""
        return self.truth[ceil(share * len(self.truth)) - 1]


def locust_file(folder: Path, kind: str, path: str, *, wait: str = "constant(0)") -> str:
    """Write a Locust file with one task."""
    return write_scenario(folder, LOCUST_FILE.format(import_=IMPORTS[kind], path=path, wait=wait))


def declarative(folder: Path, *flows: str) -> str:
    """Write a declarative scenario of flows in YAML's flow style."""
    path = folder / "scenario.yaml"
    path.write_text("flows:\n" + "".join(f"  - {flow}\n" for flow in flows))
    return str(path)


def stalled(folder: Path, kind: str, stall: Stall, *, warmup_s: int, duration_s: int) -> Stalled:
    """Run at 100 rps, evenly spread, as a declarative scenario or a Locust file with one of `IMPORTS`."""
    requests = RATE * (warmup_s + duration_s)
    with LoadServer() as server:
        if kind == "declarative":
            scenario = declarative(folder, f'steps: [{{get: {stall.path}, name: "GET ask"}}]')
        else:
            scenario = locust_file(folder, kind, stall.path)
        course = constant(RATE, warmup_s + duration_s)
        lasting = {"warmup_s": warmup_s, "duration_s": duration_s, "arrivals": ArrivalProcess.EVEN}
        ended = run(make_plan(server.url, scenario, users=min(requests, MOST_USERS), rate=course, **lasting))
        assert server.counts[stall.path] == ended.sent == requests
    assert ended.result.health.arrivals is not None
    assert ended.result.health.arrivals.dropped == 0
    begun = ended.result.window_start - warmup_s
    intended = (begun + number / RATE for number in range(requests))
    responded = sorted(server.stall_responses)
    truth = sorted(response - start for response, start in zip(responded, intended, strict=True))
    return Stalled(ended.total("GET ask"), truth)
