"""Connection pooling: connections to PostgreSQL are kept and shared, and their number has a limit.

A connection costs a process of the server and several round trips (TCP, TLS, SCRAM), so a pool opens a few
and lends them; a request that finds none free waits, and fails if it waits too long.

The naive form is `ConnectionPerQuery`: each query pays for a connection, and under load the server's own
limit refuses some of them, at random. A pool without limits only moves that: without a timeout requests
pile up behind a slow query until all of them are too late, and without a bound on those that wait memory
grows. A pool that is too large is slower than a small one, as the server's cores are few.

In production: a small pool in each process, ``processes x size`` below ``max_connections``, and PgBouncer
between them and the server once there are many (in transaction mode, which knows prepared statements since
its version 1.21).
"""

import logging
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any, Protocol

import psycopg
from psycopg.rows import dict_row
from psycopg_pool import AsyncConnectionPool

from slocheck.reference_api.observability.metrics import PoolMetrics
from slocheck.reference_api.observability.outages import Outage
from slocheck.reference_api.shop.repository import Row, Unavailable

Connection = psycopg.AsyncConnection[Row]

CONNECT_TIMEOUT_S = 3
QUERY_TIMEOUT_S = 5
"""The server ends a query after that, so that one slow query cannot hold a connection for ever."""

WAITING_PER_CONNECTION = 50
"""Bound on the requests that wait, for each connection; any more are refused at once."""

_GONE = (psycopg.OperationalError, psycopg.InterfaceError, psycopg.errors.ReadOnlySqlTransaction)
"""Raised when a server is gone or slow, or is no longer the primary; the pool's own are of the first kind."""

_RECONNECT_S = 5.0
_CLOSE_S = 1.0
_KEPT = 1
"""Connections that are kept open while idle."""

_log = logging.getLogger(__name__)
# it would log each attempt to connect while a server is gone: `Outage` logs it once
logging.getLogger("psycopg.pool").setLevel(logging.CRITICAL)


class Connections(Protocol):
    """Where queries get their connection from."""

    def connection(self) -> AbstractAsyncContextManager[Connection]:
        """Lend a connection in autocommit mode; raises Unavailable."""

    async def open(self) -> None:
        """Begin; a server that does not respond is not an error yet."""

    async def close(self) -> None:
        """Close all connections."""


class Pool:
    """At most `size` connections to one server.

    Args:
        url: Of the server.
        role: ``primary`` or ``replica``, for the metrics.
        size: Most connections, at least 1.
        timeout_s: Longest wait for one.
        metrics: Gets how many are open, lent and waited for.
    """

    def __init__(self, url: str, *, role: str, size: int, timeout_s: float, metrics: PoolMetrics) -> None:
        self._outage = outage = Outage(_log, f"PostgreSQL ({role})")
        self._pool: AsyncConnectionPool[Connection] = AsyncConnectionPool(
            url,
            kwargs=connection_options(),
            min_size=min(_KEPT, size),
            max_size=size,
            timeout=timeout_s,
            max_waiting=size * WAITING_PER_CONNECTION,
            reconnect_timeout=_RECONNECT_S,
            reconnect_failed=lambda _: outage.begin(f"no connection within {_RECONNECT_S:g} s"),
            open=False,
        )
        self._role = role
        self._metrics = metrics
        self._waited = self._failed = 0

    @property
    def waiting(self) -> int:
        """Requests that wait for a connection now."""
        return self._pool.get_stats().get("requests_waiting", 0)

    async def open(self) -> None:
        """Begin to connect, without waiting for it."""
        await self._pool.open()

    async def close(self) -> None:
        """Close all connections; those that are lent, when they come back."""
        await self._pool.close(timeout=_CLOSE_S)

    @asynccontextmanager
    async def connection(self) -> AsyncIterator[Connection]:
        """Lend a connection.

        Raises:
            Unavailable: None became free in time, too many wait, the server is gone, or the query took too
                long.
        """
        connection: Connection | None = None
        try:
            async with self._pool.connection() as connection:
                self._report()
                yield connection
            self._outage.end()
        except _GONE as error:
            if connection is not None and connection.broken:
                self._outage.begin(str(error))
            raise Unavailable(f"{self._role}: {error}") from error
        finally:
            self._report()

    def _report(self) -> None:
        stats = self._pool.get_stats()
        size, free = stats.get("pool_size", 0), stats.get("pool_available", 0)
        self._metrics.connections.labels(self._role).set(size)
        self._metrics.in_use.labels(self._role).set(size - free)
        self._metrics.waiting.labels(self._role).set(stats.get("requests_waiting", 0))
        waited, failed = stats.get("requests_queued", 0), stats.get("requests_errors", 0)
        self._metrics.waits.labels(self._role).inc(waited - self._waited)
        self._metrics.timeouts.labels(self._role).inc(failed - self._failed)
        self._waited, self._failed = waited, failed


class ConnectionPerQuery:
    """The naive form: open a connection, use it once, close it; nothing bounds their number."""

    def __init__(self, url: str, *, role: str, metrics: PoolMetrics) -> None:
        self._url = url
        self._role = role
        self._gauges = (metrics.connections.labels(role), metrics.in_use.labels(role))

    async def open(self) -> None:
        """Do nothing: there is nothing to keep."""

    async def close(self) -> None:
        """Do nothing: each connection was closed after its use."""

    @asynccontextmanager
    async def connection(self) -> AsyncIterator[Connection]:
        """Open a connection for one use; raises Unavailable."""
        try:
            async with await psycopg.AsyncConnection.connect(self._url, **connection_options()) as connection:
                for gauge in self._gauges:
                    gauge.inc()
                try:
                    yield connection
                finally:
                    for gauge in self._gauges:
                        gauge.dec()
        except _GONE as error:
            raise Unavailable(f"{self._role}: {error}") from error


def connection_options() -> dict[str, Any]:
    """Return how every connection is made: rows as dicts, each statement its own transaction, time limits."""
    return {
        "autocommit": True,
        "row_factory": dict_row,
        "connect_timeout": CONNECT_TIMEOUT_S,
        "options": f"-c statement_timeout={QUERY_TIMEOUT_S}s -c idle_in_transaction_session_timeout=10s",
    }
