"""Is the target slow, or the machine that it shares with the load generator?"""

from collections.abc import Sequence

from slocheck.evidence.model import Evidence, SharedMachine
from slocheck.grading.assessment import Finding, ObjectiveResult, Verdict

MOST_STARVED = 0.05
"""A machine without CPU time to spare in a larger share of the load's seconds may have caused any breach."""
MANY_OTHERS = 0.2


def unexplained_by_machine(
    results: Sequence[ObjectiveResult], runs: Sequence[Evidence]
) -> tuple[Finding, ...]:
    """Return a finding if something is breached and the machine of target and generator was too busy.

    Only a run that started its target itself knows that. What is met is never in question: without CPU time
    everything is slower.
    """
    breached = frozenset(
        result.objective.name
        for result in results
        if any(level.verdict is Verdict.BREACHED for level in result.needed)
    )
    busy = [
        shared
        for run in runs
        if (shared := run.health.shared) is not None and shared.starved > MOST_STARVED * shared.seconds
    ]
    if not breached or not busy:
        return ()
    return (Finding("busy-machine", valid=False, message=_text(busy[0]), affects=breached),)


def _text(shared: SharedMachine) -> str:
    said = (
        "this machine runs the target as well as the load generator, and had no CPU time to spare for "
        f"{shared.starved:.0f} of {shared.seconds:.0f} s; other programs used {shared.others:.0%} of it"
    )
    if shared.others < MANY_OTHERS:
        return f"{said}; the machine is too slow for this load: send less, or use a faster one"
    return f"{said}; end them, or wait until they have ended, and run again"
