"""Private servers of this process: started in their own folder, stopped and removed with it.

The usual way, a list of children that an `atexit` hook ends, leaves servers and data behind when the process
is killed, and when Ctrl-C comes between a start and the note of it. Here another process owns them: `keeper`.
In production the init system or the container engine does this.
"""

import json
import os
import pwd
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Self, TypedDict, Unpack

import psutil

from slocheck.errors import MeasurementError
from slocheck.reference_api.stack.keeper import remove

START_DEADLINE_S = 60.0
_CLOSE_DEADLINE_S = 60.0
_POLL_S = 0.02
_TAIL = 12
"""Lines of a server's log that its error shows."""
_KEEPER_GONE = "the process that keeps the private servers has ended; run the command again"


class How(TypedDict, total=False):
    """How a server is started if that differs from the default.

    Attributes:
        ready: Polled, once it listens, for whether it serves; may raise OSError for no.
        user: System user to run as, for root; None: as we are.
        stop_signal: Signal that ends it cleanly; default SIGTERM.
        environment: Variables besides ours.
    """

    ready: Callable[[], bool]
    user: str | None
    stop_signal: signal.Signals
    environment: Mapping[str, str]


class Server:
    """One running server.

    Attributes:
        name: What the stack calls it.
        port: Where it listens on 127.0.0.1; 0: nowhere.
        pid: Its process id.
        log: File with its output.
    """

    def __init__(
        self, servers: "Servers", *, name: str, port: int, pid: int, log: Path, ready: Callable[[], bool]
    ) -> None:
        self._servers = servers
        self._ready = ready
        self.name = name
        self.port = port
        self.pid = pid
        self.log = log

    def code(self) -> int | None:
        """Return the exit code, negative after a signal; None while it runs."""
        code: int | None = self._servers.ask(do="code", pid=self.pid)["code"]
        return code

    def wait(self) -> Self:
        """Wait until it listens and serves; returns it.

        Raises:
            MeasurementError: It ended, or was not ready within a minute; with the end of its log.
        """
        self._wait("was not ready", self._is_up)
        return self

    def wait_for_end(self) -> None:
        """Wait until it has ended well; raises MeasurementError with the end of its log if it did not."""
        self._wait("did not end", lambda: self.code() is not None)
        if self.code():
            raise self._error(f"ended with exit code {self.code()}")

    def _is_up(self) -> bool:
        if (code := self.code()) is not None:
            raise self._error(f"ended with exit code {code}")
        return (self.port == 0 or listens(self.pid, self.port)) and self._ready()

    def _wait(self, what: str, condition: Callable[[], bool]) -> None:
        deadline = time.monotonic() + START_DEADLINE_S
        while not _holds(condition):
            if time.monotonic() > deadline:
                raise self._error(f"{what} within {START_DEADLINE_S:g} s")
            time.sleep(_POLL_S)

    def _error(self, what: str) -> MeasurementError:
        lines = self.log.read_text(errors="replace").splitlines()[-_TAIL:]
        head = f"private server {self.name} {what}; its log ends with:"
        return MeasurementError("\n".join([head, *lines]))

    def send(self, number: signal.Signals) -> None:
        """Send a signal, if it still runs."""
        self._servers.ask(do="signal", pid=self.pid, signal=int(number))

    def stop(self) -> None:
        """Let it shut down, then kill what is left; returns when it has ended."""
        self._servers.ask(do="stop", pid=self.pid)

    def kill(self) -> None:
        """Kill it, as a crash would; returns when it has ended."""
        self.send(signal.SIGKILL)
        self.stop()


class Servers:
    """The servers of one stack; a context manager. Its methods are called from one thread.

    Leaving the block stops the servers, the last started first, and removes the folder. The same happens if
    this process ends in any other way, killed included.
    """

    def __init__(self) -> None:
        self._keeper: subprocess.Popen[bytes] | None = None
        self._connection: socket.socket | None = None
        self._unread = b""
        self._folder: Path | None = None
        self._asked = 0

    @property
    def folder(self) -> Path:
        """The private folder of all servers; other users may pass through, not list it."""
        if self._folder is None:
            raise RuntimeError("the servers are not started; use them in a `with` block")
        return self._folder

    def __enter__(self) -> Self:
        """Start the keeper, which makes the folder; raises MeasurementError if it cannot."""
        self._connection, theirs = socket.socketpair()
        with theirs:
            end = theirs.fileno()
            self._keeper = subprocess.Popen(
                [sys.executable, "-P", "-m", "slocheck.reference_api.stack.keeper", str(end)],
                stdin=subprocess.DEVNULL,
                pass_fds=(end,),
                start_new_session=True,  # Ctrl-C in a terminal reaches us, not the keeper
            )
        try:
            self._folder = Path(self._answer()["folder"])
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        """Always stop and remove everything."""
        self.close()

    def close(self) -> None:
        """Stop the servers in reverse order and remove the folder. Twice is fine."""
        if self._connection is not None:
            self._connection.close()
        if self._keeper is not None:
            self._keeper.wait(_CLOSE_DEADLINE_S)
        if self._folder is not None:
            remove(self._folder)  # it is gone, unless the keeper was killed

    def make_folder(self, name: str, *, user: str | None = None) -> Path:
        """Make a folder inside the private one that only `user` (None: we) can read."""
        path = self.folder / name
        path.mkdir(mode=0o700)
        if user is not None:
            entry = pwd.getpwnam(user)
            os.chown(path, entry.pw_uid, entry.pw_gid)
        return path

    def run(self, name: str, command: Sequence[str], *, user: str | None = None) -> None:
        """Run a command to its end; raises MeasurementError with what it printed if it fails."""
        self.launch(name, command, port=0, user=user).wait_for_end()

    def start(self, name: str, command: Sequence[str], *, port: int, **how: Unpack[How]) -> Server:
        """Launch a server and wait until it serves; see `launch` and `Server.wait`."""
        return self.launch(name, command, port=port, **how).wait()

    def launch(self, name: str, command: Sequence[str], *, port: int, **how: Unpack[How]) -> Server:
        """Launch a server, which is ready some time later.

        Args:
            name: Names it in messages, and its log ``NAME.log`` in the folder.
            command: Its program, in the foreground, and arguments.
            port: Where it will listen on loopback; 0: it listens nowhere.
            how: Options of the start.

        Raises:
            MeasurementError: It cannot be started.
        """
        log = self.folder / f"{name}.log"
        answer = self.ask(
            do="start",
            command=list(command),
            log=str(log),
            folder=str(self.folder),
            environment=dict(how.get("environment", {})),
            user=how.get("user"),
            signal=int(how.get("stop_signal", signal.SIGTERM)),
        )
        ready = how.get("ready", lambda: True)
        return Server(self, name=name, port=port, pid=answer["pid"], log=log, ready=ready)

    def ask(self, **request: object) -> dict[str, Any]:
        """Send the keeper one request and return its answer; raises MeasurementError."""
        assert self._connection is not None, "use the servers in a `with` block"
        self._asked += 1
        try:
            self._connection.sendall(json.dumps({"number": self._asked, **request}).encode() + b"\n")
        except OSError as error:
            raise MeasurementError(_KEEPER_GONE) from error
        return self._answer()

    def _answer(self) -> dict[str, Any]:
        answer: dict[str, Any] = {}
        while answer.get("number") != self._asked:  # an interrupted call has left its answer unread
            answer = json.loads(self._line())
        if "error" in answer:
            raise MeasurementError(f"a private server cannot be started: {answer['error']}")
        return answer

    def _line(self) -> bytes:
        assert self._connection is not None
        while b"\n" not in self._unread:
            part = self._connection.recv(65_536)
            if not part:
                raise MeasurementError(_KEEPER_GONE)
            self._unread += part
        line, _, self._unread = self._unread.partition(b"\n")
        return line


def listens(pid: int, port: int) -> bool:
    """Say whether this process listens on a port, and not one that was there before."""
    try:
        connections = psutil.Process(pid).net_connections("tcp")
    except psutil.Error:
        return False
    return any(
        connection.status == psutil.CONN_LISTEN and connection.laddr.port == port
        for connection in connections
    )


def _holds(condition: Callable[[], bool]) -> bool:
    try:
        return condition()
    except OSError:
        return False
