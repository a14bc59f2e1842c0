"""Putting jobs into the queue of Redis."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

from redis.exceptions import RedisError
from taskiq.exceptions import SendTaskError
from taskiq.kicker import AsyncKicker

from slocheck.reference_api.background import meanwhile
from slocheck.reference_api.jobs import QueueUnavailable
from slocheck.reference_api.jobs.broker import StreamBroker
from slocheck.reference_api.jobs.queue import Queue, connect
from slocheck.reference_api.observability.metrics import JobMetrics
from slocheck.reference_api.shop.repository import Row

_LOOK_S = 1.0


class RedisJobs:
    """A `Jobs` whose handlers run in workers."""

    def __init__(self, broker: StreamBroker) -> None:
        self._broker = broker

    async def submit(self, name: str, payload: Row) -> None:
        """Add a job to the stream; raises QueueUnavailable."""
        # labels hold nothing yet; the id is the same for the same job
        kicker: AsyncKicker[[Row], object] = AsyncKicker(name, self._broker, {})
        kicker = kicker.with_task_id(f"{name} {json.dumps(payload, sort_keys=True)}")
        try:
            await kicker.kiq(payload)
        except (SendTaskError, RedisError) as error:
            raise QueueUnavailable(f"Redis: {error.__cause__ or error}") from error

    async def close(self) -> None:
        """Close the connections."""
        await self._broker.shutdown()


@asynccontextmanager
async def opened_in_redis(url: str, metrics: JobMetrics) -> AsyncIterator[RedisJobs]:
    """Open the queue, and report its depth and age for as long as it is open."""
    jobs = RedisJobs(StreamBroker(url))
    try:
        async with meanwhile(_watch(url, metrics)):
            yield jobs
    finally:
        await jobs.close()


async def _watch(url: str, metrics: JobMetrics) -> None:
    async with connect(url) as redis:
        queue = Queue(redis)
        while True:
            with suppress(RedisError):  # without Redis the last state stays
                state = await queue.state()
                metrics.depth.set(state.depth)
                metrics.oldest.set(state.oldest_s)
                metrics.failed.set(state.failed)
            await asyncio.sleep(_LOOK_S)
