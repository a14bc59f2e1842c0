"""What the tests of the load engine share: scenarios, plans, and sums over a result."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from slocheck.evidence.merge import add_slices
from slocheck.evidence.model import LoadResult, Tick
from slocheck.evidence.recording import Recording, SliceCounts
from slocheck.load.engine import LoadEngine
from slocheck.plan.load_plan import LoadPlan
from tests.builders.load_plans import THRESHOLDS_MS, write_scenario
from tests.e2e.support.forking.forked import forked_master

BOTH_CLIENTS = """
    from locust import FastHttpUser, HttpUser, constant, task


    class Plain(HttpUser):
        wait_time = constant({wait})

        @task
        def ask(self):
            self.client.get("/{plain}", name="plain")


    class Fast(FastHttpUser):
        wait_time = constant({wait})

        @task
        def ask(self):
            self.client.get("/{fast}", name="fast")
"""

BOTH = ("GET plain", "GET fast")
"""The endpoints of `both_clients`."""


def both_clients(folder: Path, behaviour: str, *, wait: float = 0.01) -> str:
    """Write a scenario in which HttpUser and FastHttpUser ask for one behaviour, each by its own path."""
    text = BOTH_CLIENTS.format(plain=f"{behaviour}?plain", fast=f"{behaviour}?fast", wait=wait)
    return write_scenario(folder, text)


@dataclass(frozen=True)
class Run:
    """A finished run and what was seen of it on the way."""

    result: LoadResult
    ticks: list[Tick]

    def total(self, endpoint: str) -> SliceCounts:
        """Sum an endpoint over all seconds."""
        total = SliceCounts(0, over=(0,) * len(THRESHOLDS_MS))
        for recorded in self.result.recording.endpoints:
            if str(recorded.endpoint) == endpoint:
                for counts in recorded.slices:
                    total = add_slices(total, replace(counts, second=0))
        return total

    @property
    def sent(self) -> int:
        """Requests of all endpoints."""
        return sum(counts.sent for e in self.result.recording.endpoints for counts in e.slices)


Enough = Callable[[Recording], bool]
"""Whether what was recorded until now is all that a test needs."""


def sent_of(*names: str, each: int = 1) -> Enough:
    """Return whether that many requests of each of these endpoints were recorded."""

    def enough(recording: Recording) -> bool:
        found = {str(one.endpoint): sum(counts.sent for counts in one.slices) for one in recording.endpoints}
        return all(found.get(name, 0) >= each for name in names)

    return enough


def run(plan: LoadPlan, *, until: Enough | None = None) -> Run:
    """Prepare and run a plan to its end; or, on a machine of any speed, until something was recorded."""
    ticks: list[Tick] = []

    def on_tick(tick: Tick) -> None:
        ticks.append(tick)
        if until is not None and tick.phase == "window" and until(tick.recording):
            engine.finish()

    with LoadEngine(plan, forked_master) as engine:
        engine.prepare()
        return Run(engine.run(on_tick), ticks)
