"""The plain blocks of slo.yaml: target, failures, cache, validity."""

from typing import Any

from slocheck.documents import types
from slocheck.documents.reader import InvalidValue, Key, Section, Value, ValueType, object_schema
from slocheck.documents.units import shown
from slocheck.documents.yaml_tree import ScalarNode
from slocheck.spec.blocks.auth import HEADER_PATTERN
from slocheck.spec.blocks.tls import TLS
from slocheck.spec.blocks.urls import BASE_URL
from slocheck.spec.model import CacheRule, FailureRule, Target, Tls
from slocheck.spec.model.validity import ValidityLimits

FROM_PROMETHEUS = "prometheus"

_COUNT = types.whole(1, 10_000)


def _read_instances(value: Value) -> int | None:
    """Read a number, or None for "counted from the server's series"."""
    node = value.node
    if isinstance(node, ScalarNode) and node.text == FROM_PROMETHEUS:
        return None
    if isinstance(node, ScalarNode) and node.text and not node.text[0].isdigit():
        raise InvalidValue(
            f"{shown(node.text)} is not a number of instances; write 1 or more, or {FROM_PROMETHEUS}"
        )
    return _COUNT.read(value)


TARGET_URL = Key("url", BASE_URL, "", "base URL of the API under load; ${NAME} is expanded", required=True)
INSTANCES: Key[int | None] = Key(
    "instances",
    ValueType(_read_instances, {"oneOf": [_COUNT.schema, {"const": FROM_PROMETHEUS}]}),
    1,
    "how many instances serve it; prometheus: counted from the server's series",
)
TARGET_KEYS: tuple[Key[Any], ...] = (TARGET_URL, INSTANCES, TLS)


def _read_target(value: Value) -> Target:
    section = Section(value, TARGET_KEYS)
    return Target(section.get(TARGET_URL), section.get(INSTANCES), section.get(TLS))


TARGET = Key(
    "target",
    ValueType(_read_target, object_schema(TARGET_KEYS)),
    Target("", 1, Tls()),
    "the API under load",
    required=True,
)


_STATUS = types.text(pattern="[1-5][0-9][0-9]|[1-5]xx", what="status code or class", example="5xx or 429")
_STATUSES = types.list_of(_STATUS, at_least=1)
STATUSES: Key[tuple[str, ...]] = Key(
    "statuses",
    ValueType(
        _STATUSES.read,
        {
            "type": "array",
            "minItems": 1,
            "uniqueItems": True,
            "items": {
                "oneOf": [
                    {"type": "string", "pattern": types.anchored("[1-5][0-9][0-9]|[1-5]xx")},
                    {"type": "integer", "minimum": 100, "maximum": 599},
                ]
            },
        },
    ),
    FailureRule().statuses,
    "status codes (429) and classes (5xx) that are failures",
)
FAILURES_KEYS: tuple[Key[Any], ...] = (STATUSES,)


def _read_failures(value: Value) -> FailureRule:
    return FailureRule(Section(value, FAILURES_KEYS).get(STATUSES))


FAILURES = Key(
    "failures",
    ValueType(_read_failures, object_schema(FAILURES_KEYS)),
    FailureRule(),
    "which responses are failures",
)

_HEADER = types.text(pattern=HEADER_PATTERN, what="header name", example="x-cache")
CACHE_HEADERS: Key[tuple[str, ...]] = Key(
    "headers",
    types.list_of(_HEADER, at_least=1),
    CacheRule().headers,
    "response headers that distinguish a hit from a miss, in order of precedence",
)
CACHE_KEYS: tuple[Key[Any], ...] = (CACHE_HEADERS,)


def _read_cache(value: Value) -> CacheRule:
    headers = Section(value, CACHE_KEYS).get(CACHE_HEADERS)
    return CacheRule(tuple(dict.fromkeys(header.lower() for header in headers)))


CACHE = Key(
    "cache", ValueType(_read_cache, object_schema(CACHE_KEYS)), CacheRule(), "how the cache shows itself"
)

_NORMAL = ValidityLimits()
VALIDITY_KEYS: tuple[Key[Any], ...] = (
    Key("min_sent", types.RATIO, _NORMAL.min_sent, "smallest share of planned users or arrivals"),
    Key("max_generator_cpu", types.SHARE, _NORMAL.max_generator_cpu, "largest share of a core a worker uses"),
    Key("max_loop_lag", types.duration("1ms", "10m"), _NORMAL.max_loop_lag, "p99 lateness of its event loop"),
    Key(
        "max_schedule_lag",
        types.duration("1ms", "10m"),
        _NORMAL.max_schedule_lag,
        "p99 of how late arrivals began",
    ),
    Key(
        "max_lag_share",
        types.SHARE,
        _NORMAL.max_lag_share,
        "p99 of either lateness, as a share of a breached latency limit",
    ),
    Key(
        "max_exceptions",
        types.whole(0, 1_000_000_000),
        _NORMAL.max_exceptions,
        "exceptions of the scenario's own code",
    ),
    Key(
        "max_generator_failures",
        types.whole(0, 1_000_000_000),
        _NORMAL.max_generator_failures,
        "requests that failed on this machine itself",
    ),
    Key("min_window", types.RATIO, _NORMAL.min_window, "smallest share of the window that was driven"),
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
        "between Prometheus's clock and ours",
    ),
    Key("max_clock_jump", types.duration("1ms", "1h"), _NORMAL.max_clock_jump, "of the wall clock"),
    Key("min_slices", types.whole(1, 86_400), _NORMAL.min_slices, "fewest one-second slices in the window"),
    Key(
        "max_scrape_gap",
        types.number(1, 1000),
        _NORMAL.max_scrape_gap,
        "largest gap between two samples, in scrape intervals",
    ),
    Key("steady", types.BOOLEAN, _NORMAL.steady, "whether met asks for a window without a drift"),
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
