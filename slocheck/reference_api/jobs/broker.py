"""taskiq's broker on a stream of Redis, fixed where it would lose jobs or keep them for ever.

What `taskiq_redis` 1.2 does otherwise: it looks for the jobs of dead workers only after a new job has come;
it begins with jobs that are submitted after the group of consumers was made; it leaves jobs in the stream
after they were acknowledged; it takes a hundred jobs at once, of which the last wait while other workers are
idle; and it ends when Redis does. And taskiq acknowledges a job that has no handler.
"""

import asyncio
import logging
from collections.abc import AsyncGenerator, Awaitable, Callable
from typing import Any

from redis.asyncio import Redis
from redis.exceptions import RedisError, ResponseError
from taskiq import AckableMessage, AsyncTaskiqDecoratedTask
from taskiq_redis import RedisStreamBroker

from slocheck.reference_api.jobs.queue import NAME, pool_options
from slocheck.reference_api.observability.outages import Outage
from slocheck.reference_api.shop.repository import Unavailable

ABANDONED_AFTER_S = 30.0
"""A job that was handed out this long ago and is not acknowledged belongs to a dead worker."""

_BLOCK_MS = 500
_PAUSE_S = 0.2
_UNKNOWN = ""

_log = logging.getLogger(__name__)

Lost = Callable[[bytes, int], Awaitable[bool]]
"""Called with a job that a worker died with and how often it was handed out; true: do not run it again."""


async def _fail(_: Any) -> None:
    raise LookupError("no handler of that name")


class StreamBroker(RedisStreamBroker):
    """Hands out each job at least once.

    Args:
        url: Of Redis.
        name: The stream's key, and the name of the group of workers.
        abandoned_after_s: When a job without acknowledgement is handed out again.
        lost: Asked before that; default: it always is.
        stop: Set: no more jobs are handed out. taskiq cancels the wait for them, which may fail (see
            `background`).
    """

    def __init__(
        self,
        url: str,
        *,
        name: str = NAME,
        abandoned_after_s: float = ABANDONED_AFTER_S,
        lost: Lost | None = None,
        stop: asyncio.Event | None = None,
    ) -> None:
        options = pool_options()
        super().__init__(
            url,
            queue_name=name,
            consumer_group_name=name,
            consumer_id="0",
            max_connection_pool_size=options.pop("max_connections"),
            **options,
        )
        self._abandoned_ms = int(abandoned_after_s * 1_000)
        self._lost = lost
        self._stop = stop or asyncio.Event()
        self._outage = Outage(_log, f"the queue {name}")
        self.register_task(_fail, _UNKNOWN)

    async def startup(self) -> None:
        """Start, also without Redis: the group of consumers is made when it is missed."""
        self.is_worker_process = True

    def find_task(self, task_name: str) -> AsyncTaskiqDecoratedTask[Any, Any] | None:
        """Return a job's handler; for an unknown job one that fails, as taskiq would acknowledge it."""
        return super().find_task(task_name) or super().find_task(_UNKNOWN)

    async def listen(self) -> AsyncGenerator[AckableMessage, None]:
        """Yield jobs: those of dead workers first, then the next new one.

        Whatever Redis or the database says, the worker carries on: a server that is gone, full or read-only
        now may be healthy again soon, and empty.
        """
        async with Redis(connection_pool=self.connection_pool) as redis:
            while not self._stop.is_set():
                try:
                    job = await self._next(redis)
                except (RedisError, Unavailable) as error:
                    self._outage.begin(error)
                    await asyncio.sleep(_PAUSE_S)
                else:
                    self._outage.end()
                    if job is not None:
                        yield job

    async def _next(self, redis: Redis) -> AckableMessage | None:
        """Return a job, if there is one before long; the group of workers is made if it is missing."""
        try:
            return await self._abandoned(redis) or await self._new(redis)
        except ResponseError as error:
            if not str(error).startswith("NOGROUP"):
                raise
        await self._declare_consumer_group()
        await asyncio.sleep(_PAUSE_S)  # in a full Redis it was not created
        return None

    async def _new(self, redis: Redis) -> AckableMessage | None:
        """Wait a little for a new job."""
        taken: Any = await redis.xreadgroup(
            self.consumer_group_name, self.consumer_name, {self.queue_name: ">"}, count=1, block=_BLOCK_MS
        )
        return self._job(*taken[0][1][0]) if taken else None

    async def _abandoned(self, redis: Redis) -> AckableMessage | None:
        """Take over a job of a worker that has died, unless it killed too many."""
        _, jobs, _ = await redis.xautoclaim(
            self.queue_name, self.consumer_group_name, self.consumer_name, self._abandoned_ms, count=1
        )
        if not jobs:
            return None
        number, fields = jobs[0]
        job = self._job(number, fields)
        pending: Any = await redis.xpending_range(
            self.queue_name, self.consumer_group_name, number, number, count=1
        )
        deliveries = pending[0]["times_delivered"] - 1 if pending else 0
        if self._lost is not None and await self._lost(job.data, deliveries):
            await self._acknowledge(number)
            return None
        return job

    def _job(self, number: bytes, fields: dict[bytes, bytes]) -> AckableMessage:
        async def acknowledge() -> None:
            try:
                await self._acknowledge(number)
            except RedisError as error:
                self._outage.begin(error)  # it is handed out again, and then has no effect

        return AckableMessage(data=fields[b"data"], ack=acknowledge)

    async def _acknowledge(self, number: bytes) -> None:
        async with Redis(connection_pool=self.connection_pool) as redis, redis.pipeline() as step:
            step.xack(self.queue_name, self.consumer_group_name, number)
            step.xdel(self.queue_name, number)
            await step.execute()
