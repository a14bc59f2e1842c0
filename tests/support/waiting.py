"""Waiting for a condition, with a deadline: tests never sleep for a guessed time."""

import asyncio
import time
from collections.abc import Awaitable, Callable

POLL_S = 0.02
DEADLINE_S = 150.0
"""How long a server may take to start, or to notice something, while several runs share its core."""


def wait_until(condition: Callable[[], object], what: str = "", *, deadline: float = DEADLINE_S) -> None:
    """Return as soon as `condition` holds; fail after `deadline` seconds, naming `what` was waited for."""
    end = time.monotonic() + deadline
    while not condition():
        if time.monotonic() > end:
            raise AssertionError(f"{what or condition}: not within {deadline:g} s")
        time.sleep(POLL_S)


async def until(condition: Callable[[], Awaitable[object]], what: str = "") -> None:
    """As `wait_until`, for a condition that is awaited, while other tasks go on."""
    try:
        async with asyncio.timeout(DEADLINE_S):
            while not await condition():  # noqa: ASYNC110 - what it waits for may be in another process
                await asyncio.sleep(POLL_S)
    except TimeoutError:
        raise AssertionError(f"{what or condition}: not within {DEADLINE_S:g} s") from None
