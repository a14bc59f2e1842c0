"""Hashes of a Locust file, of its modules, and of the data that it reads while it is loaded.

A Locust file is code and is never sent to another machine. Each machine has its own, and all must be equal.
"""

import hashlib
import os
import sys
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from slocheck.load.own_code import is_own

_CODE = (".py", ".pyc")
_MOST_FILES = 10_000
_MOST_SHOWN = 5


class OwnFiles:
    """Notes which files below a Locust file's folder are read, from `watch` until `manifest`."""

    def __init__(self, scenario: str) -> None:
        """Take the path of the Locust file."""
        self._scenario = Path(scenario).absolute()
        self._folder = f"{self._scenario.parent}/"
        self._read: set[str] = set()
        self._watching = True

    def watch(self) -> None:
        """Watch all files that this process opens."""
        sys.addaudithook(self._on_event)

    def _on_event(self, event: str, args: tuple[Any, ...]) -> None:
        if event != "open" or not self._watching:
            return
        path, mode, flags = args
        reads = mode in ("r", "rb", "rt", None) and not (mode is None and flags & os.O_ACCMODE)
        if reads and isinstance(path, str | bytes) and len(self._read) < _MOST_FILES:
            self._read.add(str(Path(os.fsdecode(path)).absolute()))

    def manifest(self) -> dict[str, str]:
        """Return the SHA-256 of each file, by its path from the Locust file's folder; stop watching."""
        self._watching = False
        data = {path for path in self._read if path.startswith(self._folder) and not path.endswith(_CODE)}
        found = {}
        for path in sorted({str(self._scenario), *_modules(), *data}):
            if is_own(path) and Path(path).is_file():
                with suppress(OSError):
                    found[os.path.relpath(path, self._folder)] = _digest(Path(path))
        return found


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _modules() -> Iterator[str]:
    """Yield the source files of the modules that this process has imported."""
    for module in list(sys.modules.values()):
        file = getattr(module, "__file__", None)
        if isinstance(file, str):
            yield str(Path(file).absolute())


def differences(here: Mapping[str, str], there: Mapping[str, str]) -> str:
    """Say which files differ between this machine and the coordinator; empty if none does."""
    named = sorted(name for name in {*here, *there} if here.get(name) != there.get(name))
    if not named:
        return ""
    shown = ", ".join(f"{name} ({_how(name, here, there)})" for name in named[:_MOST_SHOWN])
    more = f" and {len(named) - _MOST_SHOWN} more" if len(named) > _MOST_SHOWN else ""
    return (
        f"the Locust file here is not the coordinator's: {shown}{more}; copy the same files to all machines"
    )


def _how(name: str, here: Mapping[str, str], there: Mapping[str, str]) -> str:
    if name not in here:
        return "missing here"
    return "only here" if name not in there else "differs"
