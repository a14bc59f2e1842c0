"""Start and stop the reference API in a process of its own."""

import contextlib
import json
import subprocess
import sys
import time
from collections.abc import Sequence
from typing import Self

import httpx

from slocheck.errors import TargetError, UsageError

READY_WITHIN_S = 30.0
STOP_WITHIN_S = 10.0


class ReferenceApi:
    """The reference API on loopback, up while the context is entered.

    Args:
        port: 0 for any free one.
        delays_ms: Latencies to plant, milliseconds, drawn evenly.
        error_rate: Share of requests to fail with a 500, 0..1.
        seed: Of the planted faults.

    Raises:
        UsageError: On entering, when the port is taken.
        TargetError: On entering, when it does not get ready.
    """

    def __init__(
        self, *, port: int = 0, delays_ms: Sequence[float] = (), error_rate: float = 0.0, seed: int = 0
    ) -> None:
        self._port = port
        self._options = ["--error-rate", str(error_rate), "--seed", str(seed), "--delays-ms"]
        self._options += [str(delay) for delay in delays_ms]
        self._process: subprocess.Popen[str] | None = None
        self.url = ""

    def __enter__(self) -> Self:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "slocheck.demo", "--port", str(self._port), *self._options],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        try:
            self._wait_until_ready(self._process)
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def _wait_until_ready(self, process: subprocess.Popen[str]) -> None:
        """Read the port it was given and wait until it answers."""
        said = json.loads((process.stdout.readline() if process.stdout else "") or "{}")
        if "port" not in said:
            reason = said.get("error", "it did not start")
            raise UsageError(f"the reference API cannot listen on port {self._port}: {reason}; use --port N")
        self.url = f"http://127.0.0.1:{said['port']}"
        deadline = time.monotonic() + READY_WITHIN_S
        while time.monotonic() < deadline and process.poll() is None:
            with contextlib.suppress(httpx.TransportError):
                httpx.get(f"{self.url}/health", trust_env=False)
                return
        raise TargetError(f"the reference API on {self.url} did not get ready in {READY_WITHIN_S:g} s")

    def wait(self) -> None:
        """Block until the process ends by itself."""
        if self._process:
            self._process.wait()

    def stop(self) -> None:
        """End the process; may be called more than once."""
        process, self._process = self._process, None
        if process is None:
            return
        process.terminate()
        try:
            process.wait(STOP_WITHIN_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        for pipe in (process.stdin, process.stdout):
            if pipe:
                pipe.close()
