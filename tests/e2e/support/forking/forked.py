"""Forked processes as a test sees them: one that has imported the program is forked for each."""

import atexit
import functools
import json
import os
import select
import socket
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from slocheck.load.launch import child_environment
from tests.e2e.support.forking.server import HEADER


class Forked(subprocess.Popen[bytes]):
    """A forked process; of `subprocess.Popen` it has what needs no child of this process.

    Attributes:
        args: Its arguments.
        pid: Its process id.
        returncode: Its exit code once it was waited for, negative for a signal.
    """

    def __init__(
        self,
        address: str,
        arguments: Sequence[str],
        streams: Sequence[int],
        *,
        environment: Mapping[str, str],
        folder: Path,
        session: bool = False,
    ) -> None:
        """Ask the server at an abstract address for a process with these three standard streams."""
        self.args = ["slocheck", *arguments]
        self.stdin = self.stdout = self.stderr = None
        self.returncode = None
        asked = {
            "arguments": list(arguments),
            "environment": dict(environment),
            "folder": str(folder),
            "session": session,
        }
        text = json.dumps(asked).encode()
        self._connection = socket.socket(socket.AF_UNIX)
        self._connection.connect(f"\0{address}")
        socket.send_fds(self._connection, [HEADER.pack(len(text))], list(streams))
        self._connection.sendall(text)
        self._lines = self._connection.makefile("rb", buffering=0)
        self.pid = int(self._lines.readline())

    def poll(self) -> int | None:
        """Return the exit code, None while it runs."""
        try:
            return self.wait(0)
        except subprocess.TimeoutExpired:
            return None

    def wait(self, timeout: float | None = None) -> int:
        """Return the exit code; raises TimeoutExpired."""
        if self.returncode is None:
            if not select.select([self._lines], [], [], timeout)[0]:
                raise subprocess.TimeoutExpired(self.args, timeout or 0)
            self.returncode = int(self._lines.readline())
            self._lines.close()
            self._connection.close()
        return self.returncode


@functools.cache
def server_of(program: str) -> str:
    """Start the server of a program for as long as this process lives; returns its address."""
    address = f"tests-of-slocheck-{program}-{os.getpid()}-{time.monotonic_ns()}"
    load = [server_of("load")] if program == "command" else []
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(f"\0{address}")
        listener.listen(64)
        number = listener.fileno()
        process = subprocess.Popen(
            [sys.executable, "-P", "-m", "tests.e2e.support.forking.server", program, str(number), *load],
            stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, pass_fds=[number],
            start_new_session=True, env=child_environment(), cwd="/",
        )  # fmt: skip
    atexit.register(_end, process)
    return address


def _end(process: subprocess.Popen[bytes]) -> None:
    with process:
        assert process.stdin is not None
        process.stdin.close()


def forked_master(address: str = "") -> subprocess.Popen[bytes]:
    """Return a master as `start_master` does, forked from a process that has imported Locust.

    A master forks its workers itself, before it has loaded anything; it is no different from them.
    """
    ours, theirs = zip(*(os.pipe() if number else os.pipe()[::-1] for number in range(3)), strict=True)
    try:
        process = Forked(
            address or server_of("load"), [], theirs,
            environment=child_environment(), folder=Path.cwd(), session=True,
        )  # fmt: skip
    finally:
        for descriptor in theirs:
            os.close(descriptor)
    process.stdin = os.fdopen(ours[0], "wb", buffering=0)
    process.stdout, process.stderr = (os.fdopen(descriptor, "rb") for descriptor in ours[1:])
    return process


def forked_command(
    arguments: Sequence[str], *, cwd: Path, environment: Mapping[str, str], timeout: float
) -> subprocess.CompletedProcess[str]:
    """Run the command line in a folder to its end, forked from a process that has imported it."""
    with (
        open(os.devnull, "rb") as nothing,  # noqa: PTH123 - as a descriptor
        os.fdopen(os.memfd_create("output"), "r+", encoding="utf-8") as out,
        os.fdopen(os.memfd_create("errors"), "r+", encoding="utf-8") as said,
    ):
        streams = [nothing.fileno(), out.fileno(), said.fileno()]
        process = Forked(server_of("command"), arguments, streams, environment=environment, folder=cwd)
        try:
            code = process.wait(timeout)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            raise
        texts = []
        for file in (out, said):
            file.seek(0)
            texts.append(file.read())
    return subprocess.CompletedProcess(process.args, code, *texts)
