"""Connections to an SQLite file: each is used by one thread at a time, and their number has a limit.

Without the strategy `pool`, each query opens the file, reads the schema, and closes it again. With it a
connection is opened once and keeps its prepared statements and its pages in memory. In either case no more
than `size` queries run at the same time, and a request that waits too long fails.
"""

import asyncio
import sqlite3
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TypeVar

from slocheck.reference_api.observability.metrics import PoolMetrics
from slocheck.reference_api.shop.repository import Unavailable

Result = TypeVar("Result")

ROLE = "primary"
WAITING_PER_CONNECTION = 50
"""Bound on the requests that wait, for each connection; any more are refused at once."""

_BUSY_TIMEOUT_S = 5.0
"""How long a writer waits for a writer of another process."""


class SqlitePool:
    """Runs work on connections in threads, so that the event loop goes on meanwhile.

    Args:
        path: The file, whose tables are there.
        size: Most connections, at least 1.
        timeout_s: Longest wait for one.
        kept: Whether connections are kept for the next query.
        metrics: Gets how many are open, used and waited for.
    """

    def __init__(self, path: Path, *, size: int, timeout_s: float, kept: bool, metrics: PoolMetrics) -> None:
        self._path = path
        self._timeout_s = timeout_s
        self._kept = kept
        self._metrics = metrics
        self._most_waiting = size * WAITING_PER_CONNECTION
        self._waiting = 0
        self._free: list[sqlite3.Connection] = []
        self._turn = asyncio.Semaphore(size)
        self._writing = asyncio.Lock()
        self._threads = ThreadPoolExecutor(size, thread_name_prefix="sqlite")
        self._open = metrics.connections.labels(ROLE)
        self._in_use = metrics.in_use.labels(ROLE)

    async def run(self, work: Callable[[sqlite3.Connection], Result]) -> Result:
        """Run `work` in a thread with its own connection; raises Unavailable."""
        await self._wait()
        self._in_use.inc()
        try:
            loop = asyncio.get_running_loop()
            return await loop.run_in_executor(self._threads, self._lend, work)
        except sqlite3.OperationalError as error:
            raise Unavailable(f"SQLite: {error}") from error
        finally:
            self._in_use.dec()
            self._turn.release()

    async def change(self, work: Callable[[sqlite3.Connection], Result]) -> Result:
        """Run `work`, which writes; as `run`.

        SQLite has one writer at a time. Here the writers of this process wait in a queue, where they hold no
        connection, instead of in SQLite, where they would poll, in no order.
        """
        async with self._writing:
            return await self.run(work)

    async def close(self) -> None:
        """Wait for the queries that run, then close all connections."""
        self._threads.shutdown()
        for connection in self._free:
            connection.close()
        self._open.dec(len(self._free))
        self._free.clear()

    async def _wait(self) -> None:
        """Wait for a turn; raises Unavailable if too many wait already, or for too long."""
        if not self._turn.locked():
            await self._turn.acquire()
            return
        self._metrics.waits.labels(ROLE).inc()
        if self._waiting >= self._most_waiting:
            self._metrics.timeouts.labels(ROLE).inc()
            raise Unavailable(f"{self._waiting} requests wait for a connection already")
        self._waiting += 1
        self._metrics.waiting.labels(ROLE).set(self._waiting)
        try:
            await asyncio.wait_for(self._turn.acquire(), self._timeout_s)
        except TimeoutError:
            self._metrics.timeouts.labels(ROLE).inc()
            raise Unavailable(f"no connection was free for {self._timeout_s:g} s") from None
        finally:
            self._waiting -= 1
            self._metrics.waiting.labels(ROLE).set(self._waiting)

    def _lend(self, work: Callable[[sqlite3.Connection], Result]) -> Result:
        connection = self._free.pop() if self._free else self._connect()
        try:
            return work(connection)
        finally:
            if self._kept:
                self._free.append(connection)
            else:
                connection.close()
                self._open.dec()

    def _connect(self) -> sqlite3.Connection:
        connection = sqlite3.connect(
            self._path, timeout=_BUSY_TIMEOUT_S, isolation_level=None, check_same_thread=False
        )
        connection.row_factory = sqlite3.Row
        # a crash of the process loses nothing; a crash of the machine may: NORMAL or FULL in production
        connection.execute("PRAGMA synchronous = OFF")
        self._open.inc()
        return connection
