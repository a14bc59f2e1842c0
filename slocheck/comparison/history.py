"""The runs of a service in their order: each value, and where the runs before it would have put it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from slocheck.comparison.compare import CONFIDENCE, comparable
from slocheck.comparison.conditions import other_machines
from slocheck.comparison.model import Method, ObjectiveRecord, RunRecord
from slocheck.comparison.scales import scale_of, unusable
from slocheck.statistics.shift import MIN_RUNS, against_history


@dataclass(frozen=True, slots=True)
class Expected:
    """The prediction interval of the runs before, base units.

    Attributes:
        low: Lower end.
        high: Upper end.
        outside: Whether the value lies outside.
        worse: Whether it does on the bad side.
    """

    low: float
    high: float
    outside: bool
    worse: bool


@dataclass(frozen=True, slots=True)
class HistoryPoint:
    """One run's value of one objective.

    Attributes:
        run_id: The run.
        value: Base units; None without one, and if the measurement was invalid or did not run to the end.
        verdict: Of the levels that the gate needs; empty: none, or no value.
        expected: Where the runs before put it; None if fewer than five can be compared.
    """

    run_id: str
    value: float | None
    verdict: str
    expected: Expected | None


@dataclass(frozen=True, slots=True)
class Series:
    """One objective over the runs.

    Attributes:
        objective: As the newest run that has it measures it.
        points: One for each run, in their order; those that measured something else have no value.
    """

    objective: ObjectiveRecord
    points: tuple[HistoryPoint, ...]


@dataclass(frozen=True, slots=True)
class History:
    """The runs of one service, oldest first.

    Attributes:
        service: Its name.
        runs: The runs.
        series: One for each objective of any of them, in the newest one's order.
        machines: Of runs whose machine may be all that stands out: which it was, in words, by the run's id.
    """

    service: str
    runs: tuple[RunRecord, ...]
    series: tuple[Series, ...]
    machines: Mapping[str, str]

    def outliers(self, run_id: str) -> list[tuple[Series, HistoryPoint]]:
        """Return the points of a run that lie outside of what was expected."""
        return [
            (series, point)
            for series in self.series
            for point in series.points
            if point.run_id == run_id and point.expected is not None and point.expected.outside
        ]


def histories(records: Sequence[RunRecord], most: int) -> list[History]:
    """Return the history of each service, in the order of their names.

    Args:
        records: Of any services, oldest first.
        most: Runs of a service that are shown, the newest; those before them are compared with.
    """
    services = sorted({record.conditions.service for record in records})
    return [
        _history(service, [run for run in records if run.conditions.service == service], most)
        for service in services
    ]


def _history(service: str, runs: Sequence[RunRecord], most: int) -> History:
    shown = runs[-most:]
    objectives = {item.name: item for run in runs for item in run.objectives}
    newest = [item.name for item in runs[-1].objectives]
    names = [*newest, *(name for name in objectives if name not in newest)]
    earlier = {run.run_id: comparable(run, runs[:place])[0] for place, run in enumerate(runs)}
    series = [
        Series(
            objectives[name],
            tuple(_point(objectives[name], run, earlier[run.run_id]) for run in shown),
        )
        for name in names
    ]
    machines = {run.run_id: other_machines([run], earlier[run.run_id]) for run in shown}
    said = {run_id: text for run_id, text in machines.items() if text and earlier[run_id]}
    return History(service, tuple(shown), tuple(series), said)


def _point(objective: ObjectiveRecord, run: RunRecord, earlier: Sequence[RunRecord]) -> HistoryPoint:
    found = run.objective(objective.name)
    if not run.valid or found is None or found.measures != objective.measures or found.observed is None:
        return HistoryPoint(run.run_id, None, "", None)
    return HistoryPoint(run.run_id, found.observed.value, found.verdict, _expected(found, earlier))


def _expected(objective: ObjectiveRecord, earlier: Sequence[RunRecord]) -> Expected | None:
    """Return where earlier runs put a value; None if too few of them say."""
    if unusable(objective, "it") or objective.observed is None:
        return None
    before = [item for run in earlier if (item := run.objective(objective.name)) and _same(item, objective)]
    if len(before) < MIN_RUNS:
        return None
    scale = scale_of(objective)
    new = scale.estimate(objective.observed)
    olds = [scale.estimate(item.observed) for item in before if item.observed]
    shift = against_history(new, olds, resolution=scale.resolution)
    low, high = shift.interval(CONFIDENCE[Method.PREDICTION])
    ends = sorted((scale.value(new.value - high), scale.value(new.value - low)))
    return Expected(ends[0], ends[1], outside=low > 0 or high < 0, worse=low > 0)


def _same(one: ObjectiveRecord, other: ObjectiveRecord) -> bool:
    """Tell whether two runs measured the same on the same side, and both values can be compared."""
    if one.measures != other.measures or one.observed is None or other.observed is None:
        return False
    return one.observed.side == other.observed.side and not unusable(one, "it")
