"""The reference API's metrics, and the middleware that counts every request."""

import asyncio
import time

from prometheus_client import CollectorRegistry, Counter, Histogram
from prometheus_client.process_collector import ProcessCollector
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from slocheck.demo.faults import Faults

BUCKETS = (0.01, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5)
LABELS = ("method", "route", "status_code")
ROUTES = ("/items", "/checkout", "/health", "/metrics")
UNMATCHED = "unmatched"
FAILED = b'{"error": "planted"}'


class Metrics:
    """The registry of one API process."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        ProcessCollector(registry=self.registry)
        self.duration = Histogram(
            "http_request_duration_seconds",
            "Duration of HTTP requests in seconds",
            LABELS,
            buckets=BUCKETS,
            registry=self.registry,
        )
        self.total = Counter("http_requests_total", "HTTP requests", LABELS, registry=self.registry)
        self.hits = Counter("cache_hits_total", "Look-ups that the cache served", registry=self.registry)
        self.misses = Counter("cache_misses_total", "Look-ups that went to the store", registry=self.registry)

    def count(self, method: str, route: str, status: int, seconds: float) -> None:
        """Count one request under bounded labels."""
        labels = (method, route, str(status))
        self.total.labels(*labels).inc()
        self.duration.labels(*labels).observe(seconds)


class MeasuringMiddleware:
    """Counts each request after its last byte was handed over, faults included."""

    def __init__(self, app: ASGIApp, metrics: Metrics, faults: Faults) -> None:
        self._app = app
        self._metrics = metrics
        self._faults = faults

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started = time.perf_counter()
        status = 500

        async def watch(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            if message["type"] == "http.response.body" and not message.get("more_body"):
                # counted before the last byte leaves: a client that has its answer finds it counted
                seconds = time.perf_counter() - started
                self._metrics.count(scope["method"], _route(scope), status, seconds)
            await send(message)

        if self._faults.any and scope["path"] not in ("/metrics", "/health"):
            fault = self._faults.next()
            await asyncio.sleep(fault.delay)
            if fault.fail:
                await _fail(watch)
                return
        await self._app(scope, receive, watch)


async def _fail(send: Send) -> None:
    """Answer 500."""
    headers = [(b"content-type", b"application/json"), (b"content-length", str(len(FAILED)).encode())]
    await send({"type": "http.response.start", "status": 500, "headers": headers})
    await send({"type": "http.response.body", "body": FAILED})


def _route(scope: Scope) -> str:
    """Return the path template that served the request."""
    path = str(scope["path"])
    if path.startswith("/items/"):
        return "/items/{id}"
    return path if path in ROUTES else UNMATCHED
