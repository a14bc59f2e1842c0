"""Signals: the first ends the run cleanly, the second at once.

While a run is under load, the first signal asks the engine to stop and the second kills it. At any other
time the first raises `Interrupted` in the main thread. While a result is being saved, signals are only
counted, because saving is short and a partly saved run is useless.

A signal that was ignored when the process started stays ignored, as ``nohup`` and a shell's background
jobs require. The children, which do not handle signals, inherit that.
"""

import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Self

from slocheck.errors import SIGNAL_EXIT_CODES


class Interrupted(BaseException):
    """A signal arrived before there was anything to save; `exit_code` is that of the signal."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.exit_code = SIGNAL_EXIT_CODES[name]
        super().__init__(f"interrupted by {name}")


class Interrupts:
    """Context in which this process handles INT, TERM and HUP, unless they are ignored.

    Attributes:
        received: Name of the first signal, such as ``SIGINT``; empty before.
        count: How many signals arrived.
    """

    def __init__(self) -> None:
        self.received = ""
        self.count = 0
        self._stop: Callable[[], None] | None = None
        self._kill: Callable[[], None] | None = None
        self._shielded = False
        self._previous: dict[int, object] = {}

    def __enter__(self) -> Self:
        for name in SIGNAL_EXIT_CODES:
            number = getattr(signal, name)
            if signal.getsignal(number) is not signal.SIG_IGN:
                self._previous[number] = signal.signal(number, self._handle)
        return self

    def __exit__(self, *_: object) -> None:
        for number, handler in self._previous.items():
            signal.signal(number, handler)  # type: ignore[arg-type]  # what signal() itself returned

    def _handle(self, number: int, _frame: FrameType | None) -> None:
        self.count += 1
        self.received = self.received or signal.Signals(number).name
        if self._shielded:
            return
        if self._stop is None or self._kill is None:
            raise Interrupted(self.received)
        if self.count == 1:
            self._stop()
        else:
            self._kill()

    @contextmanager
    def handing_to(self, stop: Callable[[], None], kill: Callable[[], None]) -> Iterator[None]:
        """In this context the first signal calls `stop` and every later one `kill`; nothing is raised."""
        self._stop, self._kill = stop, kill
        try:
            yield
        finally:
            self._stop = self._kill = None

    @contextmanager
    def shielded(self) -> Iterator[None]:
        """In this context signals are counted and otherwise ignored."""
        self._shielded = True
        try:
            yield
        finally:
            self._shielded = False
