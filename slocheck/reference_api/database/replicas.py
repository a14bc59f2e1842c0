"""Read replicas: writes go to the primary, reads to a streaming replica, which takes them off the primary.

A replica lags a little, so a user who reads what they just wrote may not find it: the naive form, a client
for reads and one for writes, shows a user an old profile after a change. And once its replica dies, all
reads fail.

Here each write tells its session the log position that it reached (`sessions`). A read of that session goes
to the replica only if that has replayed as much, and to the primary otherwise. A replica that fails, hangs
or lags far behind is left out until it is healthy again; reads go to the primary meanwhile.

In production the same holds behind any balancer, as the position travels with the client, not with the
process. A balancer for the replicas (HAProxy, a service of the cloud) replaces the single address.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar
from weakref import WeakKeyDictionary

from slocheck.reference_api.background import begin, end
from slocheck.reference_api.database.lsn import Lag, read_position
from slocheck.reference_api.database.pool import Connection, Connections
from slocheck.reference_api.database.sessions import current_session, primary_is_asked
from slocheck.reference_api.observability.metrics import PoolMetrics
from slocheck.reference_api.shop.repository import Unavailable

T = TypeVar("T")
Query = Callable[[Connection], Awaitable[T]]

REPLICA_TIMEOUT_S = 1.0
"""Longest that a read waits for the replica before it goes to the primary."""

MOST_LAG_S = 10.0
"""A replica that lags more is left out; shorter than a session remembers its position."""

_LOOK_S = 0.5

# not pg_current_wal_lsn(): under synchronous_commit=off that may be short of what was just committed
_WRITTEN = "SELECT pg_current_wal_insert_lsn()::text AS position"
_REPLAYED = "SELECT COALESCE(pg_last_wal_replay_lsn(), '0/0')::text AS position"


class Router:
    """Sends each query where it belongs.

    Args:
        primary: Connections for writes, and for reads that the replica cannot serve.
        replica: Connections for reads; None: there is no replica.
        metrics: Gets the replica's lag.
    """

    def __init__(self, primary: Connections, replica: Connections | None, metrics: PoolMetrics) -> None:
        self._primary = primary
        self._replica = None if replica is None else _Replica(replica)
        self._lag = metrics.lag.labels("replica")
        self._watch: asyncio.Task[None] | None = None

    async def open(self) -> None:
        """Begin to connect, and to watch the replica."""
        await self._primary.open()
        if self._replica is not None:
            await self._replica.connections.open()
            self._watch = begin(self._look_after(self._replica))

    async def close(self) -> None:
        """Close all connections."""
        if self._watch is not None:
            await end(self._watch)
        if self._replica is not None:
            await self._replica.close()
        await self._primary.close()

    async def read(self, query: Query[T]) -> T:
        """Run a query that changes nothing; it may run twice. Raises Unavailable."""
        replica, session = self._replica, current_session()
        if replica is not None and replica.usable and not primary_is_asked():
            try:
                return await replica.read(query, session.position)
            except _BehindError:
                pass
            except Unavailable:
                replica.usable = False
        async with self._primary.connection() as connection:
            return await query(connection)

    async def write(self, change: Query[T]) -> T:
        """Make a change in one transaction, and tell the session its position. Raises Unavailable."""
        async with self._primary.connection() as connection:
            async with connection.transaction():
                result = await change(connection)
            if self._replica is not None:
                current_session().wrote(await _position(connection, _WRITTEN))
        return result

    async def _look_after(self, replica: "_Replica") -> None:
        """Measure the lag again and again, and say whether the replica may be read.

        Not before it has everything that was written at the first check: it may not have the tables yet.
        """
        lag, first, replayed = Lag(), None, 0
        while True:
            written = await self._written()
            first = written if first is None else first
            try:
                replayed = await replica.read(_replayed, 0)
            except Unavailable:
                replica.usable = False
                self._lag.set(lag.seen(time.monotonic(), written, replayed))
            else:
                behind = lag.seen(time.monotonic(), written, replayed)
                self._lag.set(behind)
                replica.usable = behind <= MOST_LAG_S and replayed >= first
            await asyncio.sleep(_LOOK_S)

    async def _written(self) -> int:
        """Return the primary's position; 0 if it is unavailable: the replica can still be read."""
        try:
            async with self._primary.connection() as connection:
                return await _position(connection, _WRITTEN)
        except Unavailable:
            return 0


class _BehindError(Exception):
    """The replica has not replayed what the session wrote."""


class _Replica:
    """One replica, and whether it may be read now; not before the first check."""

    def __init__(self, connections: Connections) -> None:
        self.connections = connections
        self.usable = False
        # by connection, as a replica that is started again may be further back, and that breaks connections
        self._replayed: WeakKeyDictionary[Connection, int] = WeakKeyDictionary()
        self._abandoned: set[asyncio.Task[Any]] = set()

    async def read(self, query: Query[T], position: int) -> T:
        """Run a query if `position` is replayed; raises _BehindError, or Unavailable within a time limit."""
        reading = asyncio.ensure_future(self._read(query, position))
        try:
            done, _ = await asyncio.wait([reading], timeout=REPLICA_TIMEOUT_S)
        except asyncio.CancelledError:
            self._abandon(reading)
            raise
        if not done:
            self._abandon(reading)
            raise Unavailable(f"replica: no response within {REPLICA_TIMEOUT_S:g} s")
        return reading.result()

    async def close(self) -> None:
        """Close the connections; a replica that hangs does not hold up the end."""
        if self._abandoned:
            await asyncio.wait(self._abandoned, timeout=REPLICA_TIMEOUT_S)
        await self.connections.close()

    async def _read(self, query: Query[T], position: int) -> T:
        async with self.connections.connection() as connection:
            # the position only grows, so a position seen once need not be queried again
            if position > self._replayed.get(connection, 0):
                self._replayed[connection] = await _position(connection, _REPLAYED)
                if position > self._replayed[connection]:
                    raise _BehindError
            return await query(connection)

    def _abandon(self, reading: asyncio.Task[Any]) -> None:
        """Cancel a read without waiting for it: psycopg asks the server to cancel, and that may hang, too."""
        reading.cancel()
        self._abandoned.add(reading)
        reading.add_done_callback(self._forget)

    def _forget(self, reading: asyncio.Task[Any]) -> None:
        self._abandoned.discard(reading)
        if not reading.cancelled():
            reading.exception()  # otherwise asyncio logs that it was never retrieved


async def _replayed(connection: Connection) -> int:
    return await _position(connection, _REPLAYED)


async def _position(connection: Connection, query: str) -> int:
    row = await (await connection.execute(query)).fetchone()
    position = None if row is None else read_position(row["position"])
    assert position is not None, "PostgreSQL writes positions as it documents them"
    return position
