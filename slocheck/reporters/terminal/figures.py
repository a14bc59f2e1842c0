"""What is known about a run in progress, as short texts: phase, rates, percentiles, errors, verdicts."""

from collections import Counter
from dataclasses import dataclass
from math import ceil, isfinite

from slocheck.evidence.model import Tick
from slocheck.evidence.recording import Recording
from slocheck.grading.assessment import SEVERITY, Assessment, ObjectiveResult, Verdict
from slocheck.grading.nearest import use_of_limit
from slocheck.reporters import totals
from slocheck.reporters.text import clock_text, latency_text, ratio_text
from slocheck.reporters.totals import Totals
from slocheck.spec.model import FailureRule, Spec
from slocheck.spec.model.load_profile import rate_at

RECENT_S = 10
"""Seconds that the figures cover: long enough to be steady, short enough to be current."""

WARM_UP, WINDOW, DRAIN = "warm-up", "window", "drain"
PERCENTILES = ("p50", "p95", "p99")
FULL, EMPTY = "■", "·"


@dataclass(frozen=True, slots=True)
class Recent:
    """The last seconds of a recording.

    Attributes:
        seconds: Their number.
        totals: What happened in them.
    """

    seconds: int
    totals: Totals

    @property
    def rps(self) -> float:
        """Requests sent per second."""
        return self.totals.sent / self.seconds


def recent(recording: Recording, second: int) -> Recent:
    """Return the complete seconds before `second`, at most `RECENT_S`; the current one is not complete."""
    begin = max(0, second - RECENT_S)
    seconds = range(begin, max(second, 1))
    return Recent(max(1, second - begin), totals.add_up(None, recording.scope(seconds=seconds)))


def place_text(tick: Tick, spec: Spec) -> str:
    """Say how far the run has got: ``window 12 of 30s``."""
    match tick.phase:
        case "warm-up":
            return f"warm-up {tick.second} of {clock_text(ceil(spec.workload.warmup))}"
        case "window":
            return f"window {in_window(tick)} of {clock_text(ceil(spec.workload.duration))}"
        case phase:
            return f"{phase}: waiting for requests in flight"


def in_window(tick: Tick) -> int:
    """Return how many seconds of the window are over."""
    return max(0, min(tick.second, tick.recording.window.stop) - tick.recording.warmup_s)


def time_left_text(tick: Tick, spec: Spec) -> str:
    """Say how long the load still lasts; empty in the drain, which ends with the last response."""
    left = ceil(spec.workload.warmup) + ceil(spec.workload.duration) - tick.second
    return f"{clock_text(left)} left" if left > 0 and tick.phase != DRAIN else ""


def planned_text(tick: Tick, spec: Spec) -> str:
    """Say what is planned for this second, and how many users there are: ``planned 600/s, 40 users``."""
    workload = spec.workload
    running = f"{tick.users:,} users"
    if workload.rate:
        return f"planned {rate_at(workload.rate, tick.second):,.4g}/s, {running}"
    planned = rate_at(workload.stages, tick.second) if workload.stages else workload.users
    return f"planned {planned:,.0f} users, running {tick.users:,}"


def percentiles_text(now: Recent) -> str:
    """Write the percentiles of the successful requests: ``p50 18ms  p95 40ms  p99 120ms``."""
    found = [latency_text(ns) for ns in now.totals.quantiles]
    shown = found or ["-"] * len(PERCENTILES)
    return "  ".join(f"{name} {text}" for name, text in zip(PERCENTILES, shown, strict=True))


def errors_text(now: Recent, rule: FailureRule) -> str:
    """Say how many requests failed, and how: ``0.62%: 503 135, timeout 14``; ``none`` if none did."""
    counts = now.totals
    if not counts.failed:
        return "none"
    return f"{ratio_text(counts.failed, counts.sent)}: {totals.failed_text(counts, rule)}"


def cache_text(now: Recent) -> str:
    """Write the share of cache hits; empty if no response says whether it is one."""
    lookups = now.totals.cache_hits + now.totals.cache_misses
    return ratio_text(now.totals.cache_hits, lookups) if lookups else ""


def verdict_counts(assessment: Assessment) -> Counter[Verdict]:
    """Count the objectives that the gate needs by their verdict so far."""
    verdicts = (result.verdict for result in assessment.objectives)
    return Counter(verdict for verdict in verdicts if verdict is not None)


def verdicts_text(assessment: Assessment) -> str:
    """Write the verdicts so far, worst first: ``1 breached, 2 undecided, 5 met``."""
    counts = verdict_counts(assessment)
    return ", ".join(f"{counts[verdict]} {verdict.value}" for verdict in SEVERITY if counts[verdict])


def gate_results(assessment: Assessment) -> list[ObjectiveResult]:
    """Return the objectives that the gate needs, the worst verdicts first, then by how near the limit is."""
    needed = [result for result in assessment.objectives if result.verdict is not None]
    return sorted(
        needed,
        key=lambda result: (SEVERITY.index(result.verdict or Verdict.MET), -use_of_limit(result)),
    )


def bar(share: float, width: int) -> str:
    """Draw a share of 1 as a bar, full from 1 on; a breach shows by its glyph and its value."""
    filled = width if not isfinite(share) else min(width, max(0, round(share * width)))
    return FULL * filled + EMPTY * (width - filled)
