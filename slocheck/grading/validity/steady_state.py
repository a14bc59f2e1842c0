"""Was the window one steady state? Three tests of the mean latency and of each objective's bad requests."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction

from slocheck.documents.units import NS_PER_SECOND
from slocheck.grading import tiers
from slocheck.grading.assessment import ObjectiveResult, SteadyState
from slocheck.indicators.client import mean_latencies
from slocheck.indicators.measured_run import MeasuredRun
from slocheck.indicators.samples import Share
from slocheck.spec.formatting import format_value
from slocheck.spec.indicators import error_budget, traits_of
from slocheck.spec.model import IndicatorKind, Limit, Objective, Spec
from slocheck.statistics.blocking import MIN_SLICES
from slocheck.statistics.trend import Drift, SeriesPart, detect_drift

MATERIAL_SHARE = 0.1
"""A change of the share of bad requests counts from this part of what the limit allows."""


@dataclass(frozen=True, slots=True)
class SecondSeries:
    """One value per second of the window, to be tested; the higher, the worse.

    Attributes:
        objective: Name of the objective whose bad requests it counts; None: the mean latency of all requests.
        name: What the values are.
        values: None stands for a second that has none.
        material: A smaller change does not count; None: relative to the mean.
        text: Writes a value.
    """

    objective: str | None
    name: str
    values: Sequence[float | None]
    material: float | None
    text: Callable[[float], str]


@dataclass(frozen=True, slots=True)
class Steadiness:
    """What the tests found in one run.

    Attributes:
        run: The run.
        name: Says which run it is, if several are pooled; else empty.
        drifts: Of each series that is long enough to test, the mean latency first; not empty.
        counted: Names of the objectives whose own bad requests were looked at, however few they were.
    """

    run: MeasuredRun
    name: str
    drifts: Sequence[tuple[SecondSeries, Drift]]
    counted: frozenset[str]

    @property
    def moved(self) -> list[tuple[SecondSeries, Drift]]:
        """The series that are not steady."""
        return [(one, drift) for one, drift in self.drifts if not drift.steady]


def steadiness(
    spec: Spec, results: Sequence[ObjectiveResult], runs: Sequence[MeasuredRun]
) -> tuple[Steadiness, ...]:
    """Return one entry for each run whose window is long enough to test; none if the spec asks for none.

    The mean latency of the successful requests is tested and, for each objective that the gate needs, the
    share of bad requests at its limit: failures and the tail may drift while the mean does not.
    """
    if not spec.validity.steady:
        return ()
    tested = [list(_all_series(spec, results, run)) for run in runs]
    count = sum(len(one.values) > 0 for every in tested for one in every)
    found = []
    for number, (run, every) in enumerate(zip(runs, tested, strict=True), start=1):
        drifts = [
            (one, detect_drift(one.values, series=max(1, count), material=one.material)) for one in every
        ]
        known = [(one, drift) for one, drift in drifts if drift is not None]
        if known:
            name = f"run {number}: " if len(runs) > 1 else ""
            counted = frozenset(one.objective for one in every if one.objective is not None)
            found.append(Steadiness(run, name, known, counted))
    return tuple(found)


def _all_series(spec: Spec, results: Sequence[ObjectiveResult], run: MeasuredRun) -> Iterator[SecondSeries]:
    yield SecondSeries(None, "mean latency", mean_latencies(run.evidence.recording), None, _latency_text)
    for result in results:
        level = tiers.strictest_needed(result)
        if level is not None and traits_of(result.objective.indicator.kind).is_share:
            yield from _bad_share(result.objective, level.limit, spec, run)


def _bad_share(objective: Objective, limit: Limit, spec: Spec, run: MeasuredRun) -> Iterator[SecondSeries]:
    """Yield the share of bad requests in each second, by the client's count; no values if few were bad."""
    sample, allowed = run.client_sample(objective, limit, spec), error_budget(objective.indicator, limit)
    if not isinstance(sample, Share) or sample.slices is None or not allowed:
        return
    seldom = sum(map(bool, sample.slices.bad)) < MIN_SLICES  # too few to say anything of when they come
    counts = () if seldom else zip(sample.slices.bad, sample.slices.n, strict=True)
    yield SecondSeries(
        objective.name,
        f"share of bad requests for {objective.name} {limit.text}",
        [bad / n if n else None for bad, n in counts],
        MATERIAL_SHARE * float(allowed),
        _share_text,
    )


def steady_states(
    found: Sequence[Steadiness], withheld: Mapping[str, Sequence[str]]
) -> tuple[SteadyState, ...]:
    """Say what was seen of each run; `withheld`: objectives that do not count as met, by the run's name."""
    return tuple(_state(item, tuple(withheld.get(item.name, ()))) for item in found)


def _state(found: Steadiness, withheld: tuple[str, ...]) -> SteadyState:
    """Say what drifted, or else how the mean latency began."""
    moved = found.moved
    if not moved:
        one, drift = found.drifts[0]
        return SteadyState(steady=True, message=found.name + _begin_text(one, drift.begin))
    cuts = [drift.cut for _, drift in moved]
    longest = max((cut for cut in cuts if cut), default=None) if None not in cuts else None
    text = "; ".join(_drift_text(one, drift) for one, drift in moved)
    return SteadyState(
        steady=False,
        message=f"{found.name}unsteady: {text}",
        suggested_warmup_s=None if longest is None else found.run.evidence.recording.warmup_s + longest,
        withheld=withheld,
    )


def _drift_text(series: SecondSeries, drift: Drift) -> str:
    if drift.begin.differs:
        return _begin_text(series, drift.begin)
    if drift.trend:
        return f"{series.name} {'rose' if drift.trend > 0 else 'fell'} through the whole window"
    last, before = series.text(drift.end.mean), series.text(drift.end.rest)
    return f"{series.name} {last} in the window's last {drift.end.seconds} s, {before} before"


def _begin_text(series: SecondSeries, begin: SeriesPart) -> str:
    first, rest = series.text(begin.mean), series.text(begin.rest)
    return f"{series.name} {first} in the window's first {begin.seconds} s, {rest} after"


def _latency_text(nanoseconds: float) -> str:
    return format_value(IndicatorKind.LATENCY, Fraction(round(nanoseconds), NS_PER_SECOND))


def _share_text(share: float) -> str:
    return format_value(IndicatorKind.ERROR_RATE, Fraction(share).limit_denominator(10**6))
