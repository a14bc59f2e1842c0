"""A process that has imported one of slocheck's programs, and forks for each connection one that runs it.

``python -m tests.e2e.support.forking.server PROGRAM LISTENER [LOAD]``: LISTENER is the descriptor of a Unix
socket that listens; the process ends when its standard input closes. What it forks has the streams, the
environment, the folder and the arguments of whoever asked, and tells on the connection its process id, and
at its end its exit code. LOAD is the address of the server of the load's processes, for those that a run
starts. So a run is what it is otherwise, without the second that each process takes for its imports.

Locust patches sockets, `select` and `os` while it is imported: what serves is taken from Python before.
"""

import _socket
import gc
import importlib
import json
import os
import pkgutil
import runpy
import struct
import sys
import tempfile
from collections.abc import Iterator
from os import close, fork, waitpid
from select import select
from socket import recv_fds
from typing import Any

from slocheck.load.users.locust_import import import_locust

HEADER = struct.Struct("!I")
MODULES = {"command": "slocheck", "load": "slocheck.load"}
"""What is run, by the name of its program."""
PARTS = ("cli", "evidence", "exporters", "grading", "pipeline", "reporters", "scenario", "sources")
"""The packages of slocheck that a command line may load."""


def main(program: str, listener: int, load: str = "") -> None:
    """Import the program and serve; a forked process returns from serving, and runs it."""
    if program == "load":
        import_locust()
        importlib.import_module("slocheck.load.machine.first_line")
        importlib.import_module("slocheck.load.worker.startup")
    else:
        _fork_loads(load)
        for name in _command_modules():
            importlib.import_module(name)
    gc.collect()
    gc.freeze()
    if Server(listener).serve():
        runpy.run_module(MODULES[program], run_name="__main__", alter_sys=True)


def _fork_loads(address: str) -> None:
    """Let runs of this process fork the processes of their loads, too."""
    from slocheck.load import launch  # noqa: PLC0415 - only in the server
    from tests.e2e.support.forking.forked import forked_master  # noqa: PLC0415 - as above

    launch.start_master = lambda: forked_master(address)


def _command_modules() -> Iterator[str]:
    """Yield the modules of the command line."""
    for part in PARTS:
        package = importlib.import_module(f"slocheck.{part}")
        yield from (found.name for found in pkgutil.walk_packages(package.__path__, f"{package.__name__}."))


class Server:
    """Forks for each connection, and tells on it how the forked process ended."""

    def __init__(self, listener: int) -> None:
        """Take the descriptor of a listening socket."""
        self._listener = _socket.socket(fileno=listener)
        self._forked: dict[int, tuple[int, _socket.socket]] = {}

    def serve(self) -> bool:
        """Serve until standard input closes; returns True in a forked process, which is to run."""
        while True:
            watched: list[Any] = [0, self._listener, *self._forked]
            ready, _, _ = select(watched, [], [])
            for pidfd in self._forked.keys() & set(ready):
                self._tell_end(pidfd)
            if self._listener in ready and self._fork():
                return True
            if 0 in ready:
                return False

    def _tell_end(self, pidfd: int) -> None:
        pid, connection = self._forked.pop(pidfd)
        code = os.waitstatus_to_exitcode(waitpid(pid, 0)[1])
        close(pidfd)
        _send(connection, code)
        connection.close()

    def _fork(self) -> bool:
        """Fork what one connection asks for; returns whether this is the forked process."""
        descriptor, _ = self._listener._accept()  # type: ignore[attr-defined]  # the part that is not patched
        connection = _socket.socket(fileno=descriptor)
        header, streams, _, _ = recv_fds(connection, HEADER.size, 3)  # type: ignore[arg-type]  # any socket
        if not header:
            connection.close()  # whoever asked has gone
            return False
        asked = json.loads(_received(connection, HEADER.unpack(header)[0]))
        pid = fork()
        if pid == 0:
            self._become(asked, streams, connection)
            return True
        for stream in streams:
            close(stream)
        self._forked[os.pidfd_open(pid)] = (pid, connection)
        return False

    def _become(self, asked: dict[str, Any], streams: list[int], connection: _socket.socket) -> None:
        """Take on streams, environment, folder and arguments, in a session of its own if it is asked for."""
        for pidfd, (_, other) in self._forked.items():
            close(pidfd)
            other.close()
        self._listener.close()
        for number, stream in enumerate(streams):
            os.dup2(stream, number)
            close(stream)
        _open_streams()
        if asked["session"]:
            os.setsid()
        os.environ.clear()
        os.environ.update(asked["environment"])
        os.chdir(asked["folder"])
        sys.argv = ["slocheck", *asked["arguments"]]
        tempfile.tempdir = None
        if gevent := sys.modules.get("gevent"):
            gevent.reinit()  # as its own fork does
            gevent.get_hub().loop.update_now()  # else its timers count from the parent's last one
        _send(connection, os.getpid())
        connection.close()


def _open_streams() -> None:
    """Open the standard streams as Python does at its start: the ones until now were of other files."""
    sys.stdin = open(0, encoding="utf-8", closefd=False)  # noqa: SIM115 - for as long as it lives
    sys.stdout = open(1, "w", encoding="utf-8", closefd=False)  # noqa: SIM115 - as above
    sys.stderr = open(  # noqa: SIM115 - as above
        2, "w", 1, encoding="utf-8", errors="backslashreplace", closefd=False
    )


def _received(connection: _socket.socket, length: int) -> bytes:
    """Return this many bytes; raises ConnectionError if there are fewer."""
    text = b""
    while len(text) < length:
        block = connection.recv(length - len(text))
        if not block:
            raise ConnectionError("whoever asked for a process has gone")
        text += block
    return text


def _send(connection: _socket.socket, number: int) -> None:
    """Send a number as a line; whoever waits for none may have gone."""
    try:
        connection.send(f"{number}\n".encode())
    except OSError:
        sys.stderr.write(f"nobody waits for {number}\n")


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), *sys.argv[3:])
