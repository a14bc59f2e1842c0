"""The worker processes of this machine, forked by the process that imported Locust."""

import os
import signal
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import replace
from typing import Any

import gevent
import gevent.os

from slocheck.load.messaging import protocol
from slocheck.load.messaging.messages import WorkerSettings


class WorkerProcesses:
    """The worker processes; they end when the pipe that is their standard input closes.

    Attributes:
        ids: Their process ids.
    """

    def __init__(self) -> None:
        self.ids: list[int] = []
        self._pipes: list[int] = []
        self._codes: dict[int, int] = {}

    def fork(self, count: int) -> bool:
        """Fork the workers; each waits for its settings. Returns whether this process is the master.

        The workers share what the master has imported, so a run imports Locust only once. Call it before the
        scenario is loaded, of which nothing may be shared.
        """
        for _ in range(count):
            reading, writing = os.pipe()
            self._pipes.append(writing)
            pid = gevent.os.fork_and_watch(self._note_end)
            if pid == 0:
                _become_worker(reading, self._pipes)
                return False
            os.close(reading)
            self.ids.append(pid)
        return True

    def _note_end(self, watcher: Any) -> None:
        self._codes[watcher.pid] = os.waitstatus_to_exitcode(watcher.rstatus)

    def set_up(self, settings: WorkerSettings) -> None:
        """Send each process its settings, with indices from the given one on."""
        for number, pipe in enumerate(self._pipes):
            line = protocol.encode_line(replace(settings, index=settings.index + number))
            with suppress(BrokenPipeError):
                while line:
                    line = line[os.write(pipe, line) :]

    def ended(self) -> list[tuple[int, int]]:
        """Return index and exit code of each process that has ended; negative for a signal."""
        return [(index, self._codes[pid]) for index, pid in enumerate(self.ids) if pid in self._codes]

    def stop(self, within_s: float) -> None:
        """Wait for the processes to end, then kill those that are left."""
        with gevent.Timeout(within_s, False):  # noqa: FBT003 - gevent's way to say: do not raise
            self._wait()
        for pid in self.ids:
            if pid not in self._codes:
                os.kill(pid, signal.SIGKILL)
        self._wait()

    def _wait(self) -> None:
        while len(self._codes) < len(self.ids):
            gevent.sleep(0.02)


def _become_worker(stdin: int, others: Iterable[int]) -> None:
    """Use a pipe as standard input, and close the pipes of the master and of other workers."""
    os.dup2(stdin, 0)
    os.dup2(2, 1)
    for pipe in (stdin, *others):
        os.close(pipe)
