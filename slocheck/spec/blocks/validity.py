"""The ``validity`` block of slo.yaml."""

from typing import Any

from slocheck.documents import types
from slocheck.documents.reader import Key, Section, Value, ValueType, object_schema
from slocheck.spec.model import ValidityLimits

_NORMAL = ValidityLimits()
VALIDITY_KEYS: tuple[Key[Any], ...] = (
    Key("min_sent", types.RATIO, _NORMAL.min_sent, "smallest share of planned users or arrivals"),
    Key("max_generator_cpu", types.SHARE, _NORMAL.max_generator_cpu, "largest share of a core a worker uses"),
    Key("max_loop_lag", types.duration("1ms", "10m"), _NORMAL.max_loop_lag, "p99 lag of its event loop"),
    Key("max_stall", types.duration("1ms", "10m"), _NORMAL.max_stall, "longest time in which it was blocked"),
    Key(
        "max_schedule_lag",
        types.duration("1ms", "10m"),
        _NORMAL.max_schedule_lag,
        "p99 delay of arrivals against the schedule",
    ),
    Key(
        "max_lag_share",
        types.SHARE,
        _NORMAL.max_lag_share,
        "p99 of either lag, as a share of a breached latency limit",
    ),
    Key(
        "max_exceptions",
        types.whole(0, 1_000_000_000),
        _NORMAL.max_exceptions,
        "exceptions of the scenario's own code",
    ),
    Key(
        "max_unexpected",
        types.RATIO,
        _NORMAL.max_unexpected,
        "largest share of an endpoint's responses with an unexpected status",
    ),
    Key(
        "max_generator_failures",
        types.whole(0, 1_000_000_000),
        _NORMAL.max_generator_failures,
        "requests that failed on this machine",
    ),
    Key("min_window", types.RATIO, _NORMAL.min_window, "smallest share of the window that was measured"),
    Key(
        "max_unrecorded",
        types.whole(0, 1_000_000_000),
        _NORMAL.max_unrecorded,
        "requests without a recorded outcome",
    ),
    Key(
        "max_clock_skew",
        types.duration("1ms", "1h"),
        _NORMAL.max_clock_skew,
        "between Prometheus's clock and this machine's",
    ),
    Key("max_clock_jump", types.duration("1ms", "1h"), _NORMAL.max_clock_jump, "of the wall clock"),
    Key("min_slices", types.whole(1, 86_400), _NORMAL.min_slices, "fewest one-second slices in the window"),
    Key(
        "max_scrape_gap",
        types.number(1, 1000),
        _NORMAL.max_scrape_gap,
        "largest gap between two samples, in scrape intervals",
    ),
    Key("steady", types.BOOLEAN, _NORMAL.steady, "whether limits can be met only in a steady window"),
)


def _read_validity(value: Value) -> ValidityLimits:
    section = Section(value, VALIDITY_KEYS)
    return ValidityLimits(**{key.name: section.get(key) for key in VALIDITY_KEYS})


VALIDITY = Key(
    "validity",
    ValueType(_read_validity, object_schema(VALIDITY_KEYS)),
    _NORMAL,
    "limits that a valid run must keep",
)
