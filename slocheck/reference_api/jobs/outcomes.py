"""What happens to a job after an attempt: done, retried later, or kept as failed.

taskiq's own middleware for retries is not used: its exponential delay is ``delay * attempt``, which grows by
the same step each time, and its delayed jobs need a scheduler, of which there may be only one.
"""

import random
import time

from taskiq import TaskiqMessage, TaskiqMiddleware, TaskiqResult

from slocheck.reference_api.jobs import GivenUp
from slocheck.reference_api.jobs.backoff import Retries
from slocheck.reference_api.jobs.queue import FailedJob, Queue
from slocheck.reference_api.observability.metrics import JobMetrics

ATTEMPT = "attempt"
"""The label with the number of the attempt, from 1."""


class Outcomes(TaskiqMiddleware):
    """Decides after each attempt; what it raises leaves the job unacknowledged, so it is handed out again.

    Args:
        queue: Where jobs wait for their next attempt, and failed ones are kept.
        retries: How often and when.
        metrics: Counts how each attempt ended: ``done``, ``retried`` or ``failed``.
        given_up: Called for each job that failed for good, before it is acknowledged.
    """

    def __init__(self, queue: Queue, retries: Retries, metrics: JobMetrics, given_up: GivenUp) -> None:
        super().__init__()
        self._queue = queue
        self._retries = retries
        self._jobs = metrics.jobs
        self._given_up = given_up
        self._chance = random.Random()  # noqa: S311 - spreads load, guards nothing

    async def on_error(
        self, message: TaskiqMessage, result: TaskiqResult[object], exception: BaseException
    ) -> None:
        """Try again later, or keep the job as failed."""
        del result
        attempt = int(message.labels.get(ATTEMPT, 1))
        delay = self._retries.after(attempt, self._chance.random())
        if delay is None:
            await self._give_up(message, attempt, f"{type(exception).__name__}: {exception}")
            return
        await self._queue.delay(self._as_bytes(message, attempt + 1), delay)
        self._jobs.labels(message.task_name, "retried").inc()

    async def post_execute(self, message: TaskiqMessage, result: TaskiqResult[object]) -> None:
        """Count what is done."""
        if not result.is_err:
            self._jobs.labels(message.task_name, "done").inc()

    async def lost(self, data: bytes, deliveries: int) -> bool:
        """Give up a job with which too many workers have died: it may be the cause."""
        if deliveries < self._retries.attempts:
            return False
        message = self.broker.formatter.loads(data)
        await self._give_up(message, deliveries, "the worker died with it each time")
        return True

    async def _give_up(self, message: TaskiqMessage, attempts: int, error: str) -> None:
        payload = message.args[0] if message.args else {}
        await self._queue.keep_failed(
            FailedJob(
                id=message.task_id,
                name=message.task_name,
                payload=payload,
                attempts=attempts,
                error=error,
                failed_at=time.time(),
                message=self._as_bytes(message, 1).decode(),
            )
        )
        await self._given_up(message.task_name, payload)
        self._jobs.labels(message.task_name, "failed").inc()

    def _as_bytes(self, message: TaskiqMessage, attempt: int) -> bytes:
        labels = {**message.labels, ATTEMPT: attempt}
        again = message.model_copy(update={"labels": labels, "labels_types": None})
        return self.broker.formatter.dumps(again).message
