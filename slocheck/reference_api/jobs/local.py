"""Jobs in this process, without Redis: the same attempts and delays, and nothing outlives it.

What was not done when the process ended is noted in the database, and submitted again by the next one.
"""

import asyncio
import logging
import random
import time
from collections import deque
from itertools import count

from slocheck.reference_api.jobs import GivenUp, Handlers, QueueUnavailable
from slocheck.reference_api.jobs.backoff import Retries
from slocheck.reference_api.observability.metrics import JobMetrics
from slocheck.reference_api.shop.repository import Row

CONCURRENCY = 5
MOST_OPEN = 10_000
"""Bound on the jobs that are not done; any more are not accepted."""

GRACE_S = 1.0
"""Seconds that jobs may go on after shutdown was requested."""

_KEPT = 1_000

_log = logging.getLogger(__name__)


class InTheRequest:
    """The naive form of `Jobs`: submitting a job runs it, waits for it, and raises its errors."""

    def __init__(self, handlers: Handlers) -> None:
        self._handlers = handlers

    async def submit(self, name: str, payload: Row) -> None:
        """Do the job; raises what it raises."""
        await self._handlers[name](payload)

    async def close(self) -> None:
        """Do nothing."""


class LocalJobs:
    """A `Jobs` that does them itself.

    Args:
        handlers: By name.
        given_up: Called for each job that failed for good.
        retries: How often and when they are tried.
        metrics: Gets depth, age and outcomes.
        concurrency: Most jobs that run at the same time.

    Attributes:
        failed: The last jobs that failed for good: name, payload and what the last attempt raised.
    """

    def __init__(
        self,
        handlers: Handlers,
        given_up: GivenUp,
        *,
        retries: Retries,
        metrics: JobMetrics,
        concurrency: int = CONCURRENCY,
    ) -> None:
        self.failed: deque[tuple[str, Row, str]] = deque(maxlen=_KEPT)
        self._handlers = handlers
        self._given_up = given_up
        self._retries = retries
        self._metrics = metrics
        self._turn = asyncio.Semaphore(concurrency)
        self._chance = random.Random()  # noqa: S311 - spreads load, guards nothing
        self._open: dict[asyncio.Task[None], float] = {}

    async def submit(self, name: str, payload: Row) -> None:
        """Begin a job and return; raises QueueUnavailable if too many are open."""
        if len(self._open) >= MOST_OPEN:
            raise QueueUnavailable(f"{MOST_OPEN} jobs are open already")
        task = asyncio.create_task(self._do(name, payload))
        self._open[task] = time.monotonic()
        task.add_done_callback(self._close_job)
        self._report()

    async def close(self) -> None:
        """Wait a little for the jobs that are open, then cancel them."""
        if self._open:
            await asyncio.wait(self._open, timeout=GRACE_S)
        for task in self._open:
            task.cancel()
        await asyncio.gather(*self._open, return_exceptions=True)

    async def _do(self, name: str, payload: Row) -> None:
        for attempt in count(1):
            try:
                async with self._turn:
                    await self._handlers[name](payload)
            except Exception as error:  # noqa: BLE001 - a handler may raise anything, and it ends here
                delay = self._retries.after(attempt, self._chance.random())
                if delay is None:
                    await self._give_up(name, payload, error)
                    return
            else:
                self._metrics.jobs.labels(name, "done").inc()
                return
            self._metrics.jobs.labels(name, "retried").inc()
            await asyncio.sleep(delay)

    async def _give_up(self, name: str, payload: Row, error: Exception) -> None:
        _log.warning("job %s %s failed for good", name, payload, exc_info=error)
        self.failed.append((name, payload, f"{type(error).__name__}: {error}"))
        self._metrics.failed.set(len(self.failed))
        self._metrics.jobs.labels(name, "failed").inc()
        await self._given_up(name, payload)

    def _close_job(self, task: asyncio.Task[None]) -> None:
        del self._open[task]
        if not task.cancelled() and task.exception() is not None:
            _log.warning("a job's failure could not be noted", exc_info=task.exception())
        self._report()

    def _report(self) -> None:
        self._metrics.depth.set(len(self._open))
        first = next(iter(self._open.values()), None)
        self._metrics.oldest.set(0 if first is None else time.monotonic() - first)
