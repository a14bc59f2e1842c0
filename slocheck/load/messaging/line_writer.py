"""Lines from the master to the command line, written by a greenlet so that a slow reader delays nothing."""

import gevent
from gevent import os as green_os
from gevent.queue import JoinableQueue

from slocheck.load.messaging.messages import Progress
from slocheck.load.messaging.protocol import encode_line


class LineWriter:
    """The writing end."""

    def __init__(self, fd: int) -> None:
        self._fd = fd
        self._waiting: JoinableQueue = JoinableQueue()
        green_os.make_nonblocking(fd)
        gevent.spawn(self._write)

    def send(self, message: Progress) -> None:
        """Queue one message."""
        self._waiting.put(encode_line(message))

    def flush(self, timeout_s: float) -> None:
        """Wait until all lines are written, at most `timeout_s` seconds."""
        self._waiting.join(timeout=timeout_s)

    def _write(self) -> None:
        while True:
            line = self._waiting.get()
            while line:
                line = line[green_os.nb_write(self._fd, line) :]
            self._waiting.task_done()
