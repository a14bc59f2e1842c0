"""A child's standard input: a pipe from its parent that carries lines, and ends the child when it closes.

A thread of the operating system reads it, not a greenlet, so neither an endless loop in a Locust file nor
a blocked event loop keeps a child alive after its parent has ended.
"""

import io
import os
import sys
from collections.abc import Callable

from gevent import monkey

PARENT_GONE = 71
_start_thread = monkey.get_original("_thread", "start_new_thread")


class ParentPipe:
    """The reading end."""

    def __init__(self, fd: int = 0) -> None:
        self._fd = fd
        self._rest = b""

    def line(self) -> bytes:
        """Return the next line; ends the process if the parent has ended."""
        blocks, block = [], self._rest
        while b"\n" not in block:  # each block is looked at once: a line may hold all files of a scenario
            blocks.append(block)
            block = os.read(self._fd, 65536)
            if not block:
                os._exit(PARENT_GONE)
        end, self._rest = block.split(b"\n", 1)
        return b"".join((*blocks, end))

    def watch(self, take: Callable[[bytes], object]) -> None:
        """Pass further lines to `take`, in the other thread; end the process when the parent has ended."""
        _start_thread(self._forever, (take,))

    def _forever(self, take: Callable[[bytes], object]) -> None:
        while True:
            take(self.line())


def take_stdout() -> int:
    """Return a private copy of standard output, and send whatever is printed from now on to stderr."""
    sys.stdout.flush()
    private = os.dup(1)
    os.dup2(2, 1)
    show_lines()
    return private


def show_lines() -> None:
    """Write each line that a scenario prints immediately, even if it cannot be encoded."""
    for stream in (sys.stdout, sys.stderr):
        assert isinstance(stream, io.TextIOWrapper)
        stream.reconfigure(line_buffering=True, errors="backslashreplace")
