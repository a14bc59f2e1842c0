"""Single flight: of many requests in this process that need the same thing, one gets it for all."""

import asyncio
from collections.abc import Callable, Coroutine, Hashable
from typing import Any, Generic, TypeVar

MOST_WAITERS = 1_000
LONGEST_WAIT_S = 15.0

T = TypeVar("T")


class OverloadedError(Exception):
    """Too many wait for one thing, or it takes too long: respond with 503, so that clients retry later."""


class SingleFlight(Generic[T]):
    """Work that is being done now, by key.

    The work belongs to no request: it goes on when the one that started it is cancelled, and its error
    reaches all waiting requests.

    Args:
        most_waiters: Requests that may wait for one piece of work.
        longest_wait: Seconds that one waits.
    """

    def __init__(self, *, most_waiters: int = MOST_WAITERS, longest_wait: float = LONGEST_WAIT_S) -> None:
        self._most_waiters = most_waiters
        self._longest_wait = longest_wait
        self._tasks: dict[Hashable, asyncio.Task[T]] = {}
        self._waiters: dict[Hashable, int] = {}

    def in_flight(self, key: Hashable) -> bool:
        """Whether the work under `key` is being done."""
        return key in self._tasks

    async def join(self, key: Hashable, work: Callable[[], Coroutine[Any, Any, T]]) -> tuple[T, bool]:
        """Start `work`, or await what runs under `key`; returns its result and whether it was started here.

        Raises:
            OverloadedError: `most_waiters` wait already, or `longest_wait` is over.
        """
        task = self._tasks.get(key)
        started = task is None
        if task is None:
            task = self._start(key, work)
        elif self._waiters[key] >= self._most_waiters:
            raise OverloadedError(f"{self._most_waiters} requests wait for {key} already")
        self._waiters[key] += 1
        try:
            async with asyncio.timeout(self._longest_wait):
                return await asyncio.shield(task), started
        except TimeoutError:
            if task.done():  # at the last moment, or what was raised is the work's own timeout
                return task.result(), started
            raise OverloadedError(f"{key} took longer than {self._longest_wait:g} s") from None
        finally:
            if self._tasks.get(key) is task:
                self._waiters[key] -= 1

    def _start(self, key: Hashable, work: Callable[[], Coroutine[Any, Any, T]]) -> asyncio.Task[T]:
        task = asyncio.create_task(work())
        self._tasks[key] = task
        self._waiters[key] = 0

        def land(done: asyncio.Task[T]) -> None:
            del self._tasks[key], self._waiters[key]
            if not done.cancelled():
                done.exception()  # retrieved, also if no request waits any more

        task.add_done_callback(land)
        return task
