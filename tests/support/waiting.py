"""Waiting for a condition, with a deadline: tests never sleep for a guessed time."""

import time
from collections.abc import Callable

POLL_S = 0.02


def wait_until(condition: Callable[[], object], *, deadline: float) -> None:
    """Return as soon as `condition` holds; fail after `deadline` seconds."""
    end = time.monotonic() + deadline
    while not condition():
        if time.monotonic() > end:
            raise AssertionError(f"{condition} did not hold within {deadline:g} s")
        time.sleep(POLL_S)
