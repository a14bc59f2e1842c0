"""``python -m slocheck.reference_api.stack.keeper FD``: the parent of all private servers of one stack.

The user of the servers may be interrupted or killed at any moment, even between starting a server and noting
that it did. So this small process makes the folder and starts the servers. It is told what
to do by lines of JSON over the socket FD; once that ends, for whatever reason, it stops the servers, the last
started first, and removes the folder. The kernel stops the servers should even this process be killed.
"""

import ctypes
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

STOP_DEADLINE_S = 10.0
"""Seconds that a server may take to end after its signal; then it is killed."""

_POLL_S = 0.01
_SET_PARENT_DEATH_SIGNAL = 1

Request = dict[str, Any]


class Child:
    """One server, in its own session; it is not reaped before `stop`, so its pid stays its own."""

    def __init__(self, request: Request) -> None:
        self._signal: int = request["signal"]
        user: str | None = request["user"]
        with Path(request["log"]).open("ab") as log:
            self._process = subprocess.Popen(
                request["command"],
                stdin=subprocess.PIPE,  # a server that ends with its standard input lives until `stop`
                stdout=log,
                stderr=subprocess.STDOUT,
                cwd=request["folder"],
                env={**os.environ, **request["environment"]},
                start_new_session=True,
                user=user,
                group=user,
                extra_groups=[] if user else None,
                preexec_fn=_dies_with_parent(self._signal),  # noqa: PLW1509 - this process has one thread
            )

    @property
    def pid(self) -> int:
        """Process id."""
        return self._process.pid

    def code(self) -> int | None:
        """Return the exit code, negative after a signal; None while it runs."""
        if self._process.returncode is not None:
            return self._process.returncode
        ended = os.waitid(os.P_PID, self.pid, os.WEXITED | os.WNOWAIT | os.WNOHANG)
        if ended is None:
            return None
        return ended.si_status if ended.si_code == os.CLD_EXITED else -ended.si_status

    def send(self, number: int) -> None:
        """Send a signal, if it still runs."""
        if self.code() is None:
            os.kill(self.pid, number)

    def stop(self) -> int:
        """End it and what it left in its process group; returns its exit code. Idempotent."""
        if self._process.returncode is None:
            assert self._process.stdin is not None
            self._process.stdin.close()
            self.send(self._signal)
            self.send(signal.SIGCONT)
            deadline = time.monotonic() + STOP_DEADLINE_S
            while self.code() is None and time.monotonic() < deadline:
                time.sleep(_POLL_S)
            os.killpg(self.pid, signal.SIGKILL)
            self._process.wait()
        return self._process.returncode


class Keeper:
    """The folder and the servers; one method for each request."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._children: dict[int, Child] = {}

    def respond(self, request: Request) -> dict[str, object]:
        """Carry out a request; failures are returned as errors."""
        todo: dict[str, Callable[[Request], dict[str, object]]] = {
            "start": self._start,
            "code": lambda asked: {"code": self._children[asked["pid"]].code()},
            "signal": self._signal,
            "stop": lambda asked: {"code": self._children[asked["pid"]].stop()},
        }
        try:
            return todo[request["do"]](request)
        except (OSError, subprocess.SubprocessError) as error:
            return {"error": str(error)}

    def _start(self, request: Request) -> dict[str, object]:
        child = Child(request)
        self._children[child.pid] = child
        return {"pid": child.pid}

    def _signal(self, request: Request) -> dict[str, object]:
        self._children[request["pid"]].send(request["signal"])
        return {}

    def close(self) -> None:
        """Stop the servers in reverse order and remove the folder."""
        for child in reversed(self._children.values()):
            child.stop()
        remove(self._folder)


def remove(folder: Path) -> None:
    """Remove a folder and all in it; a server that was just killed may still be writing a file."""
    deadline = time.monotonic() + STOP_DEADLINE_S
    while folder.exists() and time.monotonic() < deadline:
        shutil.rmtree(folder, ignore_errors=True)
        time.sleep(_POLL_S)


def _dies_with_parent(number: int) -> Callable[[], None]:
    """Return what a child does before it becomes the server: ask the kernel for a signal once we are gone."""
    prctl = ctypes.CDLL(None, use_errno=True).prctl

    def ask() -> None:
        prctl(_SET_PARENT_DEATH_SIGNAL, number)

    return ask


def main() -> int:
    """Serve requests until the socket ends; the first line is the folder's name."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        # not SIG_IGN, which the servers would inherit
        signal.signal(number, lambda *_: None)
    folder = Path(tempfile.mkdtemp(prefix="slocheck-stack-"))
    keeper = Keeper(folder)
    try:
        folder.chmod(0o711)  # servers that run as another user pass through it to their own folders
        with socket.socket(fileno=int(sys.argv[1])) as connection, connection.makefile("rw") as lines:
            lines.write(json.dumps({"number": 0, "folder": str(folder)}) + "\n")
            lines.flush()
            for line in lines:
                request = json.loads(line)
                lines.write(json.dumps({"number": request["number"], **keeper.respond(request)}) + "\n")
                lines.flush()
    except OSError:
        pass  # the other side is gone, in the middle of a line
    finally:
        keeper.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
