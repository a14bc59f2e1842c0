"""``slocheck worker`` as its command line sees it: one process that joins a run, and reports on it."""

import queue
import time
from collections.abc import Callable
from typing import Self

from slocheck.errors import GeneratorError
from slocheck.load.launch import start_master
from slocheck.load.master_process import MasterProcess
from slocheck.load.messaging.machine_messages import JoinRun, LeaveRun, MachineDone, ProgressLine

LEAVE_S = 8.0
"""Seconds that leaving in order may take: the coordinator ends the run first."""


class MachineEngine:
    """Takes part in one run; `leave` and `kill` may come from a signal handler.

    Use it as a context manager: whatever happens, no child process outlives it.
    """

    def __init__(
        self,
        join: JoinRun,
        tell: Callable[[str], object],
        on_output: Callable[[bytes], None] = lambda _block: None,
    ) -> None:
        """Take what to join, and functions that show what happens and what the scenario prints."""
        self._join, self._tell, self._on_output = join, tell, on_output
        self._process: MasterProcess | None = None
        self._leave_until: float | None = None

    def __enter__(self) -> Self:
        self._process = MasterProcess(start_master(), self._on_output)
        return self

    def __exit__(self, *_: object) -> None:
        process, self._process = self._process, None
        if process is not None:
            process.close(0.0)

    def run(self) -> MachineDone:
        """Join and take part until the end; raises GeneratorError if the process ends without a message."""
        process = self._process
        assert process is not None
        process.send(self._join)
        while True:
            try:
                message = process.receive(0.1)
            except queue.Empty:
                if self._leave_until is not None and time.monotonic() > self._leave_until:
                    process.kill()
                continue
            match message:
                case ProgressLine(text):
                    self._tell(text)
                case MachineDone():
                    return message
                case _:
                    complaint = f": {text}" if (text := process.complaint()) else ""
                    raise GeneratorError(f"the process of this worker {process.how_it_ended()}{complaint}")

    def leave(self, why: str) -> None:
        """Leave the run in order: the coordinator ends it, and what was recorded here is kept there."""
        if self._leave_until is None:
            self._leave_until = time.monotonic() + LEAVE_S
            if self._process is not None:
                self._process.send(LeaveRun(why))

    def kill(self) -> None:
        """End at once."""
        if self._process is not None:
            self._process.kill()
