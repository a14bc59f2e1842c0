"""Jobs: what the response does not need is put into a queue, and done by workers after it.

A customer waits for the order to be stored, not for what follows from it. The naive form does all of it in
the request, so the slowest part decides how long the customer waits, and a part that fails fails the order.
A queue that hands a job out and forgets it is no better: a worker that dies takes the job with it.

Here a job is handed out at least once: it stays in a stream of Redis until its worker acknowledges it, and
that of a dead worker is handed to another. A job that fails is tried again after a growing delay, and kept
after its last attempt. As a job may run twice, its handler has to do its work once (`shop.followups`). And
as a queue in memory may be lost altogether, what is due is noted in the database, and submitted again.

In production: a Redis of its own for the queue, with a log on disk and without eviction; an alert on the age
of the oldest job, which grows when workers are too few, and on failed jobs.
"""

from collections.abc import Awaitable, Callable, Mapping
from typing import Protocol

from slocheck.reference_api.shop.repository import Row

Handler = Callable[[Row], Awaitable[object]]
"""Does one job; it may be called again with the same payload, even concurrently."""

Handlers = Mapping[str, Handler]
"""Name of a job to its handler."""


GivenUp = Callable[[str, Row], Awaitable[None]]
"""Called with name and payload of a job that failed for good."""


class QueueUnavailable(Exception):  # noqa: N818 - a state of the queue, as that of the database
    """The queue is unavailable; the job was not accepted, as far as is known."""


class Jobs(Protocol):
    """Accepts jobs."""

    async def submit(self, name: str, payload: Row) -> None:
        """Put a job into the queue; raises QueueUnavailable."""

    async def close(self) -> None:
        """Close the connections."""
