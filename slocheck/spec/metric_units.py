"""The unit in a metric's name, as the naming rules of Prometheus and OpenTelemetry demand."""

import re
from collections.abc import Mapping
from fractions import Fraction

UNITS: Mapping[str, Fraction] = {
    "minutes": Fraction(60),
    "seconds": Fraction(1),
    "milliseconds": Fraction(1, 1000),
    "microseconds": Fraction(1, 1_000_000),
    "nanoseconds": Fraction(1, 1_000_000_000),
}
"""Units of latency histograms: name to seconds."""

SHORT_UNITS: Mapping[Fraction, str] = dict(zip(UNITS.values(), ("min", "s", "ms", "us", "ns"), strict=True))
"""How a number in such a unit is written."""
_LONG: Mapping[str, str] = {
    **{unit: unit for unit in UNITS},
    **{unit.removesuffix("s"): unit for unit in UNITS},
    **dict.fromkeys(("millis", "msec", "msecs", "millisec", "millisecs"), "milliseconds"),
    **dict.fromkeys(("micros", "usec", "usecs", "microsec", "microsecs"), "microseconds"),
    **dict.fromkeys(("nanos", "nsec", "nsecs", "nanosec", "nanosecs"), "nanoseconds"),
    **dict.fromkeys(("secs",), "seconds"),
    **dict.fromkeys(("mins",), "minutes"),
}
"""Words that mean the unit anywhere except at the start."""
_SHORT: Mapping[str, str] = {
    "s": "seconds",
    "sec": "seconds",
    "ms": "milliseconds",
    "us": "microseconds",
    "ns": "nanoseconds",
}
"""Words that mean the unit only at the end: ``us`` may be a region."""
_ENDINGS = frozenset({"bucket", "buckets", "count", "sum", "hist", "histogram", "total"})
_CAMEL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")


def unit_named(seconds: Fraction) -> str | None:
    """Return the name of a unit of so many seconds, a key of `UNITS`; None if there is none."""
    return next((name for name, each in UNITS.items() if each == seconds), None)


def unit_in_name(metric: str) -> str | None:
    """Return the unit in a metric's name, a key of `UNITS`; None if it has none.

    The last word that is a unit decides: ``http_request_duration_milliseconds`` is in milliseconds.
    """
    words = [word.lower() for word in re.split(r"[^a-zA-Z0-9]+", _CAMEL.sub("_", metric)) if word]
    while words and words[-1] in _ENDINGS:
        words.pop()
    if len(words) > 1 and words[-1] in _SHORT:
        return _SHORT[words[-1]]
    return next((_LONG[word] for word in reversed(words[1:]) if word in _LONG), None)
