"""What the tests of the load engine share: scenarios, plans, and sums over a result."""

import textwrap
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from slocheck.evidence.merge import add_slices
from slocheck.evidence.model import LoadResult, Tick
from slocheck.evidence.recording import SliceCounts
from slocheck.load.engine import LoadEngine
from slocheck.plan.load_plan import LoadPlan
from slocheck.spec.model import CacheRule, FailureRule
from slocheck.spec.model.load_profile import Stage

THRESHOLDS_MS = (1, 10, 50, 100, 200, 500)
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


def write_scenario(folder: Path, text: str) -> str:
    """Write a Locust file, dedented; returns its path."""
    path = folder / "scenario.py"
    path.write_text(textwrap.dedent(text))
    return str(path)


def both_clients(folder: Path, behaviour: str, *, wait: float = 0.01) -> str:
    """Write a scenario in which HttpUser and FastHttpUser ask for one behaviour, by paths of their own."""
    text = BOTH_CLIENTS.format(plain=f"{behaviour}?plain", fast=f"{behaviour}?fast", wait=wait)
    return write_scenario(folder, text)


def constant(rate: float, seconds: float) -> tuple[Stage, ...]:
    """Return the course of a constant rate."""
    return (Stage(rate, rate, seconds),)


def make_plan(url: str, scenario: str, **changes: Any) -> LoadPlan:
    """Return a short plan: two users, two seconds, no warm-up."""
    plan = LoadPlan(
        target_url=url,
        scenario=scenario,
        users=2,
        spawn_rate=100,
        warmup_s=0,
        duration_s=2,
        drain_s=5,
        thresholds_ns=tuple(ms * 1_000_000 for ms in THRESHOLDS_MS),
        failures=FailureRule(),
        cache=CacheRule(),
        seed=7,
    )
    return replace(plan, **changes)


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


def run(plan: LoadPlan) -> Run:
    """Prepare and run a plan to its end."""
    ticks: list[Tick] = []
    with LoadEngine(plan) as engine:
        engine.prepare()
        return Run(engine.run(ticks.append), ticks)
