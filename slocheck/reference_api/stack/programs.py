"""Where Debian keeps the servers' programs, and ports for them."""

import random
import re
import shutil
import socket
from pathlib import Path

from slocheck.errors import UsageError

HOST = "127.0.0.1"
_OUTSIDE_OF_PATH = ("/usr/sbin", "/usr/local/sbin", "/sbin")
_PORTS = range(15_000, 32_000)
"""Below those that Linux gives to outgoing connections, which could take the port before its server does."""


def find(program: str, *, package: str, folders: str = "") -> str:
    """Return the path of a program.

    Args:
        program: Its name.
        package: Debian's package that holds it, for the message.
        folders: A pattern of folders that are searched before PATH, the highest version in their names
            first, such as ``/usr/lib/postgresql/*/bin``.

    Raises:
        UsageError: It is not installed.
    """
    versions = sorted(Path("/").glob(folders.lstrip("/")), key=_version, reverse=True) if folders else []
    for path in (*map(str, versions), None, *_OUTSIDE_OF_PATH):
        found = shutil.which(program, path=path)
        if found is not None:
            return found
    raise UsageError(f"{program} is not installed; as root: apt-get install {package}")


def free_port() -> int:
    """Return a loopback port that nobody listens on now."""
    for port in random.sample(_PORTS, 100):
        with socket.socket() as listener:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                listener.bind((HOST, port))
            except OSError:
                continue
            return port
    raise UsageError(f"of 100 ports of {HOST} none is free; stop what uses them")


def _version(folder: Path) -> list[int]:
    return [int(number) for number in re.findall(r"\d+", str(folder))]
