"""Tasks that run next to the requests, and reliably end."""

import asyncio
import logging
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager

_PATIENCE_S = 0.5
_log = logging.getLogger(__name__)


def begin(work: Coroutine[object, object, None]) -> asyncio.Task[None]:
    """Run `work`; if it fails, which it should not, that is logged at once, not when the process ends."""
    task = asyncio.create_task(work)
    task.add_done_callback(_tell)
    return task


def _tell(task: asyncio.Task[None]) -> None:
    if not task.cancelled() and task.exception() is not None:
        _log.error("%s has failed and has stopped", task.get_coro(), exc_info=task.exception())


async def end(task: asyncio.Task[None]) -> None:
    """Cancel a task until it has ended.

    Once is not enough: under Python 3.11 a client library's timeout may mistake the cancellation for its
    own, if both come at the same moment; then the task goes on, and its waiters wait for ever.
    """
    while not task.done():
        task.cancel()
        await asyncio.wait([task], timeout=_PATIENCE_S)


@asynccontextmanager
async def meanwhile(work: Coroutine[object, object, None]) -> AsyncIterator[None]:
    """Run `work` for as long as the block does."""
    task = begin(work)
    try:
        yield
    finally:
        await end(task)
