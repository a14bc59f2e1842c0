"""Several processes behind one port: a parent binds the socket, starts workers and replaces the dead.

The workers accept from one socket, so a connection that waits in it is not lost with a worker. Each serves
the same shop: the database is shared, the cache in the process is not. Their metrics are added up.

The idea: Python code runs on one core at a time, so one process per core multiplies the served
requests, and one that dies takes only its own requests with it.

What goes wrong with the naive form: dead workers are not replaced; one that dies at its start is
started again and again; each has a pool, and together they open more connections than the database allows;
and what one keeps in memory is unknown to the others.

In production: one process per container and an orchestrator's replicas, which also survive a lost machine.
"""

import os
import select
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Sequence

from prometheus_client.multiprocess import mark_process_dead

from slocheck.errors import UsageError
from slocheck.reference_api.observability.exposition import FOLDER
from slocheck.reference_api.serving import ENDING, GRACE_S, say, url_of

_SHORT_LIFE_S = 1.0
MOST_SHORT_LIVES = 3
"""Workers that end so soon after their start, one after the other, would go on ending."""


class ApiWorkers:
    """The workers of one parent.

    Args:
        arguments: Options of each, without the socket.
        listener: The bound socket.
        metrics: Folder in which they keep their metrics.
    """

    def __init__(self, arguments: Sequence[str], listener: socket.socket, metrics: str) -> None:
        self._command = [sys.executable, "-m", "slocheck.reference_api", *arguments]
        self._command += ["--end-with-stdin", "--listener", str(listener.fileno())]
        self._listener = listener
        self._environment = {**os.environ, FOLDER: metrics}
        self._metrics = metrics
        self._running: dict[int, tuple[subprocess.Popen[bytes], float]] = {}
        self._short_lives = 0

    def start(self, count: int) -> None:
        """Start this many at once and wait until each serves; raises UsageError with a worker's error."""
        for process in [self._start() for _ in range(count)]:
            assert process.stdout is not None
            line = process.stdout.readline()
            if b'"url"' not in line:
                raise UsageError(line.decode(errors="replace").strip() or "a worker did not start")

    def watch(self, *wakes: int) -> None:
        """Replace the dead until one of `wakes` can be read; raises UsageError if they keep ending."""
        while True:
            ready, _, _ = select.select([*wakes, *self._running], [], [])
            for descriptor in ready:
                if descriptor not in self._running:
                    return
                _, started = self._collect(descriptor)
                is_short = time.monotonic() - started < _SHORT_LIFE_S
                self._short_lives = self._short_lives + 1 if is_short else 0
                if self._short_lives == MOST_SHORT_LIVES:
                    raise UsageError("workers end as soon as they have started; what they said is on stderr")
                self._start()

    def stop(self) -> None:
        """Let all finish their requests, and kill those that take too long."""
        for process, _ in self._running.values():
            assert process.stdin is not None
            process.stdin.close()
        deadline = time.monotonic() + 2 * GRACE_S
        for descriptor, (process, _) in list(self._running.items()):
            try:
                process.wait(max(0.0, deadline - time.monotonic()))
            except subprocess.TimeoutExpired:
                process.kill()
            self._collect(descriptor)

    def _start(self) -> subprocess.Popen[bytes]:
        process = subprocess.Popen(
            self._command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env=self._environment,
            pass_fds=[self._listener.fileno()],
        )
        self._running[os.pidfd_open(process.pid)] = (process, time.monotonic())
        return process

    def _collect(self, descriptor: int) -> tuple[subprocess.Popen[bytes], float]:
        """Take a worker that has ended off the list, and its open gauges off the sums."""
        process, started = self._running.pop(descriptor)
        os.close(descriptor)
        process.wait()
        for stream in (process.stdin, process.stdout):
            if stream is not None:
                stream.close()
        mark_process_dead(process.pid, self._metrics)  # type: ignore[no-untyped-call]  # typed in part
        return process, started


def supervise(workers: ApiWorkers, count: int, listener: socket.socket, *, with_stdin: bool) -> None:
    """Serve with `count` workers until a signal, or the end of stdin if asked; raises UsageError."""
    reading, writing = os.pipe()
    for number in ENDING:
        if signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, lambda *_: os.write(writing, b"."))
    try:
        workers.start(count)
        say(url=url_of(listener))
        workers.watch(reading, *([0] if with_stdin else []))
    finally:
        workers.stop()
        os.close(reading)
        os.close(writing)
