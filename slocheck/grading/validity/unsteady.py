"""What a window that was not one steady state means for the limits that are met on it.

The interval of the whole window holds what was worse at its beginning, and the service is better since: that
takes nothing from a met limit. Where the window became worse, what follows it may be like its last part, so a
limit has to be met on that part alone, too.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from slocheck.evidence.warnings import RunWarning
from slocheck.grading.assessment import LevelResult, ObjectiveResult, SteadyState, Verdict
from slocheck.grading.sides import grade_objective
from slocheck.grading.validity.steady_state import SecondSeries, Steadiness
from slocheck.grading.validity.withhold import withheld_level
from slocheck.indicators.later_part import LaterPart
from slocheck.plan.load_plan import NEAR
from slocheck.spec.indicators import traits_of
from slocheck.spec.model import Limit, Objective, Spec
from slocheck.statistics.confidence import Criterion

NAMED = 3
"""Objectives that a warning names."""


@dataclass(frozen=True, slots=True)
class Unsteady:
    """The runs' drifts, and how to grade a part of them.

    Attributes:
        found: What the tests say of each run.
        spec: What was asked.
        criterion: As for the whole window.
    """

    found: Sequence[Steadiness]
    spec: Spec
    criterion: Criterion

    def withhold(
        self, results: Sequence[ObjectiveResult]
    ) -> tuple[tuple[ObjectiveResult, ...], dict[str, list[str]]]:
        """Return the results without the MET that a later, worse part of a run does not show as well.

        With them, by a run's name, the objectives concerned. What is breached stays so.
        """
        kept, withheld = list(results), dict[str, list[str]]()
        for item in self.found:
            for index, result in enumerate(kept):
                kept[index] = self._checked(result, item)
                if kept[index] is not result:
                    withheld.setdefault(item.name, []).append(result.objective.name)
        return tuple(kept), withheld

    def _checked(self, result: ObjectiveResult, item: Steadiness) -> ObjectiveResult:
        levels = tuple(self._level(result.objective, level, item) for level in result.levels)
        changed = any(new is not old for new, old in zip(levels, result.levels, strict=True))
        return replace(result, levels=levels) if changed else result

    def _level(self, objective: Objective, level: LevelResult, item: Steadiness) -> LevelResult:
        if level.verdict is not Verdict.MET:
            return level
        concerned = [
            drift.worse_from
            for series, drift in item.moved
            if drift.worse_from is not None and self._concerns(series, objective, level.limit, item)
        ]
        if not concerned:
            return level
        begin_s, whole_s = max(concerned), item.run.evidence.recording.window_s
        part = replace(objective, limits={level.level: level.limit})
        (graded,) = grade_objective(part, self.spec, [LaterPart(item.run, begin_s)], self.criterion).levels
        if graded.verdict is Verdict.MET:
            return level
        return withheld_level(
            level,
            f"the window is unsteady, and its last {whole_s - begin_s} s alone do not show that it is met",
        )

    def _concerns(self, series: SecondSeries, objective: Objective, limit: Limit, item: Steadiness) -> bool:
        """Tell whether what drifts is what an objective is about.

        An objective whose own bad requests were looked at needs no other series, but for the latency: it may
        rise long before a request reaches the limit, and concerns it once one came near.
        """
        traits = traits_of(objective.indicator.kind)
        if series.objective is not None:
            return series.objective == objective.name or objective.name not in item.counted
        if traits.limited_by_load:
            return not self.spec.workload.rate  # users wait for responses
        if traits.is_percentile:
            return item.run.client.window(objective.endpoint).slowest_ns * NEAR >= limit.first_bad_ns
        return objective.name not in item.counted


def steady_warnings(states: Sequence[SteadyState], spec: Spec) -> Iterator[RunWarning]:
    """Warn of each unsteady window: what it means for the verdicts, and what to do."""
    for state in states:
        if not state.steady:
            yield RunWarning("unsteady", f"{state.message}; {_effect(state, spec)}; {_remedy(state)}")


def _effect(state: SteadyState, spec: Spec) -> str:
    if spec.confidence is None:
        return "the observed values were still graded (confidence: none)"
    if not state.withheld:
        return "no verdict depends on it"
    more = len(state.withheld) - NAMED
    named = ", ".join((*state.withheld[:NAMED], *([f"{more} more"] if more > 0 else [])))
    return f"not counted as met, because the window's last part alone does not show it: {named}"


def _remedy(state: SteadyState) -> str:
    if state.suggested_warmup_s is None:
        return "no warm-up within this window is long enough: run longer, or find out what drifts"
    return f"try workload.warmup: {state.suggested_warmup_s}s"
