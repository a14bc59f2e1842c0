"""The plain blocks of slo.yaml: target, workload, failures, cache, validity."""

from fractions import Fraction
from typing import Any

from slocheck.spec import kinds
from slocheck.spec.document import Scalar
from slocheck.spec.model import CacheRule, FailureRule, Target, Tls, ValidityLimits, Workload
from slocheck.spec.reading import Key, Kind, Section, Value, Wrong, object_schema
from slocheck.spec.sources import HEADER_PATTERN, TLS
from slocheck.spec.units import format_duration, format_rate, shown
from slocheck.spec.urls import BASE_URL

MAX_USERS = 100_000
LONGEST = "24h"
FROM_PROMETHEUS = "prometheus"

_COUNT = kinds.whole(1, 10_000)


def _read_instances(value: Value) -> int | None:
    """Read a number, or None for "counted from the server's series"."""
    node = value.node
    if isinstance(node, Scalar) and node.text == FROM_PROMETHEUS:
        return None
    if isinstance(node, Scalar) and node.text and not node.text[0].isdigit():
        raise Wrong(f"{shown(node.text)} is no number of instances; write 1 or more, or {FROM_PROMETHEUS}")
    return _COUNT.read(value)


TARGET_URL = Key("url", BASE_URL, "", "base URL of the API under load; ${NAME} is expanded", required=True)
INSTANCES: Key[int | None] = Key(
    "instances",
    Kind(_read_instances, {"oneOf": [_COUNT.schema, {"const": FROM_PROMETHEUS}]}),
    1,
    "how many instances serve it; prometheus: counted from the server's series",
)
TARGET_KEYS: tuple[Key[Any], ...] = (TARGET_URL, INSTANCES, TLS)


def _read_target(value: Value) -> Target:
    section = Section(value, TARGET_KEYS)
    return Target(section.get(TARGET_URL), section.get(INSTANCES), section.get(TLS))


TARGET = Key(
    "target",
    Kind(_read_target, object_schema(TARGET_KEYS)),
    Target("", 1, Tls()),
    "the API under load",
    required=True,
)


def check_scenario(path: str) -> str:
    """Return the path of a scenario; raises Wrong where its name says that it is none."""
    if not path.endswith((".yaml", ".yml", ".py")):
        raise Wrong(f"{shown(path)} is no scenario; write a path that ends in .yaml, or a Locust file (.py)")
    return path


def _read_scenario(value: Value) -> str:
    return check_scenario(kinds.text().read(value))


check_window = kinds.duration_check("1s", LONGEST, whole_seconds=True)
check_warmup = kinds.duration_check("0s", LONGEST, whole_seconds=True)

SCENARIO = Key(
    "scenario",
    Kind(_read_scenario, {"type": "string", "pattern": r"\.(py|ya?ml)$"}),
    "",
    "declarative scenario (.yaml) or Locust file (.py), relative to this file's folder",
    required=True,
)
USERS = Key("users", kinds.whole(1, MAX_USERS), 1, "virtual users of the closed model", required=True)
SPAWN_RATE: Key[float | None] = Key(
    "spawn_rate",
    kinds.RATE,
    None,
    "users started per second, such as 10/s; absent: all in half of the warm-up",
)
WARMUP = Key(
    "warmup",
    kinds.duration("0s", LONGEST, whole_seconds=True),
    0.0,
    "time at the start that is not graded, whole seconds",
)
DURATION = Key(
    "duration",
    kinds.duration("1s", LONGEST, whole_seconds=True),
    1.0,
    "length of the measured window, whole seconds",
    required=True,
)
DRAIN = Key("drain", kinds.duration("1s", "10m"), 30.0, "for requests in flight at the end")
_TAG = kinds.text(pattern=r"[^\s,]+", what="tag", example="read")
TAGS: Key[tuple[str, ...]] = Key("tags", kinds.list_of(_TAG), (), "only tasks with one of these tags")
EXCLUDE_TAGS: Key[tuple[str, ...]] = Key("exclude_tags", kinds.list_of(_TAG), (), "tasks left out")
WORKLOAD_KEYS: tuple[Key[Any], ...] = (
    SCENARIO,
    USERS,
    SPAWN_RATE,
    WARMUP,
    DURATION,
    DRAIN,
    TAGS,
    EXCLUDE_TAGS,
)
_OPEN_MODEL = {
    "rate": "the open model (arrivals per second) cannot be run yet; "
    "write users: N and a Locust file as scenario"
}


def _read_workload(value: Value) -> Workload | None:
    section = Section(value, WORKLOAD_KEYS, refused=_OPEN_MODEL)
    users, warmup = section.get(USERS), section.get(WARMUP)
    rate = section.get(SPAWN_RATE)
    if rate is not None and (slow := ramp_fault(users, rate, warmup)):
        (section.below(SPAWN_RATE) or value).wrong(slow)
    return Workload(
        scenario=section.get(SCENARIO),
        users=users,
        spawn_rate=rate or default_spawn_rate(users, warmup),
        warmup=warmup,
        duration=section.get(DURATION),
        position=value.position,
        drain=section.get(DRAIN),
        tags=section.get(TAGS),
        exclude_tags=section.get(EXCLUDE_TAGS),
    )


def default_spawn_rate(users: int, warmup: float) -> float:
    """Return the users to start per second: all within half of the warm-up; without one, all at once."""
    return max(1.0, users / (warmup / 2)) if warmup else float(users)


def ramp_fault(users: int, rate: float, warmup: float) -> str:
    """Say why starting `users` at `rate` a second does not fit into the warm-up; empty where it does."""
    room = max(1.0, warmup)
    if users / rate <= room:
        return ""
    needed = format_duration(Fraction(round(users / rate)))
    enough = format_rate(Fraction(-(-users // int(room))))
    return (
        f"starts {users} users in {needed}, longer than the warm-up, so the window would see fewer; "
        f"write spawn_rate: {enough} or more, or a longer warmup"
    )


WORKLOAD: Key[Workload | None] = Key(
    "workload", Kind(_read_workload, object_schema(WORKLOAD_KEYS)), None, "what load is sent", required=True
)

_STATUS = kinds.text(pattern="[1-5][0-9][0-9]|[1-5]xx", what="status code or class", example="5xx or 429")
_STATUSES = kinds.list_of(_STATUS, at_least=1)
STATUSES: Key[tuple[str, ...]] = Key(
    "statuses",
    Kind(
        _STATUSES.read,
        {
            "type": "array",
            "minItems": 1,
            "uniqueItems": True,
            "items": {
                "oneOf": [
                    {"type": "string", "pattern": kinds.anchored("[1-5][0-9][0-9]|[1-5]xx")},
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
    Kind(_read_failures, object_schema(FAILURES_KEYS)),
    FailureRule(),
    "which responses are failures",
)

_HEADER = kinds.text(pattern=HEADER_PATTERN, what="header name", example="x-cache")
CACHE_HEADERS: Key[tuple[str, ...]] = Key(
    "headers",
    kinds.list_of(_HEADER, at_least=1),
    CacheRule().headers,
    "response headers that tell a hit from a miss, looked up in this order",
)
CACHE_KEYS: tuple[Key[Any], ...] = (CACHE_HEADERS,)


def _read_cache(value: Value) -> CacheRule:
    headers = Section(value, CACHE_KEYS).get(CACHE_HEADERS)
    return CacheRule(tuple(dict.fromkeys(header.lower() for header in headers)))


CACHE = Key("cache", Kind(_read_cache, object_schema(CACHE_KEYS)), CacheRule(), "how the cache shows itself")

_NORMAL = ValidityLimits()
VALIDITY_KEYS: tuple[Key[Any], ...] = (
    Key("min_sent", kinds.RATIO, _NORMAL.min_sent, "smallest share of the planned users really there"),
    Key("max_generator_cpu", kinds.SHARE, _NORMAL.max_generator_cpu, "largest share of a core a worker uses"),
    Key("max_loop_lag", kinds.duration("1ms", "10m"), _NORMAL.max_loop_lag, "p99 lateness of its event loop"),
    Key(
        "max_unrecorded",
        kinds.whole(0, 1_000_000_000),
        _NORMAL.max_unrecorded,
        "requests without a recorded outcome",
    ),
    Key(
        "max_clock_skew",
        kinds.duration("1ms", "1h"),
        _NORMAL.max_clock_skew,
        "between Prometheus's clock and ours",
    ),
    Key("max_clock_jump", kinds.duration("1ms", "1h"), _NORMAL.max_clock_jump, "of the wall clock"),
    Key("min_slices", kinds.whole(1, 86_400), _NORMAL.min_slices, "fewest one-second slices in the window"),
    Key(
        "max_scrape_gap",
        kinds.number(1, 1000),
        _NORMAL.max_scrape_gap,
        "largest gap between two samples, in scrape intervals",
    ),
    Key("steady", kinds.BOOLEAN, _NORMAL.steady, "whether met asks for a window without a drift"),
)


def _read_validity(value: Value) -> ValidityLimits:
    section = Section(value, VALIDITY_KEYS)
    return ValidityLimits(**{key.name: section.get(key) for key in VALIDITY_KEYS})


VALIDITY = Key(
    "validity",
    Kind(_read_validity, object_schema(VALIDITY_KEYS)),
    _NORMAL,
    "what a run must keep to be believed",
)
