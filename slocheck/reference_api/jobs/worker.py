"""A worker: takes jobs out of the queue, a few at a time, until it is told to stop."""

import asyncio
from contextlib import suppress
from dataclasses import dataclass, field

from redis.exceptions import RedisError
from taskiq.acks import AcknowledgeType
from taskiq.receiver import Receiver

from slocheck.reference_api.background import meanwhile
from slocheck.reference_api.jobs import GivenUp, Handler, Handlers
from slocheck.reference_api.jobs.backoff import Retries
from slocheck.reference_api.jobs.broker import ABANDONED_AFTER_S, StreamBroker
from slocheck.reference_api.jobs.outcomes import Outcomes
from slocheck.reference_api.jobs.queue import NAME, Queue, connect
from slocheck.reference_api.observability.metrics import JobMetrics
from slocheck.reference_api.shop.repository import Row

GRACE_S = 5.0
"""Seconds that jobs may go on after shutdown was requested; then another worker does them."""

_MOVE_S = 0.2


@dataclass(frozen=True, slots=True, kw_only=True)
class JobWorkerOptions:
    """How a worker works.

    Attributes:
        concurrency: Most jobs that it does at the same time.
        retries: How often and when a job is tried.
        abandoned_after_s: When a job that was handed out is handed to another worker; one attempt has half
            of that time, so that no two work on one job while both live.
        name: The queue's.
    """

    concurrency: int = 5
    retries: Retries = field(default_factory=Retries)
    abandoned_after_s: float = ABANDONED_AFTER_S
    name: str = NAME


async def work(
    url: str,
    handlers: Handlers,
    given_up: GivenUp,
    *,
    options: JobWorkerOptions,
    metrics: JobMetrics,
    stop: asyncio.Event,
) -> None:
    """Do jobs until `stop`; then finish those that run.

    Args:
        url: Of Redis; while it is gone, the worker waits for it.
        handlers: By name of the job; a job with another name fails at once.
        given_up: Called for each job that failed for good.
        options: How.
        metrics: Counts how each attempt ended.
        stop: Set from outside.
    """
    async with connect(url) as redis:
        queue = Queue(redis, options.name)
        outcomes = Outcomes(queue, options.retries, metrics, given_up)
        broker = StreamBroker(
            url,
            name=options.name,
            abandoned_after_s=options.abandoned_after_s,
            lost=outcomes.lost,
            stop=stop,
        )
        broker.add_middlewares(outcomes)
        for name, handler in handlers.items():
            broker.register_task(_task(handler, options.abandoned_after_s / 2), name)
        receiver = Receiver(
            broker,
            max_async_tasks=options.concurrency,
            ack_type=AcknowledgeType.WHEN_EXECUTED,
            wait_tasks_timeout=GRACE_S,
        )
        try:
            async with meanwhile(_move_due(queue)):
                await receiver.listen(stop)
        finally:
            await broker.shutdown()


def _task(handler: Handler, timeout_s: float) -> Handler:
    """Return the function that taskiq calls: it needs types of parameters, which a handler may lack."""

    async def run(payload: Row) -> None:
        async with asyncio.timeout(timeout_s):
            await handler(payload)

    return run


async def _move_due(queue: Queue) -> None:
    """Hand out jobs whose next attempt is due; every worker does so."""
    while True:
        with suppress(RedisError):
            await queue.move_due()
        await asyncio.sleep(_MOVE_S)
