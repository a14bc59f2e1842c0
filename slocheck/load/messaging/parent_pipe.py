"""A child's standard input is its lifeline: it brings lines, and its end is the child's end.

It is read by a thread of the operating system, not by a greenlet: neither an endless loop in a Locust
file nor a blocked event loop keeps a child alive once its parent is gone.
"""

import json
import os
import sys
from collections.abc import Callable
from typing import Any

from gevent import monkey

PARENT_GONE = 71
_start_thread = monkey.get_original("_thread", "start_new_thread")


class ParentPipe:
    """The reading end."""

    def __init__(self, fd: int = 0) -> None:
        self._fd = fd
        self._rest = b""

    def line(self) -> dict[str, Any]:
        """Return the next line, decoded; ends the process when the parent is gone."""
        while b"\n" not in self._rest:
            block = os.read(self._fd, 65536)
            if not block:
                os._exit(PARENT_GONE)
            self._rest += block
        line, self._rest = self._rest.split(b"\n", 1)
        decoded: dict[str, Any] = json.loads(line)
        return decoded

    def watch(self, take: Callable[[dict[str, Any]], object]) -> None:
        """Hand each further line to `take`, in the other thread; end the process at once at the end."""
        _start_thread(self._forever, (take,))

    def _forever(self, take: Callable[[dict[str, Any]], object]) -> None:
        while True:
            take(self.line())


def take_stdout() -> int:
    """Return a private copy of standard output, and send whatever is printed from now on to stderr."""
    sys.stdout.flush()
    private = os.dup(1)
    os.dup2(2, 1)
    return private
