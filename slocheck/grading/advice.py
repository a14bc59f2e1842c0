"""What to change so that the next run can prove the next tier, and what a short run cannot show."""

from collections.abc import Sequence
from fractions import Fraction
from math import ceil

from slocheck.documents.units import format_duration
from slocheck.evidence.model import Evidence
from slocheck.grading import tiers
from slocheck.grading.assessment import Assessment, LevelResult, Outcome, SideResult, Verdict
from slocheck.spec.model import Spec
from slocheck.spec.model.load_profile import peak

HEADROOM = 1.1
"""The needed length and load are estimates, so a little more is advised."""

LONGEST_S = 24 * 3600
MOST_NAMED = 2
"""The most open objectives that are named."""

SHORT_S = 60
"""A window under this shows nothing of a service's slower disturbances: see docs/statistics.md."""


def advice(assessment: Assessment, spec: Spec) -> str:
    """Say in one line what the next tier needs: ``gold needs: 1,100/s offered, a better latency_p95``."""
    tier = assessment.next_tier
    if tier is None:
        return "every tier is met; there is nothing left to prove"
    needed = [
        (result.objective.name, level)
        for result in assessment.objectives
        for level in tiers.levels_needed(result, tier, spec.tiers)
    ]
    undecided = [level for _, level in needed if level.verdict is Verdict.UNDECIDED]
    still_open = dict.fromkeys(name for name, level in needed if level.verdict is Verdict.UNDECIDED)
    steps = [*_steadier(assessment), *_workload(undecided, spec)]
    breached = dict.fromkeys(name for name, level in needed if level.verdict is Verdict.BREACHED)
    if breached:
        steps.append(f"a better {' and '.join(breached)}")
    if not steps:
        steps.append(f"a verdict on {_listed(list(still_open))}" if still_open else "a valid run")
    return f"{tier} needs: {', '.join(steps)}"


def _listed(names: Sequence[str]) -> str:
    more = len(names) - MOST_NAMED
    return f"{', '.join(names[:MOST_NAMED])} and {more} more" if more > 0 else " and ".join(names)


def _steadier(assessment: Assessment) -> list[str]:
    """Say how long a warm-up would have left out what was unsteady."""
    needed = (item.suggested_warmup_s or 0 for item in assessment.steady_states if item.withheld)
    longest = max(needed, default=0)
    return [f"a warm-up of {_time(longest)}"] if longest else []


def _workload(undecided: Sequence[LevelResult], spec: Spec) -> list[str]:
    """Say how much load and how long a window would decide what is undecided."""
    workload, steps = spec.workload, []
    load = max(map(_load_factor, undecided), default=0.0)
    if load and workload.rate:
        steps.append(f"{ceil(peak(workload.rate) * load * HEADROOM):,}/s offered")
    elif load:
        steps.append(f"{ceil(workload.users * load * HEADROOM):,} users")
    open_sides = [side for level in undecided if not _load_factor(level) for side in level.sides]
    length = max((_length_factor(side) for side in open_sides), default=0.0)
    seconds = ceil(workload.duration * length * HEADROOM / 5) * 5
    if 0 < seconds <= LONGEST_S:
        steps.append(f"a window of {_time(seconds)}")
    return steps


def _load_factor(level: LevelResult) -> float:
    """Return how many times as much load a limit needs; 0 if more would not help."""
    return max((side.load_factor or 0.0 for side in level.sides), default=0.0)


def _length_factor(side: SideResult) -> float:
    """Return how many times as long a run this side needs; 0 if a longer run would not help."""
    return side.needed_duration_factor if side.verdict is Verdict.UNDECIDED else 0.0


def _time(seconds: int) -> str:
    return format_duration(Fraction(seconds))


def short_window(outcome: Outcome, runs: Sequence[Evidence]) -> str:
    """Say that a verdict holds for the measured seconds only; empty if the window is long enough."""
    seconds = max(run.recording.window_s for run in runs)
    if outcome not in (Outcome.PASS, Outcome.FAIL) or seconds >= SHORT_S:
        return ""
    return f"the verdict covers a window of only {seconds}s"
