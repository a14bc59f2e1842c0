"""The master process as the command line sees it: lines in, lines out, and no process left at the end."""

import contextlib
import os
import queue
import signal
import subprocess
import threading
from collections.abc import Callable
from typing import BinaryIO

from slocheck.evidence.warnings import RunWarning
from slocheck.load.launch import PROXIES
from slocheck.load.master.scheduling import step_back
from slocheck.load.messaging.messages import Command, Progress
from slocheck.load.messaging.protocol import ProtocolError, decode_progress, encode_line
from slocheck.masking import mask_urls

TAIL_BYTES = 1 << 16
JOIN_S = 1.0
_INFORMATION = ("INFO ", "DEBUG ")


def proxy_warnings() -> tuple[RunWarning, ...]:
    """Return a warning if the environment names proxies."""
    named = sorted(key for key, value in os.environ.items() if value and key.lower() in PROXIES)
    if not named:
        return ()
    text = f"{', '.join(named)}: proxies are ignored, the load goes straight to its target"
    return (RunWarning("proxy-ignored", text),)


class MasterProcess:
    """The master in its own process group, to which its workers also belong.

    Attributes:
        pid: Process id of the master; also the id of the process group.
    """

    def __init__(
        self, process: subprocess.Popen[bytes], on_output: Callable[[bytes], None] = lambda _block: None
    ) -> None:
        """Take a process that was started by `launch`."""
        self._process = process
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        assert self._process.stderr is not None
        self.pid = self._process.pid
        self._stdin = self._process.stdin.fileno()
        self._messages: queue.SimpleQueue[Progress | None] = queue.SimpleQueue()
        self._tail = b""
        self._on_output = on_output
        self._ended = False
        self._threads = [
            threading.Thread(target=self._read_messages, args=(self._process.stdout,), daemon=True),
            threading.Thread(target=self._read_tail, args=(self._process.stderr,), daemon=True),
        ]
        for thread in self._threads:
            thread.start()

    def _read_messages(self, stdout: BinaryIO) -> None:
        step_back()
        for line in stdout:
            try:
                self._messages.put(decode_progress(line))
            except ProtocolError:
                break  # a line cut off by the master's death
        self._messages.put(None)

    def _read_tail(self, stderr: BinaryIO) -> None:
        while block := os.read(stderr.fileno(), 1 << 16):
            self._tail = (self._tail + block)[-TAIL_BYTES:]
            self._on_output(block)

    def send(self, command: Command) -> None:
        """Write one command; a master that has ended is noticed when its messages are read."""
        line = encode_line(command)
        with contextlib.suppress(BrokenPipeError):
            while line:
                line = line[os.write(self._stdin, line) :]

    def receive(self, timeout_s: float) -> Progress | None:
        """Return the next message; None once the master has closed its end. Raises queue.Empty."""
        if self._ended:
            return None
        message = self._messages.get(timeout=max(0.0, timeout_s))
        self._ended = message is None
        return message

    def complaint(self) -> str:
        """Return the last line that the children wrote, log messages of level INFO left out; foreign text."""
        lines = self._tail.decode(errors="replace").strip().splitlines()
        shown = (line for line in reversed(lines) if not line.startswith(_INFORMATION))
        return mask_urls(next(shown, ""))

    def exit_code(self) -> int:
        """Return the exit code once `receive` has returned None; below 0 for a signal, or for none yet."""
        try:
            return self._process.wait(timeout=2)
        except subprocess.TimeoutExpired:
            return -signal.SIGSTOP

    def how_it_ended(self) -> str:
        """Say how the master ended, once `receive` has returned None."""
        code = self.exit_code()
        if code == -signal.SIGSTOP:
            return "closed its output"
        return f"was killed by signal {-code}" if code < 0 else f"ended with exit code {code}"

    def kill(self) -> None:
        """Kill the master and its workers at once; safe in a signal handler, and to call repeatedly."""
        if self._process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self.pid, signal.SIGKILL)

    def close(self, within_s: float) -> None:
        """Give the master time to end by itself, then end all processes and close all files."""
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(timeout=within_s)
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.pid, signal.SIGKILL)  # a worker may have outlived the master
        self._process.wait()
        assert self._process.stdin is not None
        with contextlib.suppress(BrokenPipeError):
            self._process.stdin.close()
        for thread, pipe in zip(self._threads, (self._process.stdout, self._process.stderr), strict=True):
            thread.join(JOIN_S)
            if pipe is not None and not thread.is_alive():  # alive: a daemon of the scenario holds it open
                pipe.close()
