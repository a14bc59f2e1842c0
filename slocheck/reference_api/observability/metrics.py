"""The metrics of the reference API: usual names, labels and buckets, in a separate registry.

The idea: a histogram of durations and a counter of requests, by method, route and status, say whether an
objective is met; hits, waits and depths of queues say why not.

What goes wrong with the naive form: a label with the path makes a series of each id, until the process is
out of memory; an average hides the slow requests; and a limit between two boundaries of the histogram cannot
be decided.

In production: common names, so that dashboards and rules fit; few labels, known values.
"""

from collections.abc import Callable
from time import perf_counter
from typing import Final

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector
from starlette.types import ASGIApp, Message, Receive, Scope, Send

BUCKETS_S = (0.01, 0.05, 0.1, 0.2, 0.25, 0.3, 0.5, 1.0, 2.5, 5.0)
"""The usual boundaries and one at each limit of the shipped spec; a limit between two may stay undecided."""
LABELS = ("method", "route", "status_code")
L1, L2 = "l1", "l2"
LEVELS = (L1, L2)
"""The cache in the process and Redis."""
DATABASE: Final = "database"
"""The level of a read that no cache serves."""

UNMATCHED = "unmatched"
"""Route label of every path that is not a route, so that a scan of paths does not grow the registry."""

_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
_Observe = Callable[[float], None]


class CacheMetrics:
    """How reads through the cache end: each read is one hit or one miss, at whatever level it was served.

    Attributes:
        waited: Misses that waited for another request's query instead of querying the database.
        redis_failures: Attempts to use Redis that failed; what it would have served came from elsewhere.
        renewals_failed: Early recomputations that failed.
    """

    def __init__(self, registry: CollectorRegistry) -> None:
        def counter(name: str, what: str, levels: tuple[str, ...]) -> dict[str, Counter]:
            family = Counter(name, what, ["level"], registry=registry)
            return {level: family.labels(level) for level in levels}  # shown as 0 before the first read

        self._ends = {
            **counter("cache_hits_total", "Reads that a cache served.", LEVELS),
            **counter("cache_misses_total", "Reads that the database had to serve.", (DATABASE,)),
        }
        self._passed = counter("cache_level_misses_total", "Lookups that a level did not serve.", LEVELS)
        self.waited = Counter(
            "cache_waits_total", "Misses that waited for another request's query.", registry=registry
        )
        self.redis_failures = Counter(
            "cache_redis_failures_total", "Attempts to use Redis that failed.", registry=registry
        )
        self.renewals_failed = Counter(
            "cache_renewals_failed_total",
            "Early recomputations that failed, so that the cached value was served.",
            registry=registry,
        )

    def found(self, level: str) -> None:
        """Count a read by what served it: ``l1``, ``l2`` or ``database``."""
        self._ends[level].inc()

    def passed(self, level: str) -> None:
        """Count a lookup that `level` did not serve; the next one, or the database, is tried."""
        self._passed[level].inc()


class PoolMetrics:
    """One process's connections to one database, by its role: ``primary`` or ``replica``."""

    def __init__(self, registry: CollectorRegistry) -> None:
        def gauge(name: str, what: str) -> Gauge:
            return Gauge(name, what, ["role"], registry=registry, multiprocess_mode="livesum")

        self.connections = gauge("db_pool_connections", "Open connections.")
        self.in_use = gauge("db_pool_connections_in_use", "Connections that serve a query now.")
        self.waiting = gauge("db_pool_waiting", "Requests that wait for a connection now.")
        self.waits = Counter(
            "db_pool_waits_total", "Requests that found no connection free.", ["role"], registry=registry
        )
        self.timeouts = Counter(
            "db_pool_timeouts_total", "Requests that waited too long.", ["role"], registry=registry
        )
        self.queries = Counter(
            "db_queries_total", "Queries by what they are for.", ["query"], registry=registry
        )
        self.lag = Gauge(
            "db_replication_lag_seconds",
            "How far the replica is behind; absent without one.",
            ["role"],
            registry=registry,
            multiprocess_mode="livemax",
        )


class JobMetrics:
    """The queue of jobs and their outcomes."""

    def __init__(self, registry: CollectorRegistry) -> None:
        def gauge(name: str, what: str) -> Gauge:
            return Gauge(name, what, registry=registry, multiprocess_mode="livemax")

        self.depth = gauge("job_queue_depth", "Jobs that are not done.")
        self.oldest = gauge("job_queue_oldest_age_seconds", "Age of the oldest job that is not done.")
        self.failed = gauge("job_queue_failed", "Jobs that failed for good and are kept.")
        self.jobs = Counter(
            "jobs_total", "Jobs by name and how they ended.", ["name", "outcome"], registry=registry
        )


class EventMetrics:
    """Outcomes of the handlers of domain events."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.handled = Counter(
            "events_handled_total",
            "Handlers of events and how they ended.",
            ["event", "outcome"],
            registry=registry,
        )


class Metrics:
    """The API's instruments; each module gets the part that it needs.

    Attributes:
        registry: Holds all of them, and the process's metrics (start time, CPU, memory, descriptors).
        cache: Reads through the cache.
        pool: Connections, queries and replication.
        jobs: The queue.
        events: The handlers of domain events.
    """

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        ProcessCollector(registry=self.registry)
        self.cache = CacheMetrics(self.registry)
        self.pool = PoolMetrics(self.registry)
        self.jobs = JobMetrics(self.registry)
        self.events = EventMetrics(self.registry)
        self._durations = Histogram(
            "http_request_duration_seconds",
            "Duration of HTTP requests in seconds.",
            LABELS,
            buckets=BUCKETS_S,
            registry=self.registry,
        )
        self._requests = Counter("http_requests_total", "HTTP requests.", LABELS, registry=self.registry)
        self._children: dict[tuple[str, str, int], tuple[_Observe, Callable[[], None]]] = {}

    def observe(self, *, method: str, route: str, status: int, seconds: float) -> None:
        """Count one request in the histogram and in the counter."""
        key = (method if method in _METHODS else "OTHER", route, status)
        child = self._children.get(key)
        if child is None:
            # looking up a child by its labels costs more than the observation itself
            labels = (key[0], route, str(status))
            child = (self._durations.labels(*labels).observe, self._requests.labels(*labels).inc)
            self._children[key] = child
        child[0](seconds)
        child[1]()


class Measured:
    """ASGI middleware around the whole application, error pages included.

    A request is counted just before its last byte is handed to the server. So a client that has read a
    response finds it counted, and its latency is never below the one counted here.
    """

    def __init__(self, app: ASGIApp, metrics: Metrics) -> None:
        self._app = app
        self._metrics = metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request and count it once, whatever its outcome."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        start = perf_counter()
        status = 0
        counted = False

        def count(code: int) -> None:
            nonlocal counted
            counted = True
            route = scope.get("route")
            self._metrics.observe(
                method=scope["method"],
                route=UNMATCHED if route is None else route.path,
                status=code,
                seconds=perf_counter() - start,
            )

        async def counting_send(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            elif not message.get("more_body", False) and not counted:
                count(status)
            await send(message)

        try:
            await self._app(scope, receive, counting_send)
        finally:
            if not counted:
                # there was no response, or only a part of one
                count(status or 500)
