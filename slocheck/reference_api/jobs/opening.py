"""Where the shop's jobs go, by the settings: into Redis, into this process, or nowhere."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from slocheck.reference_api.background import meanwhile
from slocheck.reference_api.jobs import Jobs
from slocheck.reference_api.jobs.backoff import Retries
from slocheck.reference_api.jobs.local import InTheRequest, LocalJobs
from slocheck.reference_api.jobs.relay import relay
from slocheck.reference_api.observability.metrics import JobMetrics
from slocheck.reference_api.parts import needs
from slocheck.reference_api.settings import Settings
from slocheck.reference_api.shop.followups import Followups, given_up_in, handlers_of


@asynccontextmanager
async def opened_jobs(settings: Settings, followups: Followups, metrics: JobMetrics) -> AsyncIterator[Jobs]:
    """Open the queue.

    Args:
        settings: Whether there are jobs, and in which Redis; workers take them out of it.
        followups: What the jobs do.
        metrics: Gets depth and age, and outcomes if the jobs run here.

    Raises:
        UsageError: The libraries for Redis are not installed.
    """
    if not settings.jobs:
        yield InTheRequest(handlers_of(followups))
    elif settings.redis_url:
        with needs("redis"), needs("taskiq"), needs("taskiq_redis"):
            from slocheck.reference_api.jobs.submitting import (  # noqa: PLC0415 - only Redis needs it
                opened_in_redis,
            )
        async with opened_in_redis(settings.redis_url, metrics) as jobs:
            yield jobs
    else:
        local = LocalJobs(handlers_of(followups), given_up_in(followups), retries=Retries(), metrics=metrics)
        try:
            async with meanwhile(relay(followups, local)):
                yield local
        finally:
            await local.close()
