"""Recordings and workers' reports as plain values, and back.

They come once a second and are large, so they have their own form: flat lists of numbers. An entry of a
report that cannot be read is named and left out; the entries next to it still count.
"""

import reprlib
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from itertools import chain
from math import isfinite
from typing import Any, TypeVar

from slocheck.documents.texts import shorten, valid_text
from slocheck.evidence.forbidden import ForbiddenConnection
from slocheck.evidence.histogram import MAX_INDEX
from slocheck.evidence.merge import MAX_MESSAGE, Delta
from slocheck.evidence.recording import BEFORE_LOAD, ErrorExample, FailureClass, SliceCounts, SlowRequest
from slocheck.load.messaging.messages import (
    ArrivalCounts,
    HealthSamples,
    Histograms,
    TaskCounts,
    WorkerReport,
)
from slocheck.spec.model import Endpoint

K = TypeVar("K")
T = TypeVar("T")
MAX_COUNT = (1 << 63) - 1
"""The largest value of any number, nanoseconds included: what 64 bits hold."""
_MAX_STATUS = 999
_MAX_SECOND = 10_000_000
"""The largest second of a run: about four months."""
_SHOWN_ONLY = frozenset({"messages", "memory", "classes", "error", "slowest"})
"""Entries on which no verdict depends."""
_JUNK = (LookupError, TypeError, ValueError, ArithmeticError, AttributeError)
_MAX_SHOWN = 60


class Reading:
    """Reads plain values, entry by entry.

    Attributes:
        lost: Entries that could not be read and on which a verdict depends.
        unseen: Entries that could not be read and are only shown.
    """

    def __init__(self) -> None:
        self.lost: list[str] = []
        self.unseen: list[str] = []

    def _lose(self, name: str, plain: object, error: Exception) -> None:
        text = f"{name}: {error}: {_shown(plain)}"
        (self.unseen if name in _SHOWN_ONLY else self.lost).append(text)

    def one(self, name: str, plain: Any, read: Callable[[Any], T], otherwise: T) -> T:
        """Return one entry; `otherwise` if it cannot be read."""
        try:
            return read(plain)
        except _JUNK as error:
            self._lose(name, plain, error)
            return otherwise

    def each(self, name: str, plain: Any, read: Callable[[Any], T]) -> tuple[T, ...]:
        """Return the entries of a list that can be read."""
        found = []
        for item in self.one(name, plain, _list, list[Any]()):
            try:
                found.append(read(item))
            except _JUNK as error:
                self._lose(name, item, error)
        return tuple(found)

    def pairs(self, name: str, plain: Any, read: Callable[[Any, Any], T]) -> tuple[T, ...]:
        """Return the entries of a flat list of pairs that can be read."""
        listed = self.one(name, plain, lambda flat: list(_pairs(_list(flat))), list[tuple[Any, Any]]())
        return self.each(name, listed, lambda pair: read(*pair))

    def table(self, name: str, items: Iterable[tuple[K, T]]) -> dict[K, T]:
        """Return entries by key; a second entry under one key is lost."""
        found: dict[K, T] = {}
        for key, value in items:
            if key in found:
                self._lose(name, key, ValueError("it is there twice"))
            else:
                found[key] = value
        return found


def _shown(plain: object) -> str:
    try:
        return valid_text(reprlib.repr(plain)[:_MAX_SHOWN])
    except ValueError:  # an integer of thousands of digits
        return f"a number of type {type(plain).__name__}"


def plain_report(report: WorkerReport) -> dict[str, Any]:
    """Return a worker's report as plain values; foreign texts in it are made valid Unicode."""
    health, arrivals, tasks = report.health, report.arrivals, report.tasks
    return {
        "sequence": report.sequence,
        "final": report.final,
        "delta": plain_delta(report.delta),
        "running": report.running,
        "open": report.open,
        "in_flight": report.in_flight,
        "unrecorded": report.unrecorded,
        "last_end_ns": report.last_end_ns,
        "cpu": _flat(health.cpu),
        "users": _flat(health.users.items()),
        "loop_lag": _plain_histograms(health.loop_lag),
        "exceptions": _flat((valid_text(text), count) for text, count in health.exceptions.items()),
        "messages": list(map(valid_text, health.messages)),
        "memory": health.memory,
        "listener_errors": _flat((valid_text(text), count) for text, count in health.listener_errors.items()),
        "classes": list(map(valid_text, health.classes)),
        "dropped": _flat(arrivals.dropped.items()),
        "lag": _plain_histograms(arrivals.lag),
        "tasks": [tasks.done, tasks.raised, tasks.busy, valid_text(tasks.gone)],
        "forbidden": [
            [valid_text(each.host), valid_text(each.address), each.port, each.count]
            for each in report.forbidden
        ],
    }


def read_report(plain: Any) -> WorkerReport:
    """Return a worker's report from plain values; it names the entries that could not be read.

    A sequence number that cannot be read becomes 0. A report is final only if it says so readably.

    Raises:
        ValueError: It is not a report at all.
    """
    if not isinstance(plain, Mapping) or "sequence" not in plain:
        raise ValueError("not a report")
    reading = Reading()

    def count(name: str) -> int:
        return reading.one(name, plain.get(name), _count, 0)

    delta = reading.one("delta", plain.get("delta"), lambda parts: read_delta(parts, reading), Delta())
    health = _health(plain, reading)
    arrivals = ArrivalCounts(
        dropped=reading.table("dropped", reading.pairs("dropped", plain.get("dropped"), _second_and_count)),
        lag=_histograms("lag", plain, reading),
    )
    return WorkerReport(
        sequence=count("sequence"),
        final=reading.one("final", plain.get("final"), _bool, otherwise=False),
        delta=delta,
        running=count("running"),
        open=count("open"),
        in_flight=count("in_flight"),
        unrecorded=count("unrecorded"),
        last_end_ns=count("last_end_ns"),
        health=health,
        arrivals=arrivals,
        tasks=reading.one("tasks", plain.get("tasks"), lambda parts: _task_counts(*parts), TaskCounts()),
        forbidden=reading.each("forbidden", plain.get("forbidden"), lambda parts: _forbidden(*parts)),
        unreadable=tuple(reading.lost),
        unseen=tuple(reading.unseen),
    )


def _health(plain: Mapping[str, Any], reading: Reading) -> HealthSamples:
    return HealthSamples(
        cpu=reading.pairs("cpu", plain.get("cpu"), lambda second, share: (_second(second), _share(share))),
        users=reading.table("users", reading.pairs("users", plain.get("users"), _second_and_count)),
        loop_lag=_histograms("loop_lag", plain, reading),
        exceptions=_by_text("exceptions", plain, reading),
        messages=reading.each("messages", plain.get("messages"), _text),
        memory=reading.one("memory", plain.get("memory"), _count, 0),
        listener_errors=_by_text("listener_errors", plain, reading),
        classes=reading.each("classes", plain.get("classes"), _text),
    )


def plain_delta(delta: Delta) -> list[Any]:
    """Return a delta as plain values."""
    return [
        [[*_plain_endpoint(endpoint), *_plain_slice(counts)] for endpoint, counts in delta.counts],
        [
            [*_plain_endpoint(e.endpoint), e.failure.value, e.count, valid_text(e.message), e.second]
            for e in delta.errors
        ],
        [
            [*_plain_endpoint(one.endpoint), one.latency_ns, one.second, one.status, one.failure or ""]
            for one in delta.slowest
        ],
    ]


def read_delta(plain: Any, reading: Reading) -> Delta:
    """Return a delta from plain values; slices and errors that cannot be read are named in `reading`.

    Raises:
        ValueError, TypeError: It is not a delta at all.
    """
    counts, errors, slowest = plain
    return Delta(
        counts=reading.each("requests", counts, lambda parts: _endpoint_slice(*parts)),
        errors=reading.each("error", errors, lambda parts: _error(*parts)),
        slowest=reading.each("slowest", slowest, lambda parts: _slow_request(*parts)),
    )


def _plain_endpoint(endpoint: Endpoint) -> tuple[str, str]:
    return valid_text(endpoint.method), valid_text(endpoint.name)


def _plain_slice(counts: SliceCounts) -> list[Any]:
    return [
        counts.second,
        counts.ok,
        _flat((failure.value, count) for failure, count in counts.failures.items()),
        _flat(counts.statuses.items()),
        counts.unserved,
        list(counts.over),
        _flat(counts.latencies.items()),
        _flat(counts.failed_latencies.items()),
        counts.total_ns,
        counts.max_ns,
        counts.cache_hits,
        counts.cache_misses,
        counts.bytes_received,
        _flat(counts.service_times.items()),
    ]


def _endpoint_slice(method: Any, name: Any, *plain: Any) -> tuple[Endpoint, SliceCounts]:
    second, ok, failures, statuses, unserved, over, latencies, failed, total, top, hits, misses, *rest = plain
    size, service_times = rest
    counts = SliceCounts(
        second=_whole(second, BEFORE_LOAD, _MAX_SECOND),
        ok=_count(ok),
        failures=_once(
            {FailureClass(each): _count(count) for each, count in _pairs(_list(failures))}, failures
        ),
        statuses=_counts(statuses, _MAX_STATUS),
        unserved=_count(unserved),
        over=tuple(map(_count, _list(over))),
        latencies=_counts(latencies),
        failed_latencies=_counts(failed),
        total_ns=_count(total),
        max_ns=_count(top),
        cache_hits=_count(hits),
        cache_misses=_count(misses),
        bytes_received=_count(size),
        service_times=_counts(service_times),
    )
    return Endpoint(_text(method), _text(name)), counts


def _error(method: Any, name: Any, *plain: Any) -> ErrorExample:
    failure, count, message, second = plain
    endpoint = Endpoint(_text(method), _text(name))
    shown = shorten(_text(message), MAX_MESSAGE)
    return ErrorExample(endpoint, FailureClass(failure), _count(count), shown, _second(second))


def _slow_request(method: Any, name: Any, *plain: Any) -> SlowRequest:
    latency, second, status, failure = plain
    return SlowRequest(
        Endpoint(_text(method), _text(name)),
        _count(latency),
        _second(second),
        _whole(status, 0, _MAX_STATUS),
        FailureClass(failure) if failure else None,
    )


def _task_counts(done: Any, raised: Any, busy: Any, gone: Any) -> TaskCounts:
    return TaskCounts(_count(done), _count(raised), _count(busy), _text(gone))


def _forbidden(host: Any, address: Any, port: Any, count: Any) -> ForbiddenConnection:
    return ForbiddenConnection(_text(host), _text(address), _count(port), _count(count))


def _plain_histograms(histograms: Histograms) -> list[Any]:
    return [[second, *_flat(counts.items())] for second, counts in histograms.items()]


def _histograms(name: str, plain: Mapping[str, Any], reading: Reading) -> dict[int, dict[int, int]]:
    found = reading.each(name, plain.get(name), lambda parts: (_second(parts[0]), _counts(parts[1:])))
    return reading.table(name, found)


def _by_text(name: str, plain: Mapping[str, Any], reading: Reading) -> dict[str, int]:
    """Return counts by text; texts that encoding made the same are added up."""
    counts: Counter[str] = Counter()
    for text, count in reading.pairs(name, plain.get(name), _text_and_count):
        counts[text] += count
    return dict(counts)


def _flat(pairs: Iterable[tuple[Any, Any]]) -> list[Any]:
    """Return pairs flattened into one list, which is shorter than a list of lists."""
    return list(chain.from_iterable(pairs))


def _pairs(flat: list[Any]) -> Iterable[tuple[Any, Any]]:
    """Return the pairs of a flat list; raises ValueError if its length is odd."""
    values = iter(flat)
    return zip(values, values, strict=True)


def _list(plain: Any) -> list[Any]:
    if not isinstance(plain, list):
        raise TypeError("not a list")
    return plain


def _text(plain: Any) -> str:
    if not isinstance(plain, str):
        raise TypeError("not a text")
    return valid_text(plain)


def _bool(plain: Any) -> bool:
    if not isinstance(plain, bool):
        raise TypeError("neither true nor false")
    return plain


def _whole(plain: Any, lowest: int, highest: int) -> int:
    if type(plain) is not int:
        raise TypeError("not a whole number")
    if not lowest <= plain <= highest:
        raise ValueError("a number out of its range")
    return plain


def _count(plain: Any) -> int:
    return _whole(plain, 0, MAX_COUNT)


def _second(plain: Any) -> int:
    return _whole(plain, -_MAX_SECOND, _MAX_SECOND)


def _share(plain: Any) -> float:
    if type(plain) not in (int, float) or not isfinite(plain) or plain < 0:
        raise ValueError("not a share of a core")
    return float(plain)


def _second_and_count(second: Any, count: Any) -> tuple[int, int]:
    return _second(second), _count(count)


def _text_and_count(text: Any, count: Any) -> tuple[str, int]:
    return _text(text), _count(count)


def _counts(flat: Any, highest: int = MAX_INDEX) -> dict[int, int]:
    """Return a count by bucket index or status, none above `highest`."""
    values = _list(flat)
    if not values:
        return {}
    if set(map(type, values)) != {int} or min(values) < 0:
        raise ValueError("a number that is not whole, or below 0")
    if max(values[::2]) > highest or max(values) > MAX_COUNT:
        raise ValueError("a number out of its range")
    return _once(dict(_pairs(values)), values)


def _once(found: dict[K, int], flat: list[Any]) -> dict[K, int]:
    """Return a flat list of pairs as a dictionary; raises ValueError for a duplicate key."""
    if 2 * len(found) != len(flat):
        raise ValueError("a key is there twice")
    return found
