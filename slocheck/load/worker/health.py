"""How well a worker generates its load: CPU, event loop, users, exceptions, log messages."""

import logging
import resource
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from types import TracebackType

from slocheck.documents.texts import shorten
from slocheck.documents.units import NS_PER_SECOND
from slocheck.documents.words import most_often
from slocheck.errors import chain_of
from slocheck.evidence.histogram import bucket_index
from slocheck.evidence.merge import MAX_MESSAGE
from slocheck.load.messaging.messages import HealthSamples
from slocheck.load.own_code import caller, place_of
from slocheck.load.recording.outcome import UnmeasuredError, message_of, without_addresses
from slocheck.masking import mask_urls

MAX_TEXTS = 50
OTHER_TEXT = "(others)"
SAMPLE_S = 0.05
_COUNTED = "__slocheck_counted__"
_TOLD_ELSEWHERE = ("locust.user.task", "locust.user.users")
"""Loggers of exceptions of a task or an `on_start`, which are counted elsewhere."""
_ON_STOP = "Uncaught exception in on_stop"
"""How Locust begins to log what the `on_stop` of a task set raises; it fires no event for it."""


class Health:
    """One worker's health since the last report.

    Attributes:
        origin_ns: When the load began, on the monotonic clock.
    """

    def __init__(self, ran: Callable[[], tuple[str, ...]] = tuple) -> None:
        """Begin to measure; `ran` returns the user classes that have run a task since its last call."""
        self.origin_ns = 0
        self._ran = ran
        self._users: dict[int, int] = {}
        self._lag: dict[int, dict[int, int]] = {}
        self._exceptions: dict[str, int] = {}
        self._messages: dict[str, int] = {}
        self._cpu_from = (time.monotonic(), time.process_time())

    def sample(self, *, users: int, late_ns: int) -> None:
        """Add one sample of the event loop: users running, and how late the sample is.

        The lag belongs to the second in which the sample was due: a stall that begins in the window and ends
        after it counts for the window. Of a stall of a second or more, each later second has what was left
        of it, for the window may begin there.
        """
        now_ns = time.monotonic_ns() - self.origin_ns
        self._users[now_ns // NS_PER_SECOND] = users
        began_ns = now_ns - max(0, late_ns)
        begins = [began_ns]
        if late_ns >= NS_PER_SECOND:
            begins += range((began_ns // NS_PER_SECOND + 1) * NS_PER_SECOND, now_ns, NS_PER_SECOND)
        for begin_ns in begins:
            lag, index = self._lag.setdefault(begin_ns // NS_PER_SECOND, {}), bucket_index(now_ns - begin_ns)
            lag[index] = lag.get(index, 0) + 1

    def on_user_error(
        self, user_instance: object, exception: BaseException, tb: TracebackType | None, **_: object
    ) -> None:
        """Listen to Locust's `user_error` event: the scenario's own code raised.

        The exception of a request that could not be built was counted already, as the file may catch it.
        """
        del user_instance
        if not any(getattr(cause, _COUNTED, False) for cause in chain_of(exception)):
            self._raised(message_of(exception), place_of(tb))

    def on_unsent(self, method: str, name: str, error: Exception) -> None:
        """Count a request that could not be built or measured as the scenario's exception, with its line."""
        for cause in (error, error.__cause__):
            with suppress(Exception):
                setattr(cause, _COUNTED, True)
        unsent = not isinstance(error, UnmeasuredError)
        what = f"could not be sent: {message_of(error)}" if unsent else str(error)
        self._raised(f"{method} {name} {what}", caller())

    def _raised(self, text: str, place: str) -> None:
        shown = f" ({place})" if place else ""
        _count(self._exceptions, f"{shorten(text, MAX_MESSAGE)}{shown}")

    def most_often(self) -> str:
        """Return the most frequent exception since the last call of `take`, as the end of a sentence."""
        return most_often(self._exceptions)

    def add_message(self, text: str) -> None:
        """Keep a warning of Locust, the scenario, or slocheck."""
        _count(self._messages, shorten(text, MAX_MESSAGE))

    def forget_samples(self) -> None:
        """Restart the measurement; keep the exceptions so far."""
        exceptions = self._exceptions
        self.take()
        self._exceptions = exceptions

    def take(self) -> HealthSamples:
        """Return everything since the last call."""
        now = (time.monotonic(), time.process_time())
        elapsed, used = now[0] - self._cpu_from[0], now[1] - self._cpu_from[1]
        middle_ns = time.monotonic_ns() - round(elapsed / 2 * NS_PER_SECOND)
        second = (middle_ns - self.origin_ns) // NS_PER_SECOND
        taken = HealthSamples(
            cpu=((second, used / elapsed),) if elapsed > 0 else (),
            users=self._users,
            loop_lag=self._lag,
            exceptions=self._exceptions,
            messages=tuple(self._messages),
            memory=resident_bytes(),
            classes=self._ran(),
        )
        self._cpu_from = now
        self._users, self._lag, self._exceptions, self._messages = {}, {}, {}, {}
        return taken


def resident_bytes() -> int:
    """Return this process's resident memory; 0 if it cannot be read."""
    try:
        pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    except (OSError, IndexError, ValueError):
        return 0
    return pages * resource.getpagesize()


def _count(texts: dict[str, int], text: str) -> None:
    """Count a text with the secrets in its URLs masked; beyond a limit, further texts count as one."""
    text = mask_urls(text)
    key = text if text in texts or len(texts) < MAX_TEXTS else OTHER_TEXT
    texts[key] = texts.get(key, 0) + 1


class HealthLogHandler(logging.Handler):
    """Passes warnings and errors on to a `Health`; exceptions of tasks are counted elsewhere."""

    def __init__(self, health: Health) -> None:
        super().__init__(logging.WARNING)
        self._health = health

    def emit(self, record: logging.LogRecord) -> None:
        """Keep a record's first and last line, and its exception with the user's line that raised it."""
        if record.name in _TOLD_ELSEWHERE:
            return
        error = sys.exception()
        if error is not None and str(record.msg).startswith(_ON_STOP):
            self._health.on_user_error(None, error, error.__traceback__)
            return
        lines = without_addresses(record.getMessage()).strip().splitlines() or [""]
        text = lines[0] if len(lines) == 1 else f"{lines[0]} {lines[-1]}"
        if record.exc_info and record.exc_info[1] is not None:
            place = place_of(record.exc_info[2])
            text = f"{text}: {message_of(record.exc_info[1])}" + (f" ({place})" if place else "")
        self._health.add_message(f"{record.levelname.lower()}: {text}")
