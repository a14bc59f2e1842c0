"""A pseudo terminal that a command is run on."""

import fcntl
import os
import pty
import struct
import subprocess
import termios
import threading
from contextlib import suppress
from pathlib import Path

from tests.support.processes import ending
from tests.support.waiting import DEADLINE_S


def on_a_terminal(command: list[str], cwd: Path, *, columns: int, **environment: str) -> tuple[int, bytes]:
    """Run a command on a terminal; returns its code and all that the terminal got."""
    outside, inside = pty.openpty()
    own = {name: value for name, value in os.environ.items() if name not in ("COLUMNS", "LINES")}
    fcntl.ioctl(inside, termios.TIOCSWINSZ, struct.pack("HHHH", 50, columns, 0, 0))
    got: list[bytes] = []

    def read() -> None:
        with suppress(OSError):  # EIO: the last writer closed it
            while block := os.read(outside, 65536):
                got.append(block)

    reader = threading.Thread(target=read)
    reader.start()
    process = subprocess.Popen(
        command,
        cwd=cwd,
        env={**own, "TERM": "xterm", **environment},
        stdin=inside,
        stdout=inside,
        stderr=inside,
    )
    os.close(inside)
    try:
        with ending(process):
            code = process.wait(timeout=DEADLINE_S)
    finally:
        reader.join(timeout=60)
        os.close(outside)
    return code, b"".join(got)
