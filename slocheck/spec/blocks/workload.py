"""The ``workload`` block of slo.yaml: the scenario, and the load profile in the open or the closed model."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from fractions import Fraction
from math import ceil
from typing import Any, TypeVar

from slocheck.documents import types
from slocheck.documents.reader import InvalidValue, Key, Section, Value, ValueType, object_schema
from slocheck.documents.units import format_duration, format_rate, shown
from slocheck.documents.yaml_tree import SequenceNode
from slocheck.spec.model import Workload, load_profile
from slocheck.spec.model.load_profile import ArrivalProcess, Stage
from slocheck.spec.model.workload import DEFAULT_MAX_BODY, LIST_SEPARATOR, is_locust_file

T = TypeVar("T")

MAX_USERS = 100_000
MAX_RATE = 1_000_000
LONGEST = "24h"
POOL_S = 2.0
"""The open model has as many users as arrivals in this time, so a stall this long drops nothing."""
POOL = (100, 5_000)
"""Its fewest and most users by default."""
MAX_STAGES = 1_000


def check_scenario(path: str) -> str:
    """Return the path of a scenario; raises InvalidValue if it is neither YAML nor a Locust file."""
    if not (is_locust_file(path) or path.endswith((".yaml", ".yml"))):
        raise InvalidValue(
            f"{shown(path)} is not a scenario; write a path that ends in .yaml, or a Locust file (.py)"
        )
    return path


def _read_scenario(value: Value) -> str:
    return check_scenario(types.text().read(value))


def check_rate(rate: float) -> float:
    """Return a rate of arrivals; raises InvalidValue if it is out of range."""
    if not 0 < rate <= MAX_RATE:
        raise InvalidValue(f"{rate:g}/s is out of range; write more than 0/s and at most {MAX_RATE}/s")
    return rate


check_window = types.duration_check("1s", LONGEST, whole_seconds=True)
check_warmup = types.duration_check("0s", LONGEST, whole_seconds=True)

_USERS = types.whole(1, MAX_USERS)
_COUNT = types.whole(0, MAX_USERS)
_SECONDS = Key("for", types.duration("1s", LONGEST, whole_seconds=True), 1.0, "its length", required=True)


def _read_level(value: Value) -> float:
    """Read a rate that may be 0, for the stages."""
    if getattr(value.node, "text", None) == "0/s":
        return 0.0
    return check_rate(types.RATE.read(value))


_LEVEL = ValueType(_read_level, types.RATE.schema)


def _stages(name: str, kind: ValueType[Any]) -> ValueType[tuple[Stage, ...]]:
    """Return the type of a list of stages: ``{NAME: level, for: time}`` holds, ``{to: level, ...}`` ramps."""
    held = Key(name, kind, None, "the level, held")
    ramp = Key("to", kind, None, "the level at its end, reached linearly")
    keys = (held, ramp, _SECONDS)

    def read(value: Value) -> tuple[Stage, ...]:
        items, found, last = value.items(), list[Stage](), 0.0
        if not 0 < len(items) <= MAX_STAGES:
            raise InvalidValue(f"has {len(items)} stages; write 1 to {MAX_STAGES}")
        for item in items:
            section = Section(item, keys)
            if section.has(held) == section.has(ramp):
                item.refuse(
                    f"needs one of '{name}' (held) and 'to' (a ramp); write {{{name}: ..., for: 30s}}"
                )
            end = section.get(held) if section.has(held) else section.get(ramp)
            end = float(end or 0.0)
            found.append(Stage(end if section.has(held) else last, end, section.get(_SECONDS)))
            last = end
        if load_profile.peak(found) <= 0:
            raise InvalidValue("never rises above 0; nothing would be sent")
        return tuple(found)

    one = {**object_schema(keys), "oneOf": [{"required": [name]}, {"required": ["to"]}]}
    return ValueType(read, {"type": "array", "minItems": 1, "maxItems": MAX_STAGES, "items": one})


def _either(one: ValueType[Any], stages: ValueType[tuple[Stage, ...]]) -> ValueType[Any]:
    """Return the type of one level, or of a list of stages."""

    def read(value: Value) -> Any:
        return stages.read(value) if isinstance(value.node, SequenceNode) else one.read(value)

    return ValueType(read, {"oneOf": [*one.schema.get("oneOf", [one.schema]), stages.schema]})


def _read_rate(value: Value) -> float:
    return check_rate(types.RATE.read(value))


SCENARIO = Key(
    "scenario",
    ValueType(_read_scenario, {"type": "string", "pattern": r"\.(py|ya?ml)$"}),
    "",
    "declarative scenario (.yaml) or Locust file (.py), relative to this file's folder; absent: the scenario "
    "block of this file",
)
RATE: Key[Any] = Key(
    "rate",
    _either(ValueType(_read_rate, types.RATE.schema), _stages("rate", _LEVEL)),
    None,
    "open model: arrivals per second, such as 200/s, or a list of stages",
)
OLD_ARRIVALS = {"uniform": ArrivalProcess.EVEN}
"""Words of earlier versions, which are still accepted."""

ARRIVAL_WORDS: dict[str, ArrivalProcess | None] = {
    **{kind.value: kind for kind in ArrivalProcess},
    **OLD_ARRIVALS,
}

ARRIVALS: Key[ArrivalProcess | None] = Key(
    "arrivals",
    types.choice("spread", ARRIVAL_WORDS),
    None,
    "open model: at a random time in each interval (jittered), as independent clients come (poisson), "
    "or exactly on time (even)",
)
MAX_AT_ONCE: Key[int | None] = Key(
    "max_users", _USERS, None, "open model: arrivals served at once; absent: those of 2 s, at least 100"
)
USERS: Key[Any] = Key(
    "users",
    _either(_USERS, _stages("users", _COUNT)),
    None,
    "closed model: virtual users, or a list of stages",
)
SPAWN_RATE: Key[float | None] = Key(
    "spawn_rate",
    types.RATE,
    None,
    "users started per second, such as 10/s; absent: all in half of the warm-up",
)
WARMUP = Key(
    "warmup",
    types.duration("0s", LONGEST, whole_seconds=True),
    0.0,
    "time at the start that is not graded, whole seconds",
)
DURATION: Key[float | None] = Key(
    "duration",
    types.duration("1s", LONGEST, whole_seconds=True),
    None,
    "length of the measured window, whole seconds; with stages: what they leave after the warm-up",
)
DRAIN = Key("drain", types.duration("1s", "10m"), 30.0, "for requests in flight at the end")
MAX_BODY: Key[int] = Key(
    "max_body",
    types.size("1 B", "1024 MiB"),
    DEFAULT_MAX_BODY,
    "largest body of a response, decoded; a larger one is a failure",
)
_TAG = types.text(pattern=r"[^\s,]+", what="tag", example="read")
TAGS: Key[tuple[str, ...]] = Key("tags", types.list_of(_TAG), (), "only tasks with one of these tags")
EXCLUDE_TAGS: Key[tuple[str, ...]] = Key("exclude_tags", types.list_of(_TAG), (), "tasks left out")
_OPTION = r"[A-Za-z0-9][A-Za-z0-9_.-]*"


def _read_option(value: Value) -> str:
    """Return the value of an option; several values as one text with `LIST_SEPARATOR` between them."""
    one = types.text()
    if not isinstance(value.node, SequenceNode):
        return one.read(value)
    items = value.items()
    if not items:
        raise InvalidValue("is an empty list; write at least one value, or leave the option out")
    return LIST_SEPARATOR.join(item.take(one, "") for item in items)


_SCALAR = {"type": ["string", "number", "boolean"]}
OPTIONS: Key[dict[str, str]] = Key(
    "options",
    types.map_of(
        _OPTION,
        "option",
        values=ValueType(
            _read_option, {"oneOf": [_SCALAR, {"type": "array", "items": _SCALAR, "minItems": 1}]}
        ),
    ),
    {},
    "options that the Locust file adds to Locust's command line, without their dashes: {user-file: a.csv, "
    "audit: true, page: [1, 2]}",
)
WORKLOAD_KEYS: tuple[Key[Any], ...] = (
    SCENARIO, RATE, ARRIVALS, MAX_AT_ONCE, USERS, SPAWN_RATE, WARMUP, DURATION, DRAIN, MAX_BODY, TAGS,
    EXCLUDE_TAGS, OPTIONS,
)  # fmt: skip
_OPEN_ONLY = (ARRIVALS, MAX_AT_ONCE)


def _read_workload(value: Value) -> Workload | None:
    section = Section(value, WORKLOAD_KEYS)
    rate, users, warmup = section.get(RATE), section.get(USERS), section.get(WARMUP)
    _check_model(section, value, staged=isinstance(users, tuple))
    stages = next((given for given in (rate, users) if isinstance(given, tuple)), ())
    workload = Workload(
        scenario=section.get(SCENARIO),
        users=users if isinstance(users, int) else ceil(load_profile.peak(users or ())) or 1,
        spawn_rate=1.0,
        warmup=warmup,
        duration=_duration(section, stages, warmup, value),
        position=value.position,
        drain=section.get(DRAIN),
        max_body=section.get(MAX_BODY),
        tags=section.get(TAGS),
        exclude_tags=section.get(EXCLUDE_TAGS),
        options=tuple(f"--{name}={value}" for name, value in section.get(OPTIONS).items()),
    )
    if section.has(RATE):
        arrivals = section.get(ARRIVALS) or ArrivalProcess.JITTERED
        workload = replace(workload, arrivals=arrivals, old_words=tuple(_old_words(section)))
        return with_rate(workload, rate, section.get(MAX_AT_ONCE))
    spawn_rate = section.get(SPAWN_RATE)
    if spawn_rate is not None and not stages and (slow := ramp_problem(workload.users, spawn_rate, warmup)):
        (section.value_of(SPAWN_RATE) or value).refuse(slow)
    chosen = spawn_rate or default_spawn_rate(workload.users, warmup)
    return replace(workload, spawn_rate=chosen, stages=stages)


def _old_words(section: Section) -> Iterator[str]:
    """Yield a sentence for each value that has a new name."""
    written = section.value_of(ARRIVALS)
    if written is not None and (meant := OLD_ARRIVALS.get(written.scalar().text)) is not None:
        yield (
            f"workload.arrivals: {written.scalar().text} is now called {meant.value}; write "
            f"arrivals: {meant.value}, or remove the line for {ArrivalProcess.JITTERED.value}, the default"
        )


def _check_model(section: Section, value: Value, *, staged: bool) -> None:
    """Record keys that do not fit together: there is one model, with its own keys only."""
    if section.has(RATE) and section.has(USERS):
        (section.value_of(USERS) or value).refuse(
            "cannot be combined with 'rate', the open model; write one of them (or max_users)"
        )
    elif not section.has(RATE) and not section.has(USERS):
        value.refuse("has no load; write rate: 200/s (open model) or users: 50 (closed model)")
    for key in _OPEN_ONLY if not section.has(RATE) else ():
        if child := section.value_of(key):
            child.refuse("belongs to the open model; write rate: 200/s, or remove it")
    spawn_rate = section.value_of(SPAWN_RATE)
    if spawn_rate and (section.has(RATE) or staged):
        spawn_rate.refuse("has no effect together with a rate or stages; remove it")


def _duration(section: Section, stages: Sequence[Stage], warmup: float, value: Value) -> float:
    """Return the window's length; stages determine it, and a written duration has to agree."""
    duration = section.get(DURATION)
    if not stages:
        if not section.has(DURATION):
            value.refuse("has no key 'duration'; write duration: 2m (length of the measured window)")
        return duration or 1.0
    left = load_profile.length(stages) - warmup
    if left < 1:
        value.refuse(
            f"has stages of {_shown(load_profile.length(stages))}, and a warm-up of {_shown(warmup)}; "
            "no window is left: write longer stages"
        )
    elif duration is not None and duration != left:
        (section.value_of(DURATION) or value).refuse(
            f"the stages leave {_shown(left)} after the warm-up; write duration: {_shown(left)}, or remove it"
        )
    return max(1.0, left)


def _shown(seconds: float) -> str:
    return format_duration(Fraction(seconds))


def with_rate(workload: Workload, rate: float | tuple[Stage, ...], at_once: int | None) -> Workload:
    """Return the workload in the open model.

    Args:
        workload: With its warm-up and duration.
        rate: Constant, or in stages.
        at_once: Largest number of arrivals in progress; None: as many as arrive in `POOL_S`, within `POOL`.
    """
    stages = rate if isinstance(rate, tuple) else constant_profile(rate or 1.0, workload)
    least, most = POOL
    pool = at_once or min(most, max(least, ceil(POOL_S * load_profile.peak(stages))))
    return replace(workload, rate=stages, stages=(), users=pool, spawn_rate=float(pool))


def constant_profile(level: float, workload: Workload) -> tuple[Stage, ...]:
    """Return the load profile with one constant level over warm-up and window."""
    return (Stage(level, level, workload.warmup + workload.duration),)


def default_spawn_rate(users: int, warmup: float) -> float:
    """Return the users to start per second: all within half of the warm-up, or at once without a warm-up."""
    return max(1.0, users / (warmup / 2)) if warmup else float(users)


def ramp_problem(users: int, rate: float, warmup: float) -> str:
    """Say why starting `users` at `rate` per second does not fit into the warm-up; empty if it does."""
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
    "workload",
    ValueType(_read_workload, object_schema(WORKLOAD_KEYS)),
    None,
    "what load is sent",
    required=True,
)
