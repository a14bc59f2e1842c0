"""Which processes still run, and an end for those that a test starts."""

import subprocess
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import AnyStr

import psutil


@contextmanager
def ending(process: subprocess.Popen[AnyStr]) -> Iterator[subprocess.Popen[AnyStr]]:
    """Yield a process; after the block it has ended and its pipes are closed, whatever happened in there.

    What a failed test leaves open would be reported in a later one, which has nothing to do with it.
    """
    with process:
        try:
            yield process
        finally:
            process.kill()


def running(processes: Iterable[psutil.Process]) -> list[psutil.Process]:
    """Return those that still run; one that is gone, or dead and not yet reaped, does not."""
    return [process for process in processes if _runs(process)]


def _runs(process: psutil.Process) -> bool:
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:  # it ended in between
        return False
