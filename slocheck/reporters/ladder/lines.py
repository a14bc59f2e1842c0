"""A climb as lines of text, each of at most 80 columns if names allow it."""

from collections.abc import Iterator

from slocheck.documents.units import format_ratio
from slocheck.reporters.decision import numbered_gaps
from slocheck.reporters.ladder.model import NO_RESULT, Climb, ClimbStep, Move, measures, moves

_NAME, _VALUE, _INTERVAL, _TIER = 18, 12, 22, 9


def step_lines(step: ClimbStep, before: ClimbStep | None, number: int, count: int) -> Iterator[str]:
    """Yield what one step reached: its tier, and each objective with its interval and its tier.

    Args:
        step: The step.
        before: The one before it; None: it is the first.
        number: Of the step, from 1.
        count: Of all steps.
    """
    yield f"step {number} of {count}, {step.strategy}: {step.does}"
    yield f"  {step.tier}" if before is None else f"  {step.tier} (before: {before.tier})"
    if step.tier == NO_RESULT:
        yield f"  {step.report.assessment.headline}"
    confidence = step.report.assessment.confidence
    interval = f"{format_ratio(confidence.level)} interval" if confidence else "interval"
    yield f"  {'objective':<{_NAME}} {'value':<{_VALUE}} {interval:<{_INTERVAL}} {'tier':<{_TIER}}".rstrip()
    changed = moves(before, step) if before else {}
    for measure in measures(step):
        name = measure.objective.name
        what = changed.get(name, Move.SAME)
        moved = what.value if what is not Move.SAME else ""
        yield (
            f"  {name:<{_NAME}} {measure.value:<{_VALUE}} {measure.interval_text or '-':<{_INTERVAL}} "
            f"{measure.tier or '-':<{_TIER}} {moved}"
        ).rstrip()


def summary_lines(climb: Climb) -> Iterator[str]:
    """Yield the tier of each step, what the step changed, and what the last one lacks for the next tier."""
    width = max(len(step.strategy) for step in climb.steps)
    yield f"the climb, on {climb.parts}:"
    before: ClimbStep | None = None
    for step in climb.steps:
        yield f"  {step.strategy:<{width}}  {step.tier:<10}  {moved_text(before, step)}".rstrip()
        before = step
    last = climb.steps[-1]
    if last.tier == NO_RESULT:
        yield f"the last step says nothing about a tier: {last.report.assessment.headline}"
    for gap in () if last.tier == NO_RESULT else numbered_gaps(last.report):
        yield f"missing: {gap.objective} is {gap.message}"


def moved_text(before: ClimbStep | None, step: ClimbStep) -> str:
    """Say which objectives a step moved: ``better: latency_p95, error_rate``; empty for the first."""
    if before is None:
        return ""
    changed = moves(before, step)
    parts = []
    for kind in (Move.BETTER, Move.WORSE):
        names = [name for name, what in changed.items() if what is kind]
        if names:
            parts.append(f"{kind.value}: {', '.join(names)}")
    return "; ".join(parts) or "no change beyond chance"
