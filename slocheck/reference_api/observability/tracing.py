"""Traces: one span per request and one for each notable step, sent to an OTLP receiver. Off by default.

The idea: metrics say that something is slow, a trace says where in one request the time went, across
processes: the caller's ``traceparent`` makes our spans children of its own.

What goes wrong with the naive form: a span named by its path (``GET /items/4711``) cannot be grouped with any
other; exporting within the request makes a slow receiver a slow API; and all of the traffic costs more to
keep than to serve.

In production: the same spans through a local agent, and a sampler that keeps errors, slow requests
and one request in a hundred.
"""

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Protocol

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from slocheck.reference_api.parts import needs

SERVICE = "shop-api"
_UNTRACED = "/health$,/metrics$"
"""Requested every second by machines and not traced; regular expressions of addresses."""
_FLUSH_MS = 2_000

Attribute = str | int | float | bool


class Tracing(Protocol):
    """What the application traces itself with."""

    def traced(self, app: ASGIApp) -> ASGIApp:
        """Return the application with a span around each request."""

    def span(self, name: str, **attributes: Attribute) -> AbstractContextManager[None]:
        """Time a step of the current request; ``order__id=7`` becomes the attribute ``order.id``."""

    def close(self) -> None:
        """Send what has not been sent yet, for at most some seconds."""


class Untraced:
    """No tracing: nothing is imported, nothing is sent."""

    def traced(self, app: ASGIApp) -> ASGIApp:
        """Return the application itself."""
        return app

    def span(self, name: str, **attributes: Attribute) -> AbstractContextManager[None]:
        """Do nothing."""
        del name, attributes
        return nullcontext()

    def close(self) -> None:
        """Do nothing."""


class OtlpTracing:
    """Spans by OpenTelemetry, sent in batches by a thread; what a full queue cannot take is lost.

    Args:
        url: Base URL of an OTLP/HTTP receiver, such as ``http://127.0.0.1:4318``.

    Raises:
        UsageError: OpenTelemetry is not installed.
    """

    def __init__(self, url: str) -> None:
        with needs("opentelemetry"):
            # of an extra, and slow to import
            from opentelemetry.exporter.otlp.proto.http.trace_exporter import (  # noqa: PLC0415
                OTLPSpanExporter,
            )
            from opentelemetry.sdk.resources import Resource  # noqa: PLC0415
            from opentelemetry.sdk.trace import TracerProvider  # noqa: PLC0415
            from opentelemetry.sdk.trace.export import BatchSpanProcessor  # noqa: PLC0415
        exporter = OTLPSpanExporter(endpoint=f"{url.rstrip('/')}/v1/traces", timeout=_FLUSH_MS / 1_000)
        self._provider = TracerProvider(
            resource=Resource.create({"service.name": SERVICE}), shutdown_on_exit=False
        )
        self._provider.add_span_processor(BatchSpanProcessor(exporter))
        self._tracer = self._provider.get_tracer(__name__)

    def traced(self, app: ASGIApp) -> ASGIApp:
        """Return the application with a span around each request, except those of machines."""
        from opentelemetry.instrumentation.asgi import OpenTelemetryMiddleware  # noqa: PLC0415 - of an extra

        around: ASGIApp = OpenTelemetryMiddleware(
            _named_by_route(app),
            excluded_urls=_UNTRACED,
            tracer_provider=self._provider,
            exclude_spans=["receive", "send"],
        )
        return around

    @contextmanager
    def span(self, name: str, **attributes: Attribute) -> Iterator[None]:
        """Time a step; one that fails gets the error's status and the exception as an event."""
        from opentelemetry.trace import StatusCode  # noqa: PLC0415 - of an extra

        given = {key.replace("__", "."): value for key, value in attributes.items()}
        with self._tracer.start_as_current_span(name, attributes=given) as span:
            yield
            span.set_status(StatusCode.OK)

    def close(self) -> None:
        """Send the last batch, then end the thread."""
        self._provider.force_flush(_FLUSH_MS)
        self._provider.shutdown()


def open_tracing(otlp_url: str) -> Tracing:
    """Return tracing to a receiver; without a URL the one that does nothing. Raises UsageError."""
    return OtlpTracing(otlp_url) if otlp_url else Untraced()


def _named_by_route(app: ASGIApp) -> ASGIApp:
    """Name the current span after the route, which is known once the application has found it."""
    from opentelemetry.trace import get_current_span  # noqa: PLC0415 - of an extra

    async def named(scope: Scope, receive: Receive, send: Send) -> None:
        span = get_current_span()

        async def naming_send(message: Message) -> None:
            if message["type"] == "http.response.start" and scope["type"] == "http":
                route = getattr(scope.get("route"), "path", "")
                span.update_name(f"{scope['method']} {route}".rstrip())
                span.set_attribute("http.route", route)
            await send(message)

        await app(scope, receive, naming_send)

    return named
