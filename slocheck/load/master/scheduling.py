"""Keeping the processes around the load out of its way, on a machine where they share a core with it."""

import contextlib
import gc
import os
from collections.abc import Iterator


def step_back() -> None:
    """Keep the calling thread from interrupting a running one when it wakes up, if the system can.

    A batch thread waits until the running one sleeps or has had its share; its own threads do the same.
    """
    _schedule("SCHED_BATCH")


@contextlib.contextmanager
def loading() -> Iterator[None]:
    """Let no collection go through what is imported in this block, now or later: it stays until the end."""
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        gc.enable()


@contextlib.contextmanager
def behind_the_load() -> Iterator[None]:
    """Lower this process's priority during the load, and exclude existing objects from garbage collection."""
    step_back()
    gc.freeze()
    try:
        yield
    finally:
        gc.unfreeze()
        _schedule("SCHED_OTHER")


def _schedule(policy: str) -> None:
    number = getattr(os, policy, None)
    if number is not None:
        with contextlib.suppress(OSError):  # such as in a container that does not allow it
            os.sched_setscheduler(0, number, os.sched_param(0))
