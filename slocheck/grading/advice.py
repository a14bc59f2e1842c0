"""What to change so that the next run can prove the next tier, and how far a short one speaks."""

from collections.abc import Sequence
from math import ceil

from slocheck.evidence.model import Evidence
from slocheck.grading import tiers
from slocheck.grading.assessment import Assessment, LevelResult, Outcome, SideResult, Verdict
from slocheck.spec.model import Spec
from slocheck.spec.model.load_profile import peak

HEADROOM = 1.1
"""The needed length and load are estimates, so a little more is advised."""

LONGEST_S = 24 * 3600

SHORT_S = 60
"""A window under this shows nothing of a service's slower disturbances: see docs/statistics.md."""


def advice(assessment: Assessment, spec: Spec) -> str:
    """Say in one line which workload settings to change and which objectives to improve for the next tier."""
    tier = assessment.next_tier
    if tier is None:
        return "every tier is met; there is nothing left to prove"
    needed = [
        (result.objective.name, level)
        for result in assessment.objectives
        for level in tiers.levels_needed(result, tier, spec.tiers)
    ]
    undecided = [level for _, level in needed if level.verdict is Verdict.UNDECIDED]
    steps = [*_steadier(assessment), *_workload(undecided, spec)]
    breached = dict.fromkeys(name for name, level in needed if level.verdict is Verdict.BREACHED)
    if breached:
        steps.append(f"improve {', '.join(breached)}")
    if not steps:
        steps.append("see the reasons above" if undecided else "run again: the measurement is invalid")
    return f"to prove {tier}: {'; '.join(steps)}"


def _steadier(assessment: Assessment) -> list[str]:
    """Say how long a warm-up would have left out what was unsteady."""
    longest = max((item.suggested_warmup_s or 0 for item in assessment.steady_states), default=0)
    return [f"set workload.warmup to {longest}s"] if longest else []


def _workload(undecided: Sequence[LevelResult], spec: Spec) -> list[str]:
    """Say how much load and how long a window would decide what is undecided."""
    sides = [side for level in undecided for side in level.sides]
    steps = []
    load = max((side.load_factor or 0.0 for side in sides), default=0.0)
    if load and spec.workload.rate:
        most = peak(spec.workload.rate)
        steps.append(f"send {load * HEADROOM:.1f} times the rate: {ceil(most * load * HEADROOM)}/s")
    elif load:
        steps.append(f"set workload.users to {ceil(spec.workload.users * load * HEADROOM)}")
    length = max((_factor(side) for side in sides), default=0.0)
    seconds = ceil(spec.workload.duration * length * HEADROOM / 5) * 5
    if 0 < seconds <= LONGEST_S:
        steps.append(f"set workload.duration to at least {seconds}s")
    return steps


def _factor(side: SideResult) -> float:
    """Return how many times longer a run this side needs; 0 where a longer run would not help."""
    if side.verdict is not Verdict.UNDECIDED or side.load_factor:
        return 0.0
    return side.needed_duration_factor


def short_window(outcome: Outcome, runs: Sequence[Evidence]) -> str:
    """Say that a verdict speaks for the measured seconds only; empty where the window is long enough."""
    seconds = max(run.recording.window_s for run in runs)
    if outcome not in (Outcome.PASS, Outcome.FAIL) or seconds >= SHORT_S:
        return ""
    return f"a window of {seconds}s speaks for these seconds only"
