"""What a Locust file's own client reports about a request; its values may be of any type. No Locust here."""

import math
from numbers import Integral
from typing import SupportsFloat

from slocheck.evidence.merge import MAX_NAME
from slocheck.load.recording.outcome import UnmeasuredError

_NS_PER_MS = 1_000_000
_LONGEST_MS = 24 * 3600 * 1000.0
_MAX_SIZE = 1 << 53
_MAX_STATUS = 999
_LATEST_S = float(1 << 40)
_MAX_SHOWN = 60


def name_of(value: object) -> str:
    """Return a name or a method as text; one that cannot be made a text is shown by its type."""
    try:
        return str(value)[:MAX_NAME]
    except Exception:  # noqa: BLE001 - whatever a class of the scenario's raises
        return f"({type(value).__name__})"


def time_ns_of(value: object) -> int:
    """Return a response time, given in milliseconds, in nanoseconds, at least 1.

    Raises:
        UnmeasuredError: A request cannot have taken that time: not a number, below 0, over a day.
    """
    try:
        time_ms = float(value) if isinstance(value, SupportsFloat) else math.nan
    except Exception:  # noqa: BLE001 - whatever a class of the scenario's raises
        time_ms = math.nan
    if not 0 <= time_ms <= _LONGEST_MS:
        raise _unmeasured("response_time", value)
    return max(1, round(time_ms * _NS_PER_MS))


def size_of(value: object) -> int:
    """Return a number of bytes; 0 if it cannot be one."""
    size = int(value) if isinstance(value, Integral) else 0
    return size if 0 <= size <= _MAX_SIZE else 0


def status_of(response: object) -> int | None:
    """Return a response's status code; None without one that is a whole number.

    Raises:
        UnmeasuredError: No response can have it.
    """
    status = getattr(response, "status_code", None)
    if not isinstance(status, int):
        return None
    if not 0 <= status <= _MAX_STATUS:
        raise _unmeasured("status_code", status)
    return int(status)


def moment_of(value: object) -> float | None:
    """Return a time of the wall clock in seconds; None if the value cannot be one."""
    return float(value) if isinstance(value, int | float) and 0 <= value <= _LATEST_S else None


def _unmeasured(what: str, value: object) -> UnmeasuredError:
    try:
        shown = repr(value)
    except Exception:  # noqa: BLE001 - as above; also a whole number of thousands of digits
        shown = f"something of type {type(value).__name__}"
    return UnmeasuredError(f"was reported with {what}={shown[:_MAX_SHOWN]}")
