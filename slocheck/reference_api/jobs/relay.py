"""Submits again what is noted in the database as not done, long after it was submitted.

The queue has lost these jobs: the process died before it submitted them, Redis was gone, or it came back
empty. A job that is only late is submitted twice, and done once.
"""

import asyncio

from slocheck.reference_api.jobs import Jobs, QueueUnavailable
from slocheck.reference_api.shop.followups import FULFIL, Followups, job_of
from slocheck.reference_api.shop.repository import Unavailable

OVERDUE_AFTER_S = 60.0
"""Longer than all attempts of a job take: a job that is being tried is not overdue."""

_AT_ONCE = 100


async def relay(followups: Followups, jobs: Jobs, *, overdue_after_s: float = OVERDUE_AFTER_S) -> None:
    """Look for overdue jobs periodically, until cancelled.

    Args:
        followups: Where it is noted.
        jobs: The queue.
        overdue_after_s: Age in seconds; it is looked for ten times as often.
    """
    while True:
        try:
            for order in await followups.overdue(overdue_after_s, _AT_ONCE):
                await jobs.submit(FULFIL, job_of(order))
        except (Unavailable, QueueUnavailable):
            pass  # what was taken is overdue again later
        await asyncio.sleep(overdue_after_s / 10)
