"""Looking at a run that still goes on, to end it as soon as its gate is decided."""

from dataclasses import replace

from slocheck.evidence.model import Evidence
from slocheck.grading.assess import assess
from slocheck.grading.assessment import Outcome
from slocheck.spec.indicators import traits_of
from slocheck.spec.model import SourceChoice, Spec
from slocheck.statistics.sample_size import INTERIM_ANALYSES, spending


def due_look(second: int, spec: Spec, taken: int) -> int | None:
    """Return which planned look is due after `second` seconds of the run; None: none.

    `taken` looks have been taken already. The last look is the end of the run itself.
    """
    if taken >= len(INTERIM_ANALYSES) - 1:
        return None
    due = round(spec.workload.warmup) + round(INTERIM_ANALYSES[taken] * spec.workload.duration)
    return taken if second >= due else None


def decided(look: int, spec: Spec, evidence: Evidence) -> bool:
    """Tell whether the client's side decides the gate, either way, at a look's share of alpha.

    The server's side is not there yet. It is graded after the run, at the same share.
    """
    seen = replace(
        evidence,
        alpha_share=spending(look),
        planned_window_s=float(evidence.recording.window_s),  # as if it ended here
    )
    outcome = assess(client_side(spec), seen).outcome
    return outcome in (Outcome.PASS, Outcome.FAIL)


def client_side(spec: Spec) -> Spec:
    """Return a spec that asks the client alone; objectives that it cannot see are left out."""
    objectives = tuple(
        replace(objective, source=SourceChoice.CLIENT)
        for objective in spec.objectives
        if not traits_of(objective.indicator.kind).is_query
        and objective.source is not SourceChoice.PROMETHEUS
    )
    return replace(spec, objectives=objectives)
