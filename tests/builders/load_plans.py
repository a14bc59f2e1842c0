"""Load plans, and the Locust files that they run."""

import textwrap
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from slocheck.plan.load_plan import LoadPlan
from slocheck.spec.model import CacheRule, FailureRule
from slocheck.spec.model.load_profile import Stage

THRESHOLDS_MS = (1, 10, 50, 100, 200, 500)


def write_scenario(folder: Path, text: str) -> str:
    """Write a Locust file, dedented; returns its path."""
    path = folder / "scenario.py"
    path.write_text(textwrap.dedent(text))
    return str(path)


def constant(rate: float, seconds: float) -> tuple[Stage, ...]:
    """Return the load profile of a constant rate."""
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
        allowed_targets=(urlsplit(url).hostname or "",),
    )
    return replace(plan, **changes)
