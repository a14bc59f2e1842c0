"""Faults as they appear in the evidence of a run: each may move a verdict away from met, never towards it."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from math import inf, nan

from slocheck.evidence.forbidden import ForbiddenConnection
from slocheck.evidence.model import ArrivalStats, Ending, Evidence
from slocheck.evidence.recording import EndpointRecording, FailureClass, Recording, SliceCounts
from slocheck.evidence.series import RawSeries
from slocheck.plan.series_queries import PROCESS_START, UP

Place = tuple[float, float]
"""Where in the run a fault begins and ends, each a share of the load's time, 0..1."""
Strike = Callable[[Evidence, Place], Evidence]
Change = Callable[[RawSeries, float, float], RawSeries | None]
"""Changes a series between two moments, epoch seconds; None: it is gone."""


@dataclass(frozen=True)
class EvidenceFault:
    """One fault.

    Attributes:
        id: Its name.
        kind: What it strikes: ``generator``, ``target`` or ``source``.
        strike: Returns the evidence of the same run with the fault in it.
    """

    id: str
    kind: str
    strike: Strike


def _slices(evidence: Evidence, change: Callable[[SliceCounts], SliceCounts | None]) -> Evidence:
    """Change or leave out the recording's seconds."""
    endpoints = tuple(
        EndpointRecording.of(item.endpoint, tuple(kept for part in item.slices if (kept := change(part))))
        for item in evidence.recording.endpoints
    )
    return replace(evidence, recording=replace(evidence.recording, endpoints=endpoints))


def _failing(failure: FailureClass, status: int, *, share: float = 1.0) -> Strike:
    """Return a fault in which a share of the requests that succeeded fail."""

    def strike(evidence: Evidence, place: Place) -> Evidence:
        first, last = _seconds(evidence, place)

        def worse(part: SliceCounts) -> SliceCounts:
            if not first <= part.second <= last or not part.ok:
                return part
            lost = max(1, int(part.ok * share))
            left = part.ok - lost
            latencies = _first(part.latencies, left)
            return replace(
                part,
                ok=left,
                failures={**part.failures, failure: part.failures.get(failure, 0) + lost},
                statuses={200: left, status: part.statuses.get(status, 0) + lost},
                unserved=part.unserved + (lost if status in (0, 503) else 0),
                latencies=latencies,
                over=tuple(min(count, left) for count in part.over),
                total_ns=part.total_ns * left // part.ok,
                cache_hits=min(part.cache_hits, left),
                cache_misses=min(part.cache_misses, max(0, left - part.cache_hits)),
            )

        return _slices(evidence, worse)

    return strike


def _first(histogram: object, left: int) -> dict[int, int]:
    """Return the slowest `left` requests of a histogram: the fast ones fail."""
    found: dict[int, int] = {}
    for bucket, count in sorted(dict(histogram).items(), reverse=True):  # type: ignore[call-overload]
        taken = min(count, left - sum(found.values()))
        if taken:
            found[bucket] = taken
    return found


def _seconds(evidence: Evidence, place: Place) -> tuple[int, int]:
    length = evidence.recording.warmup_s + evidence.recording.window_s
    first, last = sorted(place)
    return int(first * length), int(last * length)


def _cut(ending: Ending, **changes: object) -> Strike:
    """Return a fault that ends the load before its time."""

    def strike(evidence: Evidence, place: Place) -> Evidence:
        recording = evidence.recording
        window = max(1, min(recording.window_s, _seconds(evidence, place)[1] - recording.warmup_s))
        until = recording.warmup_s + window
        shorter = _slices(evidence, lambda part: part if part.second < until else None)
        cut: Recording = replace(shorter.recording, window_s=window)
        return replace(shorter, recording=cut, ending=ending, **changes)  # type: ignore[arg-type]

    return strike


def _lost_worker(evidence: Evidence, place: Place) -> Evidence:
    """Half of the seconds are not reported, and the worker that had them is known to be lost."""
    first, _ = _seconds(evidence, place)
    left = _slices(evidence, lambda part: part if part.second < first or part.second % 2 else None)
    workers = tuple(replace(worker, complete=False) for worker in evidence.health.workers)
    return replace(left, health=replace(evidence.health, workers=workers))


def _health(**changes: object) -> Strike:
    def strike(evidence: Evidence, _place: Place) -> Evidence:
        return replace(evidence, health=replace(evidence.health, **changes))  # type: ignore[arg-type]

    return strike


def _worker(**changes: object) -> Strike:
    def strike(evidence: Evidence, _place: Place) -> Evidence:
        workers = tuple(replace(worker, **changes) for worker in evidence.health.workers)  # type: ignore[arg-type]
        return replace(evidence, health=replace(evidence.health, workers=workers))

    return strike


def _series(
    change: Callable[[RawSeries, float, float], RawSeries | None],
) -> Strike:
    """Return a fault of the source's series; `change` gets each with the times between which it strikes."""

    def strike(evidence: Evidence, place: Place) -> Evidence:
        if evidence.server is None:
            return evidence
        server = evidence.server
        begin, length = server.load_start - 5, server.end + 5 - (server.load_start - 5)
        first, last = (begin + share * length for share in sorted(place))
        changed = (change(series, first, last) for series in server.series)
        return replace(evidence, server=replace(server, series=tuple(filter(None, changed))))

    return strike


def _points(series: RawSeries, points: list[tuple[float, float]]) -> RawSeries | None:
    if not points:
        return None
    return replace(series, times=tuple(t for t, _ in points), values=tuple(v for _, v in points))


def _pairs(series: RawSeries) -> list[tuple[float, float]]:
    return list(zip(series.times, series.values, strict=True))


def _gap(series: RawSeries, first: float, last: float) -> RawSeries | None:
    return _points(series, [(t, v) for t, v in _pairs(series) if not first <= t <= last])


def _gap_to_the_end(series: RawSeries, first: float, _last: float) -> RawSeries | None:
    return _points(series, [(t, v) for t, v in _pairs(series) if t < first])


def _gap_from_the_start(series: RawSeries, _first: float, last: float) -> RawSeries | None:
    return _points(series, [(t, v) for t, v in _pairs(series) if t > last])


def _restart(series: RawSeries, first: float, _last: float) -> RawSeries | None:
    """The service restarts: counters begin at 0."""
    if series.metric == UP:
        return series
    if series.metric == PROCESS_START:
        return _points(series, [(t, first if t > first else v) for t, v in _pairs(series)])
    base = max((v for t, v in _pairs(series) if t <= first), default=0.0)
    return _points(series, [(t, v - base if t > first else v) for t, v in _pairs(series)])


def _frozen(series: RawSeries, first: float, last: float) -> RawSeries | None:
    """The page shows old values for a while."""
    before = [v for t, v in _pairs(series) if t <= first] or [series.values[0]]
    return _points(series, [(t, before[-1] if first < t <= last else v) for t, v in _pairs(series)])


def _values(value: float) -> Change:
    def change(series: RawSeries, first: float, last: float) -> RawSeries | None:
        return _points(series, [(t, value if first < t <= last else v) for t, v in _pairs(series)])

    return change


def _without(text: str) -> Change:
    """Return a change that loses the series whose name or labels hold a text."""

    def change(series: RawSeries, _first: float, _last: float) -> RawSeries | None:
        return None if text in f"{series.metric} {dict(series.labels)}" else series

    return change


def _down(series: RawSeries, first: float, last: float) -> RawSeries | None:
    """Scrapes fail: `up` is 0 and everything else has no samples."""
    if series.metric != UP:
        return _gap(series, first, last)
    return _points(series, [(t, 0.0 if first <= t <= last else v) for t, v in _pairs(series)])


def _server(**changes: object) -> Strike:
    def strike(evidence: Evidence, _place: Place) -> Evidence:
        if evidence.server is None:
            return evidence
        return replace(evidence, server=replace(evidence.server, **changes))  # type: ignore[arg-type]

    return strike


def _no_server(evidence: Evidence, _place: Place) -> Evidence:
    return replace(evidence, server=None, server_error="Prometheus does not respond")


STRANGER = ForbiddenConnection("auth.example.com", "93.184.216.34", 443)
EVIDENCE_FAULTS: tuple[EvidenceFault, ...] = (
    EvidenceFault("worker lost", "generator", _lost_worker),
    EvidenceFault("worker incomplete", "generator", _worker(complete=False)),
    EvidenceFault("report damaged", "generator", _worker(unreadable=1)),
    EvidenceFault("no worker reported", "generator", _health(workers=())),
    EvidenceFault("processor exhausted", "generator", _worker(cpu=0.99)),
    EvidenceFault("event loop late", "generator", _worker(loop_lag_p99=0.5)),
    EvidenceFault("stalled", "generator", _worker(loop_lag_max=7.0)),
    EvidenceFault("suspended", "generator", _health(suspended=7.0)),
    EvidenceFault("clock jumped", "generator", _health(clock_jump=3.0)),
    EvidenceFault("clock unreadable", "generator", _health(clock_jump=nan, suspended=nan)),
    EvidenceFault("half of the users", "generator", _health(users=1)),
    EvidenceFault("requests unrecorded", "generator", _health(unrecorded=500)),
    EvidenceFault("scenario raised", "generator", _health(exceptions={"KeyError: 'x'": 40})),
    EvidenceFault("connection refused to the scenario", "generator", _health(forbidden=(STRANGER,))),
    EvidenceFault(
        "arrivals dropped", "generator", _health(arrivals=ArrivalStats(4000, 900, lag_p99=0.5, lag_max=2.0))
    ),
    EvidenceFault("own sockets exhausted", "generator", _failing(FailureClass.GENERATOR, 0, share=0.3)),
    EvidenceFault("interrupted", "generator", _cut(Ending.INTERRUPTED, signal="SIGTERM")),
    EvidenceFault("generator lost", "generator", _cut(Ending.GENERATOR_LOST, generator_error="killed")),
    EvidenceFault("ended by the scenario", "generator", _cut(Ending.SCENARIO, generator_error="quit()")),
    EvidenceFault("target down", "target", _failing(FailureClass.REFUSED, 0)),
    EvidenceFault("target down at the end", "target", _cut(Ending.TARGET_DOWN)),
    EvidenceFault("timeouts", "target", _failing(FailureClass.TIMEOUT, 0, share=0.2)),
    EvidenceFault("status 503", "target", _failing(FailureClass.STATUS, 503, share=0.3)),
    EvidenceFault("malformed responses", "target", _failing(FailureClass.PROTOCOL, 0, share=0.1)),
    EvidenceFault("status 404", "target", _failing(FailureClass.UNEXPECTED, 404, share=0.3)),
    EvidenceFault("only status 404", "target", _failing(FailureClass.UNEXPECTED, 404)),
    EvidenceFault("restarted", "target", _series(_restart)),
    EvidenceFault("page frozen", "target", _series(_frozen)),
    EvidenceFault("source away", "source", _no_server),
    EvidenceFault("scrapes missing", "source", _series(_gap)),
    EvidenceFault("scrapes missing to the end", "source", _series(_gap_to_the_end)),
    EvidenceFault("scrapes missing from the start", "source", _series(_gap_from_the_start)),
    EvidenceFault("scrapes failing", "source", _series(_down)),
    EvidenceFault("no series", "source", _server(series=())),
    EvidenceFault("no counters", "source", _series(_without("http_requests_total"))),
    EvidenceFault("no buckets", "source", _series(_without("_bucket"))),
    EvidenceFault("one bucket missing", "source", _series(_without("'0.25'"))),
    EvidenceFault("last bucket missing", "source", _series(_without("+Inf"))),
    EvidenceFault("one route missing", "source", _series(_without("/checkout"))),
    EvidenceFault("failures missing", "source", _series(_without("'503'"))),
    EvidenceFault("not a number", "source", _series(_values(nan))),
    EvidenceFault("infinite", "source", _series(_values(inf))),
    EvidenceFault("negative", "source", _series(_values(-1e30))),
    EvidenceFault("huge", "source", _series(_values(1e300))),
    EvidenceFault("zero", "source", _series(_values(0.0))),
    EvidenceFault("clock skewed", "source", _server(clock_skew=30.0)),
    EvidenceFault("known to be incomplete", "source", _server(incomplete=("a query failed",))),
)
