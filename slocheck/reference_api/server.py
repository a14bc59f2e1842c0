"""The reference API in a separate process, for as long as a `with` block lasts."""

import json
import os
import select
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from typing import Self

import httpx

from slocheck.errors import TargetError, UsageError
from slocheck.reference_api.options import as_options
from slocheck.reference_api.settings import Settings

START_DEADLINE_S = 60.0
STOP_DEADLINE_S = 20.0


class ReferenceApi:
    """Starts the reference API on loopback, and stops it by its process id.

    It runs in its own session, so that Ctrl-C in a terminal reaches the run and not its target, and
    ends by itself when this process does.

    Args:
        port: 0 for any free one.
        delays_ms: Latencies to inject, milliseconds, dealt evenly.
        error_rate: Share of requests to fail with a 500, 0..1.
        seed: Seed of the injected faults.
        settings: Its parts and strategies; default: all strategies on the embedded parts.
    """

    def __init__(
        self,
        *,
        port: int = 0,
        delays_ms: Sequence[float] = (),
        error_rate: float = 0.0,
        seed: int = 0,
        settings: Settings | None = None,
    ) -> None:
        self._options = [
            "--end-with-stdin",
            "--port",
            str(port),
            "--error-rate",
            str(error_rate),
            "--seed",
            str(seed),
        ]
        self._options += as_options(settings or Settings())
        if delays_ms:
            self._options += ["--delays-ms", *map(str, delays_ms)]
        self._process: subprocess.Popen[bytes] | None = None
        self._url = ""
        self._folder = ""

    @property
    def url(self) -> str:
        """Base URL without a trailing slash; empty before the start."""
        return self._url

    @property
    def pid(self) -> int:
        """Process id of the API."""
        return self._started().pid

    def __enter__(self) -> Self:
        """Start it and wait until it responds.

        Raises:
            UsageError: The port is taken or the faults cannot be used.
            TargetError: It did not come up.
        """
        self._folder = tempfile.mkdtemp(prefix="slocheck-api-")
        self._process = subprocess.Popen(
            [sys.executable, "-m", "slocheck.reference_api", *self._options, "--folder", self._folder],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            start_new_session=True,
            # whichever of the two is killed, the other one removes the folder and its contents
            env={**os.environ, "TMPDIR": self._folder},
        )
        try:
            self._url = self._read_url(self._process)
            httpx.get(f"{self._url}/health", timeout=START_DEADLINE_S, trust_env=False).raise_for_status()
        except httpx.HTTPError as error:
            self.stop()
            raise TargetError(f"the reference API started but does not respond: {error}") from error
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        """Always stop it."""
        self.stop()

    def wait(self) -> int:
        """Block until the API ends by itself; returns its exit code."""
        return self._started().wait()

    def stop(self) -> None:
        """End the API: terminate it, then kill it if it stays. Stopping it twice is fine."""
        process = self._process
        if process is None:
            return
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.close()
        try:
            process.wait(STOP_DEADLINE_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        process.stdout.close()
        shutil.rmtree(self._folder, ignore_errors=True)

    def _started(self) -> subprocess.Popen[bytes]:
        if self._process is None:
            raise RuntimeError("the reference API is not started; use it in a `with` block")
        return self._process

    def _read_url(self, process: subprocess.Popen[bytes]) -> str:
        """Read the first line that the API prints; raises UsageError or TargetError."""
        line = _first_line(process)
        try:
            said = json.loads(line)
        except ValueError:
            raise TargetError(
                f"the reference API did not start within {START_DEADLINE_S:g} s; what it said is on stderr"
            ) from None
        if "error" in said:
            raise UsageError(f"reference API: {said['error']}")
        return str(said["url"])


def _first_line(process: subprocess.Popen[bytes]) -> bytes:
    """Return what is printed until the end of the first line, the end of the output, or the deadline."""
    assert process.stdout is not None
    descriptor = process.stdout.fileno()
    deadline = time.monotonic() + START_DEADLINE_S
    line = b""
    while not line.endswith(b"\n"):
        ready, _, _ = select.select([descriptor], [], [], max(0.0, deadline - time.monotonic()))
        part = os.read(descriptor, 4096) if ready else b""
        if not part:
            break
        line += part
    return line
