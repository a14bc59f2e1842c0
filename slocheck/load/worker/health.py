"""How well a worker generates its load: processor, event loop, users, exceptions, complaints."""

import logging
import resource
import time
import traceback
from pathlib import Path
from types import TracebackType
from typing import Any

from slocheck.documents.units import NS_PER_SECOND
from slocheck.evidence.histogram import bucket_index
from slocheck.evidence.merge import MAX_MESSAGE
from slocheck.load.recording.outcome import message_of

MAX_TEXTS = 50
OTHER_TEXT = "(others)"
SAMPLE_S = 0.05


class Health:
    """One worker's health since the last report.

    Attributes:
        origin_ns: The moment the load began, on the monotonic clock.
    """

    def __init__(self) -> None:
        self.origin_ns = 0
        self._users: dict[int, int] = {}
        self._lag: dict[int, dict[int, int]] = {}
        self._exceptions: dict[str, int] = {}
        self._messages: dict[str, int] = {}
        self._cpu_from = (time.monotonic(), time.process_time())

    def sample(self, *, users: int, late_ns: int) -> None:
        """Take in one sample of the event loop: users running, and how late the sample is."""
        second = (time.monotonic_ns() - self.origin_ns) // NS_PER_SECOND
        self._users[second] = users
        lag = self._lag.setdefault(second, {})
        index = bucket_index(max(0, late_ns))
        lag[index] = lag.get(index, 0) + 1

    def on_user_error(
        self, user_instance: object, exception: BaseException, tb: TracebackType | None, **_: object
    ) -> None:
        """Listen to Locust's `user_error` event: the scenario's own code raised."""
        steps = traceback.extract_tb(tb)
        place = f" ({steps[-1].filename}:{steps[-1].lineno})" if steps else ""
        _count(self._exceptions, f"{message_of(exception)}{place}")
        del user_instance

    def complain(self, text: str) -> None:
        """Keep what Locust or the scenario complained of."""
        _count(self._messages, text[:MAX_MESSAGE])

    def forget_samples(self) -> None:
        """Begin to measure here; what was raised until now is kept."""
        exceptions = self._exceptions
        self.take()
        self._exceptions = exceptions

    def take(self) -> dict[str, Any]:
        """Return everything since the last call, as lists, for a message."""
        now = (time.monotonic(), time.process_time())
        elapsed, used = now[0] - self._cpu_from[0], now[1] - self._cpu_from[1]
        middle_ns = time.monotonic_ns() - round(elapsed / 2 * NS_PER_SECOND)
        second = (middle_ns - self.origin_ns) // NS_PER_SECOND
        taken = {
            "cpu": [[second, used / elapsed]] if elapsed > 0 else [],
            "users": [list(item) for item in self._users.items()],
            "lag": [[at, *entry] for at, lag in self._lag.items() for entry in lag.items()],
            "exceptions": [list(item) for item in self._exceptions.items()],
            "messages": list(self._messages),
            "memory": resident_bytes(),
        }
        self._cpu_from = now
        self._users, self._lag, self._exceptions, self._messages = {}, {}, {}, {}
        return taken


def resident_bytes() -> int:
    """Return this process's resident memory; 0 where the system does not tell."""
    try:
        pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    except (OSError, IndexError, ValueError):
        return 0
    return pages * resource.getpagesize()


def _count(texts: dict[str, int], text: str) -> None:
    """Count a text; too many different ones become one."""
    key = text if text in texts or len(texts) < MAX_TEXTS else OTHER_TEXT
    texts[key] = texts.get(key, 0) + 1


class ComplaintHandler(logging.Handler):
    """Hands warnings and errors to a `Health`; exceptions of tasks are counted elsewhere."""

    def __init__(self, health: Health) -> None:
        super().__init__(logging.WARNING)
        self._health = health

    def emit(self, record: logging.LogRecord) -> None:
        """Keep a record's last line, which is where a traceback says what was wrong."""
        if record.name == "locust.user.task":
            return
        lines = record.getMessage().strip().splitlines() or [""]
        text = lines[0] if len(lines) == 1 else f"{lines[0]} {lines[-1]}"
        self._health.complain(f"{record.levelname.lower()}: {text}")
