"""Coordinators and workers of a test: the real command line, on loopback or in network namespaces."""

import asyncio
import contextlib
import signal
import socket
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

import psutil

from slocheck.load.messaging.token_files import make_token_files
from tests.e2e.support.loop_server import LoopServer
from tests.support.waiting import DEADLINE_S

PORT = 5557
RESPONSE = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


class Target(LoopServer):
    """An HTTP server on a listening socket, which counts the requests of each address.

    Attributes:
        counts: Requests by client address.
    """

    def __init__(self, listener: socket.socket) -> None:
        """Take the socket, which may be of another namespace."""
        super().__init__(listener)
        self.counts: Counter[str] = Counter()
        host, port = listener.getsockname()[:2]
        self.url = f"http://{host}:{port}"

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Respond to each request with the same two bytes."""
        address = writer.get_extra_info("peername")[0]
        with contextlib.closing(writer):
            while (await reader.readuntil(b"\r\n\r\n")).startswith(b"GET "):
                self.counts[address] += 1
                writer.write(RESPONSE)
                await writer.drain()


class Command:
    """A running command line, whose output is kept."""

    def __init__(
        self, words: Sequence[str | Path], *, cwd: Path, name: str, env: dict[str, str] | None = None
    ) -> None:
        """Start it; stdout and stderr go to files in `cwd`."""
        self._out, self._err = cwd / f"{name}.out", cwd / f"{name}.err"
        with self._out.open("w") as out, self._err.open("w") as err:
            self.process = psutil.Popen(
                list(map(str, words)),
                cwd=cwd,
                stdout=out,
                stderr=err,
                stdin=subprocess.DEVNULL,
                env=env,
            )

    @property
    def out(self) -> str:
        """What it wrote to stdout."""
        return self._out.read_text()

    @property
    def err(self) -> str:
        """What it wrote to stderr, as one line."""
        return " ".join(self._err.read_text().split())

    def wait(self, within_s: float = DEADLINE_S) -> int:
        """Return its exit code; fails with what it said."""
        try:
            return int(self.process.wait(within_s))
        except psutil.TimeoutExpired:
            raise AssertionError(f"still running after {within_s:g} s: {self.out} {self.err}") from None

    def family(self) -> list[psutil.Process]:
        """Return the process with all of its descendants, itself first."""
        with contextlib.suppress(psutil.NoSuchProcess):
            return [self.process, *self.process.children(recursive=True)]
        return []

    def signal(self, number: signal.Signals) -> None:
        """Send a signal to all of its processes."""
        for process in self.family():
            with contextlib.suppress(psutil.NoSuchProcess):
                process.send_signal(number)

    def end(self) -> None:
        """Kill what is left of it."""
        self.signal(signal.SIGKILL)
        self.process.wait()


def slocheck_words(*words: str | Path, prefix: Sequence[str] = ()) -> list[str | Path]:
    """Return a command line of slocheck."""
    return [*prefix, sys.executable, "-m", "slocheck", *words]


def first_on_path(folder: Path) -> list[str]:
    """Return the words that run a command line with a folder first on its module path."""
    return ["env", f"PYTHONPATH={folder}:{Path(__file__).parents[3]}"]


@contextlib.contextmanager
def commands() -> Iterator[list[Command]]:
    """Yield a list; what was put into it does not outlive the block."""
    started: list[Command] = []
    try:
        yield started
    finally:
        for command in started:
            command.end()


def tokens(folder: Path, name: str = "run") -> tuple[Path, Path]:
    """Make a pair of token files: the coordinator's and the workers'."""
    pair = folder / f"{name}-coordinator.token", folder / f"{name}-worker.token"
    make_token_files(*pair)
    return pair
