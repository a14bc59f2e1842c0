"""JSON lines from the master to the CLI, written by a greenlet: a slow reader stalls nothing else."""

import json
from typing import Any

import gevent
from gevent import os as green_os
from gevent.queue import JoinableQueue


class LineWriter:
    """The writing end."""

    def __init__(self, fd: int) -> None:
        self._fd = fd
        self._waiting: JoinableQueue = JoinableQueue()
        green_os.make_nonblocking(fd)
        gevent.spawn(self._write)

    def send(self, kind: str, **fields: Any) -> None:  # any JSON
        """Queue one line."""
        self._waiting.put(json.dumps({"kind": kind, **fields}).encode() + b"\n")

    def flush(self, timeout_s: float) -> None:
        """Wait until all lines are written, at most `timeout_s` seconds."""
        self._waiting.join(timeout=timeout_s)

    def _write(self) -> None:
        while True:
            line = self._waiting.get()
            while line:
                line = line[green_os.nb_write(self._fd, line) :]
            self._waiting.task_done()
