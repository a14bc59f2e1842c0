"""Ending a run as soon as its gate is decided, without more wrong verdicts."""

from dataclasses import replace

from slocheck.evidence.model import Evidence
from slocheck.grading.assess import assess
from slocheck.grading.assessment import Outcome
from slocheck.spec.indicators import traits_of
from slocheck.spec.model import SourceChoice, Spec
from slocheck.statistics.sequential import analysis_plan


class EarlyStopping:
    """The interim analyses of one run that may end early; make one for each run.

    While the load is sent, ask `ends` once a second; when it says yes, end the load. When the run is over,
    `spent` notes in its evidence how much of the error rate it may use, whether it ended early or not.
    """

    def __init__(self, spec: Spec) -> None:
        self._spec = spec
        self._plan = analysis_plan(spec.workload.duration)
        self._done = 0
        self._decided_at: int | None = None

    def ends(self, second: int, evidence: Evidence) -> bool:
        """Tell whether an analysis is due now and decides the gate; no further one is made once it has.

        Args:
            second: Seconds since the load began, warm-up included.
            evidence: Of the client side so far.
        """
        if self._decided_at is not None or not self._due(second):
            return False
        analysis = self._done
        self._done += 1
        if not decides(self._plan.alpha_share(analysis), self._spec, evidence):
            return False
        self._decided_at = analysis
        return True

    def spent(self, evidence: Evidence) -> Evidence:
        """Return the finished run's evidence with its share of alpha and, if it ended early, its window."""
        if self._decided_at is None:
            return replace(evidence, alpha_share=self._plan.alpha_share(self._plan.final))
        return replace(
            evidence,
            alpha_share=self._plan.alpha_share(self._decided_at),
            planned_window_s=float(evidence.recording.window_s),
        )

    def _due(self, second: int) -> bool:
        """Tell whether the next analysis is due; the final one is that of the finished run."""
        if self._done >= self._plan.final:
            return False
        return second >= round(self._spec.workload.warmup) + self._plan.moments_s[self._done]


def decides(alpha_share: float, spec: Spec, evidence: Evidence) -> bool:
    """Tell whether the client side decides the gate, either way, at an analysis' share of alpha.

    The server side is fetched after the run and graded at the same share.
    """
    seen = replace(
        evidence,
        alpha_share=alpha_share,
        planned_window_s=float(evidence.recording.window_s),  # as if it ended here
    )
    return assess(client_side(spec), seen).outcome in (Outcome.PASS, Outcome.FAIL)


def client_side(spec: Spec) -> Spec:
    """Return a spec that grades the client side alone; objectives without one are left out."""
    objectives = tuple(
        replace(objective, source=SourceChoice.CLIENT)
        for objective in spec.objectives
        if not traits_of(objective.indicator.kind).is_query
        and objective.source is not SourceChoice.PROMETHEUS
    )
    return replace(spec, objectives=objectives)
