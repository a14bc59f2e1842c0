"""What a Locust file prints and logs: saved in the run's folder, and shown on request."""

import os
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from threading import Lock
from typing import BinaryIO

from slocheck.documents.texts import ELLIPSIS
from slocheck.masking import mask, mask_urls

LOG_FILE = "scenario.log"
MAX_LOG_BYTES = 1 << 24
MAX_LINE = 1 << 20
"""Bytes of a line; the rest of a longer one is left out."""
_CUT = b"(the log was cut here)\n"


class ScenarioLog:
    """Keeps what a Locust file prints and logs, as it comes and in any thread; values of queries are masked.

    A Locust file may print anything, so only the owner may read the log.

    Args:
        show: Called with each line; None: lines are not shown.
        secrets: Known values that must not show.
        most: Bytes that are kept to be saved.
        clean: Makes a line that is saved harmless for a terminal.
    """

    def __init__(
        self,
        show: Callable[[str], None] | None,
        secrets: Sequence[str],
        *,
        most: int = MAX_LOG_BYTES,
        clean: Callable[[str], str] = str,
    ) -> None:
        self._show, self._secrets, self._clean = show, secrets, clean
        self._lock = Lock()
        self._begun = b""
        self._waiting: list[bytes] = []
        self._left = most
        self._path: Path | None = None
        self._file: BinaryIO | None = None

    def take(self, block: bytes) -> None:
        """Take what was written; a line is saved when it is complete."""
        with self._lock:
            *ends, begun = block.split(b"\n")
            for end in ends:
                self._add((self._begun + end)[: MAX_LINE + 1])
                self._begun = b""
            self._begun = (self._begun + begun)[: MAX_LINE + 1]

    def open(self, folder: Path) -> None:
        """Save the lines in this folder, including earlier ones; without lines there is no file."""
        with self._lock:
            self._path = folder / LOG_FILE
            self._write()

    def close(self) -> None:
        """Save what is left."""
        with self._lock:
            if self._begun:
                self._add(self._begun)
                self._begun = b""
            if self._file is not None:
                with suppress(OSError):  # a file system may tell only now that it is full
                    self._file.close()
                self._file = None

    def _add(self, raw: bytes) -> None:
        cut = ELLIPSIS if len(raw) > MAX_LINE else ""
        line = mask(mask_urls(raw[:MAX_LINE].decode(errors="replace") + cut), self._secrets)
        if self._show is not None:
            self._show(line)
        data = self._clean(line).encode(errors="replace") + b"\n"
        if self._left > 0:
            self._left -= len(data)
            self._waiting.append(data if self._left > 0 else _CUT)
            self._write()

    def _write(self) -> None:
        """Write pending lines; a log that cannot be written does not fail the run."""
        if self._path is None or not self._waiting:
            return
        with suppress(OSError):
            if self._file is None:
                mode = os.O_WRONLY | os.O_CREAT | os.O_TRUNC
                self._file = os.fdopen(os.open(self._path, mode, 0o600), "wb", buffering=0)
            self._file.write(b"".join(self._waiting))
        self._waiting.clear()
