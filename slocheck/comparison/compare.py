"""One run, or several, compared with earlier ones: what changed, and whether that is more than chance."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from slocheck.comparison.conditions import differences, notes, other_machines
from slocheck.comparison.model import Change, Comparison, Method, ObjectiveRecord, RunRecord, Trend
from slocheck.comparison.scales import Scale, scale_of, unusable
from slocheck.indicators.batches import BATCHES
from slocheck.spec.indicators import traits_of
from slocheck.statistics.multiple_testing import holm
from slocheck.statistics.shift import MIN_RUNS, Shift, against_history, welch, within_runs

MOST_RUNS = 20
"""The most earlier runs that a new one is compared with: the newest."""
DEFAULT_MARGIN = 0.1
MOST_DIFFERENCES = 6
"""The most differences between runs that are listed."""
NOT_VALID = "its measurement is invalid, or it did not run to the end"
"""Why a run is compared with no other."""
_CLIENT = "client"
CONFIDENCE: Mapping[Method, float] = {Method.WITHIN_RUNS: 0.95, Method.PREDICTION: 0.99, Method.WELCH: 0.95}


def comparable(
    new: RunRecord, candidates: Sequence[RunRecord]
) -> tuple[tuple[RunRecord, ...], Mapping[str, str]]:
    """Return the newest `MOST_RUNS` valid runs that were made like `new`, and why others were left out.

    Args:
        new: The run.
        candidates: Others, oldest first.
    """
    kept, left_out = [], {}
    for run in candidates:
        if run.run_id == new.run_id:
            continue
        why = "" if run.valid else NOT_VALID
        why = why or "; ".join(differences(new.conditions, run.conditions))
        if why:
            left_out[run.run_id] = why
        else:
            kept.append(run)
    return tuple(kept[-MOST_RUNS:]), left_out


def compare(
    new: Sequence[RunRecord],
    old: Sequence[RunRecord],
    margin: float = DEFAULT_MARGIN,
    *,
    left_out: Mapping[str, str] | None = None,
) -> Comparison:
    """Compare runs, each side oldest first and with one run at least.

    Five runs or more on both sides: Welch's t-test. One against five or more: a t prediction interval. Fewer:
    the newest of each side, by what they show within themselves; that is information and proves nothing.

    Args:
        new: The later side.
        old: The earlier side.
        margin: How much worse an objective may get, 0.1 for 10 %.
        left_out: Runs that were not taken, and why: for display.
    """
    method = _method(len(new), len(old))
    differing = {text: None for run in old for text in _differing(new[-1], run)}
    if method is Method.WITHIN_RUNS:
        new = new[-1:]
        differing = dict.fromkeys(_differing(new[-1], old[-1]))
    tested = method is not Method.WITHIN_RUNS
    changes = [_Question(objective, method, new, old, margin).change() for objective in new[-1].objectives]
    machines = other_machines(new, old) if tested else ""
    return Comparison(
        old=tuple(old),
        new=tuple(new),
        method=method,
        confidence=CONFIDENCE[method],
        margin=margin,
        changes=_settled(changes, machines, 1 - CONFIDENCE[method]) if tested else tuple(changes),
        differences=_bounded(tuple(differing)),
        gates=tested and not machines,
        left_out=left_out or {},
    )


def _bounded(texts: tuple[str, ...]) -> tuple[str, ...]:
    """Return the first `MOST_DIFFERENCES`, and how many more there are."""
    more = len(texts) - MOST_DIFFERENCES
    return (*texts[:MOST_DIFFERENCES], f"and {more} more") if more > 0 else texts


def _method(new: int, old: int) -> Method:
    if new >= MIN_RUNS and old >= MIN_RUNS:
        return Method.WELCH
    return Method.PREDICTION if new == 1 and old >= MIN_RUNS else Method.WITHIN_RUNS


def _differing(new: RunRecord, old: RunRecord) -> tuple[str, ...]:
    invalid = [f"{run.run_id} is not a valid measurement" for run in (new, old) if not run.valid]
    found = (*differences(new.conditions, old.conditions), *notes(new.conditions, old.conditions))
    return (*invalid, *(f"{old.run_id} was {text}" if text.startswith("made") else text for text in found))


def _settled(changes: Sequence[Change], machines: str, alpha: float) -> tuple[Change, ...]:
    """Keep changes for the worse only if significant together, and none that the machine may explain."""
    holds = holm([change.p_worse for change in changes], alpha)
    return tuple(
        _unproven(change, machines)
        if machines and change.trend is not Trend.UNTESTED
        else _unproven(change, f"not significant after correcting for {len(changes)} objectives")
        if change.trend is Trend.WORSE and not significant
        else change
        for change, significant in zip(changes, holds, strict=True)
    )


def _unproven(change: Change, why: str) -> Change:
    return replace(change, trend=Trend.UNDECIDED, reason=why)


@dataclass(frozen=True, slots=True)
class _Question:
    """One objective of the newest run, and the runs that it is compared by."""

    objective: ObjectiveRecord
    method: Method
    new: Sequence[RunRecord]
    old: Sequence[RunRecord]
    margin: float

    def change(self) -> Change:
        """Return what changed of the objective."""
        scale = scale_of(self.objective)
        before, now = self._same(self.old), self._same(self.new)
        olds, news = values_of(before), values_of(now)
        if self.method is Method.WITHIN_RUNS:
            olds = values_of(before[-1:])
        old = scale.middle(olds) if olds and (scale.is_share or min(olds) > 0) else None
        new = scale.middle(news) if news and (scale.is_share or min(news) > 0) else None
        change = Change(
            objective=self.objective.name,
            kind=self.objective.kind,
            endpoint=self.objective.endpoint,
            old=old,
            new=new,
            form=scale.form,
            amount=scale.amount(old, new) if old is not None and new is not None else None,
            recent=(*values_of(before), *news),
        )
        why, usable_before, usable_now = self._usable(before, now)
        return replace(change, reason=why) if why else self._tested(change, scale, usable_before, usable_now)

    def _same(self, runs: Sequence[RunRecord]) -> list[ObjectiveRecord]:
        """Return what the runs measured of the objective, on the same side."""
        mine = self.objective
        found = (run.objective(mine.name) for run in runs)
        return [item for item in found if item is not None and item.measures == mine.measures]

    def _usable(
        self, before: Sequence[ObjectiveRecord], now: Sequence[ObjectiveRecord]
    ) -> tuple[str, list[ObjectiveRecord], list[ObjectiveRecord]]:
        """Return the values that can be compared, and why there are too few; empty if there are enough."""
        within = self.method is Method.WITHIN_RUNS
        if not before:
            return "the earlier runs have no such objective", [], []
        before, now = (before[-1:], now[-1:]) if within else (before, now)
        side = self.objective.observed.side if self.objective.observed else ""
        wrong = [unusable(item, "the new run") for item in now] + [
            unusable(item, "the run before" if within else "a run before") for item in before
        ]
        good_now = [item for item, why in zip(now, wrong, strict=False) if not why and _side(item) == side]
        good_before = [item for item in before if not unusable(item, "it") and _side(item) == side]
        least_now, least_before = (
            (1 if self.method is not Method.WELCH else MIN_RUNS),
            1 if within else MIN_RUNS,
        )
        if len(good_now) >= least_now and len(good_before) >= least_before:
            return "", good_before, good_now
        reasons = [why for why in wrong if why] or [f"not all runs measured it on the {side} side"]
        return reasons[0], [], []

    def _tested(
        self, change: Change, scale: Scale, before: Sequence[ObjectiveRecord], now: Sequence[ObjectiveRecord]
    ) -> Change:
        """Return the change with its interval, and what that says."""
        shift, old = shift_of(scale, self.method, before, now)
        confidence = CONFIDENCE[self.method]
        within = self.method is Method.WITHIN_RUNS
        if within and not all(_error(scale, item) for item in (*before, *now)):
            return replace(change, reason=self._why_no_error())
        low, high = scale.interval(shift, old, confidence, value=change.old or 0.0)
        shown = replace(change, low=low, high=high)
        if within:
            return replace(shown, reason="one run against one proves nothing")
        if any(map(_hides_its_spread, now)) and not all(map(_hides_its_spread, before)):
            why = "the new run does not show how much it varies within itself"
            return replace(shown, trend=Trend.UNDECIDED, reason=why)
        margin = scale.margin(old, self.margin)
        return replace(shown, trend=trend_of(shift, margin, confidence), p_worse=shift.p_above(margin))

    def _why_no_error(self) -> str:
        """Say why a run does not show how much its value varies within itself."""
        shortest = min(run.conditions.window_s for run in (self.new[-1], self.old[-1]))
        if traits_of(self.objective.kind).is_percentile and shortest < BATCHES:
            return f"how much it varies within a run shows only in a window of {BATCHES}s or more"
        return "a run does not show how much it varies within itself"


def trend_of(shift: Shift, margin: float, confidence: float) -> Trend:
    """Return what an interval says about a shift for the worse, and about the `margin` that it may have."""
    low, high = shift.interval(confidence)
    if low > margin:
        return Trend.WORSE
    if high < 0:
        return Trend.BETTER
    return Trend.WITHIN if high <= margin else Trend.UNDECIDED


def shift_of(
    scale: Scale, method: Method, before: Sequence[ObjectiveRecord], now: Sequence[ObjectiveRecord]
) -> tuple[Shift, float]:
    """Return the shift on an objective's scale, and where it starts: the mean of the values before."""
    olds = [scale.estimate(item.observed) for item in before if item.observed]
    news = [scale.estimate(item.observed) for item in now if item.observed]
    start = sum(item.value for item in olds) / len(olds)
    if method is Method.WELCH:
        return welch(news, olds, resolution=scale.resolution), start
    if method is Method.PREDICTION:
        return against_history(news[-1], olds, resolution=scale.resolution), start
    return within_runs(news[-1], olds[-1], BATCHES - 1), start


def values_of(objectives: Sequence[ObjectiveRecord]) -> list[float]:
    """Return the values that there are, in base units."""
    found = (item.observed.value for item in objectives if item.observed)
    return [value for value in found if value is not None]


def _error(scale: Scale, objective: ObjectiveRecord) -> float:
    return scale.estimate(objective.observed).error if objective.observed else 0.0


def _hides_its_spread(objective: ObjectiveRecord) -> bool:
    """Tell whether a client's percentile has no error.

    If runs like it have one, a part of this run had no percentile at all: it was far from steady. Runs that
    are too short have none, and the server's counters never give one.
    """
    observed = objective.observed
    if observed is None or not traits_of(objective.kind).is_percentile:
        return False
    return observed.standard_error is None and observed.side == _CLIENT


def _side(objective: ObjectiveRecord) -> str:
    return objective.observed.side if objective.observed else ""
