"""Synthetic histories with known truth: real counters, event by event, and scrapes of them.

Nothing here knows how slocheck counts. A process counts requests from its own start; a scraper looks at it
every interval, now and then misses a scrape, and keeps what a scraper keeps: raw samples and `up`.
"""

import random
from collections.abc import Callable
from dataclasses import dataclass, field, replace

from slocheck.evidence.series import RawSeries, ServerSeries
from slocheck.plan.series_queries import PROCESS_START, UP
from slocheck.spec.model import Preset

BUCKETS = (0.01, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0)
T0 = 1_000_000.0
FAILED = 500
"""The status of a request that failed."""
MAX_SKEW = 0.15
"""The part of a clock skew that measuring leaves, seconds: below the margin before the load."""

Samples = dict[tuple[str, tuple[tuple[str, str], ...]], list[tuple[float, float]]]

PRESET = Preset(
    "prom-client",
    "http_request_duration_seconds",
    "http_requests_total",
    "method",
    "route",
    "status_code",
    "status_code",
    ignore_routes=("/health", "/metrics"),
)


@dataclass(frozen=True)
class Request:
    """One request that was served: when, how long it took, with which status; ours or somebody else's."""

    time: float
    seconds: float
    status: int
    ours: bool = True


@dataclass
class Process:
    """One process: its start, perhaps its end, and the requests it served."""

    name: str
    born: float
    dead: float = float("inf")
    requests: list[Request] = field(default_factory=list)

    def alive(self, time: float) -> bool:
        """Tell whether it responds at a moment."""
        return self.born <= time < self.dead


@dataclass
class Instance:
    """One scraped address, behind which processes follow each other."""

    name: str
    phase: float
    processes: list[Process]


@dataclass(frozen=True)
class History:
    """A load from T0 to `end`, its window from `start`, and what really happened in it.

    Attributes:
        series: What a scraper would have.
        sent: When our requests were sent, in the whole load.
        requests: Ours that were served in the server's window: after the first scrape inside the window
            if there is a warm-up, else all.
        start: When the window began, by the clock of the load generator.
        refused: When those of our requests were sent that no process ever saw, in the whole load.
        blocked: The same of those that a proxy in front of the service responded to itself, with an error.
        given_up: The requests that were served, but too late: the client no longer waited.
        failed: Requests that were served with an error, in the whole load.
    """

    series: ServerSeries
    sent: tuple[float, ...]
    requests: tuple[Request, ...]
    start: float
    refused: tuple[float, ...]
    blocked: tuple[float, ...]
    given_up: frozenset[Request]
    failed: tuple[float, ...]


def scrape(
    instances: list[Instance],
    *,
    interval: float,
    end: float,
    missed: set[tuple[str, int]],
    late: Callable[[], float] = lambda: 0.0,
    told: Callable[[float], float] = lambda time: time,
    own_times: bool = False,
) -> list[RawSeries]:
    """Return the raw samples of scrapes from five intervals before the load to after its end.

    They are regular but for what `late` returns for each, seconds, less than an interval. A page shows its
    counters as of the moment that `told` gives for the scrape's, and with `own_times` has that timestamp.
    """
    samples: Samples = {}
    for instance in instances:
        first = T0 - 5 * interval + instance.phase
        count = int((end - first) / interval) + 3
        for index in range(count):
            time = first + index * interval + late()
            if (instance.name, index) in missed:
                continue
            process = next((p for p in instance.processes if p.alive(time)), None)
            _keep(samples, UP, instance.name, {}, time=time, value=1.0 if process else 0.0)
            if process:
                _scrape_process(samples, instance.name, process, time=time, told=told(time))
    if own_times:
        for (metric, _), points in samples.items():
            if metric not in (UP, PROCESS_START):
                points[:] = sorted({told(time): value for time, value in points}.items())
    return [
        RawSeries(metric, dict(labels), tuple(t for t, _ in points), tuple(v for _, v in points))
        for (metric, labels), points in samples.items()
    ]


def _keep(
    samples: Samples, metric: str, instance: str, labels: dict[str, str], *, time: float, value: float
) -> None:
    key = (metric, tuple(sorted({"job": "api", "instance": instance, **labels}.items())))
    samples.setdefault(key, []).append((time, float(value)))


def _scrape_process(samples: Samples, instance: str, process: Process, *, time: float, told: float) -> None:
    """Show the process's counters as they were at `told`; series exist once they counted something."""
    _keep(samples, PROCESS_START, instance, {}, time=time, value=process.born)
    seen: dict[int, list[float]] = {}
    for request in process.requests:
        if request.time <= told:
            seen.setdefault(request.status, []).append(request.seconds)
    for status, latencies in seen.items():
        labels = {"method": "GET", "route": "/items", "status_code": str(status)}
        _keep(samples, "http_requests_total", instance, labels, time=time, value=len(latencies))
        for edge in BUCKETS:
            below = sum(latency <= edge for latency in latencies)
            _keep(
                samples,
                f"{PRESET.histogram}_bucket",
                instance,
                {**labels, "le": str(edge)},
                time=time,
                value=below,
            )
        infinity = {**labels, "le": "+Inf"}
        _keep(samples, f"{PRESET.histogram}_bucket", instance, infinity, time=time, value=len(latencies))


def _traffic(chance: random.Random, begin: float, end: float, rate: float, *, ours: bool) -> list[Request]:
    times = sorted(chance.uniform(begin, end) for _ in range(int(rate * (end - begin))))
    slow, failing = chance.choice([0.0, 0.02, 0.1, 0.5]), chance.choice([0.0, 0.0, 0.003, 0.05])
    return [
        Request(
            time,
            chance.choice([0.15, 0.3, 0.7, 7.0])
            if chance.random() < slow
            else chance.choice([0.004, 0.03, 0.09]),
            FAILED if chance.random() < failing else 200,
            ours,
        )
        for time in times
    ]


def make_history(seed: int) -> History:
    """Return one history; the seed decides about restarts, replicas, gaps, other traffic and refusals.

    And about scrapes that come late, a second job that scrapes the same targets, and a skew of the clocks.
    """
    chance = random.Random(seed)
    interval = chance.choice([1.0, 5.0])
    length = chance.choice([12.0, 30.0]) * (1 if interval == 1.0 else 2)
    start = T0 + (chance.choice([0.0, 3.0]) if chance.random() < 0.5 else 0.0)
    end = T0 + length
    instances = [
        _instance(chance, f"api-{number}", interval, end) for number in range(chance.choice([1, 1, 2, 3]))
    ]
    rate = chance.choice([2.0, 10.0])
    traffic = _traffic(chance, T0, end, rate, ours=True)
    blocked, passed = _through_proxy(random.Random(-seed - 1), traffic)
    refused = _serve(chance, instances, passed)
    _serve_others(chance, instances, interval, end)
    missed = {
        (instance.name, index)
        for instance in instances
        for index in range(200)
        if chance.random() < chance.choice([0.0, 0.0, 0.1])
    }
    sloppy = chance.choice([0.0, 0.0, 0.6]) * interval
    series = scrape(
        instances, interval=interval, end=end, missed=missed, late=lambda: chance.uniform(0, sloppy)
    )
    if chance.random() < 0.1:
        series += [replace(one, labels={**one.labels, "job": "again"}) for one in series]
    skew = chance.choice([0.0, 0.0, chance.uniform(-MAX_SKEW, MAX_SKEW)])
    start += skew
    server = ServerSeries("prometheus", PRESET, T0 + skew, start, end + skew, tuple(series), interval)
    in_window = tuple(r for i in instances for r in _window(i, series, start, series_start=T0 + skew))
    patience = random.Random(-seed - 1).choice([1.0, 60.0, 60.0])
    ours = [r for i in instances for p in i.processes for r in p.requests if r.ours]
    given_up = frozenset(r for r in ours if r.seconds > patience)
    return History(
        series=server,
        sent=tuple(r.time for r in traffic),
        requests=in_window,
        start=start - skew,
        refused=tuple(r.time for r in refused),
        blocked=tuple(r.time for r in blocked),
        given_up=given_up,
        failed=tuple(r.time for r in ours if r.status == FAILED and r not in given_up),
    )


def _serve_others(chance: random.Random, instances: list[Instance], interval: float, end: float) -> None:
    """Sometimes let others send as well, starting before the load; then put all requests in order."""
    if chance.random() < 0.3:
        others = _traffic(chance, T0 - 5 * interval, end, chance.choice([1.0, 3.0]), ours=False)
        _serve(chance, instances, others)
    for instance in instances:
        for process in instance.processes:
            process.requests.sort(key=lambda request: request.time)


def _through_proxy(chance: random.Random, requests: list[Request]) -> tuple[list[Request], list[Request]]:
    """Divide requests into those that a proxy refuses, sometimes for a while, and those that pass."""
    share, since = chance.choice([0.0, 0.0, 0.05, 0.5]), chance.choice([T0, T0 + 8.0])
    blocked = [one for one in requests if one.time >= since and chance.random() < share]
    gone = set(map(id, blocked))
    return blocked, [one for one in requests if id(one) not in gone]


def _window(
    instance: Instance, series: list[RawSeries], start: float, *, series_start: float
) -> list[Request]:
    """Return our requests that an instance served in the server's window."""
    if start == series_start:
        return [r for p in instance.processes for r in p.requests if r.ours]
    ups = [
        s
        for s in series
        if s.metric == UP and s.labels["instance"] == instance.name and s.labels["job"] == "api"
    ]
    scrapes = [t for s in ups for t, v in zip(s.times, s.values, strict=True) if v and t >= start]
    seen = next((p for p in instance.processes if scrapes and p.alive(scrapes[0])), None)
    born = start if seen is None else seen.born
    begin = born if seen is None or born >= start else scrapes[0]
    return [r for p in instance.processes for r in p.requests if r.ours and r.time > begin]


def _instance(chance: random.Random, name: str, interval: float, end: float) -> Instance:
    """Return an address with one process, or one that restarts, arrives late or leaves early."""
    old = T0 - chance.choice([1000.0, 50.0])
    phase = chance.uniform(0, interval)
    story = chance.choice(["steady", "steady", "steady", "restart", "arrives", "leaves"])
    if story == "restart":
        moment = chance.uniform(T0 + 2, end - 2)
        gap = chance.choice([0.05, 2.5])
        return Instance(name, phase, [Process(name, old, moment), Process(name, moment + gap)])
    if story == "arrives":
        return Instance(name, phase, [Process(name, chance.uniform(T0 + 1, end - 2))])
    if story == "leaves":
        return Instance(name, phase, [Process(name, old, chance.uniform(T0 + 2, end - 1))])
    return Instance(name, phase, [Process(name, old)])


def _serve(chance: random.Random, instances: list[Instance], requests: list[Request]) -> list[Request]:
    """Give each request to a living process; return those that none could take."""
    refused: list[Request] = []
    for request in requests:
        processes = [p for i in instances for p in i.processes if p.alive(request.time)]
        if processes and chance.random() > 0.0005:
            chance.choice(processes).requests.append(request)
        else:
            refused.append(request)
    return refused
