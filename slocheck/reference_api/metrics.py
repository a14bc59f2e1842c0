"""The metrics of the reference API: usual names, labels and buckets, in a separate registry."""

from collections.abc import Callable
from time import perf_counter

from prometheus_client import CollectorRegistry, Counter, Histogram, ProcessCollector
from starlette.types import ASGIApp, Message, Receive, Scope, Send

BUCKETS_S = (0.01, 0.05, 0.1, 0.2, 0.25, 0.3, 0.5, 1.0, 2.5, 5.0)
"""The usual boundaries and one at each limit of the shipped spec; a limit between two may stay undecided."""
LABELS = ("method", "route", "status_code")
UNMATCHED = "unmatched"
"""Route label of every path that is not a route, so that a scan of paths does not grow the registry."""

_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
_Observe = Callable[[float], None]


class Metrics:
    """The API's instruments.

    Attributes:
        registry: Holds them and the process's metrics (start time, CPU, memory, descriptors).
        hits: Lookups that the cache served.
        misses: Lookups that went to the store.
    """

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        ProcessCollector(registry=self.registry)
        self.hits = Counter("cache_hits_total", "Lookups that the cache served.", registry=self.registry)
        self.misses = Counter("cache_misses_total", "Lookups that went to the store.", registry=self.registry)
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
