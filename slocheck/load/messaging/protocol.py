"""The one place where the load engine's messages become plain values, and plain values messages.

A message on its way is ``[protocol version, slocheck version, kind, fields]``, made of lists, dictionaries
with text keys, texts and numbers, for JSON or msgpack. The first two positions keep their meaning in every
version, so that a process of another version can be refused by name.
"""

import json
from collections.abc import Iterable, Mapping
from functools import cache
from itertools import chain
from typing import Any, get_args

from pydantic import TypeAdapter

import slocheck
from slocheck.documents.texts import each_text, valid_text
from slocheck.evidence.forbidden import ForbiddenConnection
from slocheck.evidence.merge import Delta
from slocheck.evidence.model import LoadHealth
from slocheck.evidence.recording import ErrorExample, FailureClass, SliceCounts
from slocheck.load.messaging.messages import (
    ArrivalCounts,
    Begin,
    Command,
    Drain,
    EndReport,
    FileDone,
    FileEnded,
    FinishWindow,
    HealthSamples,
    Hello,
    Histograms,
    ListenerRuns,
    LoadBegan,
    LoadDone,
    Message,
    Order,
    Prepare,
    Prepared,
    PrepareLoad,
    Progress,
    ScenarioLoaded,
    ScenarioRefused,
    SecondPassed,
    StartLoad,
    StillPreparing,
    StopLoad,
    TaskCounts,
    WorkerMessage,
    WorkerReport,
    WorkerSettings,
    WorkersFailed,
    WorkersReady,
)
from slocheck.spec.model import Endpoint

PROTOCOL = 1
"""Goes up with every change of a message's form or meaning."""
_VERSION_PARTS = 2
_MAX_SHOWN = 40
_KINDS: Mapping[type, str] = {
    PrepareLoad: "prepare-load", StartLoad: "start-load", FinishWindow: "finish-window",
    StopLoad: "stop-load", ScenarioLoaded: "scenario-loaded", WorkersReady: "workers-ready",
    ScenarioRefused: "scenario-refused", WorkersFailed: "workers-failed", LoadBegan: "load-began",
    SecondPassed: "second-passed", LoadDone: "load-done", WorkerSettings: "worker-settings",
    Prepare: "prepare", Begin: "begin", Drain: "drain", Hello: "hello", Prepared: "prepared",
    FileEnded: "file-ended", WorkerReport: "report", EndReport: "end-report",
    StillPreparing: "still-preparing", ListenerRuns: "listener-runs", FileDone: "file-done",
}  # fmt: skip


class ProtocolError(ValueError):
    """What was received is not a message of this protocol."""


class VersionMismatchError(ProtocolError):
    """A message of another version; the text says who speaks which, and what to do."""


def encode(message: Message) -> list[Any]:
    """Return a message as plain values; foreign texts in it become valid Unicode."""
    kind: Any = type(message)
    match message:
        case WorkerReport():
            fields = _plain_report(message)
        case SecondPassed():
            fields = _plain_second(message)
        case PrepareLoad() | WorkerSettings():  # lines of JSON carry the bytes of any path
            fields = _adapter(kind).dump_python(message, mode="json")
        case _:
            fields = _adapter(kind).dump_python(each_text(message, valid_text), mode="json")
    return [PROTOCOL, slocheck.__version__, _KINDS[kind], fields]


def encode_line(message: Message) -> bytes:
    """Return a message as one line of JSON."""
    return json.dumps(encode(message)).encode() + b"\n"


def decode_command(line: bytes) -> Command:
    """Return what the command line tells the master; raises ProtocolError."""
    command: Command = _decode(_parsed(line), Command, "the command line", "this master")
    return command


def decode_progress(line: bytes) -> Progress:
    """Return what the master tells the command line; raises ProtocolError."""
    progress: Progress = _decode(_parsed(line), Progress, "the master", "this command line")
    return progress


def decode_settings(line: bytes) -> WorkerSettings:
    """Return what the master tells a worker that it starts; raises ProtocolError."""
    settings: WorkerSettings = _decode(_parsed(line), WorkerSettings, "the master", "this worker")
    return settings


def decode_order(plain: object) -> Order:
    """Return what the master tells a worker; raises ProtocolError."""
    order: Order = _decode(plain, Order, "the master", "this worker")
    return order


def decode_worker_message(plain: object, worker: str) -> WorkerMessage:
    """Return what a worker of this name tells the master; raises ProtocolError."""
    message: WorkerMessage = _decode(plain, WorkerMessage, f"worker {worker}", "this master")
    return message


def _parsed(line: bytes) -> object:
    try:
        return json.loads(line)
    except (ValueError, RecursionError) as error:
        raise ProtocolError(f"not a line of JSON: {error}") from error


def _decode(plain: object, allowed: Any, sender: str, receiver: str) -> Any:
    """Return a message of one of the allowed types (a class, or a union of them)."""
    if not isinstance(plain, list) or len(plain) < _VERSION_PARTS:
        raise ProtocolError(f"not a message of {sender}")
    _check_version(plain, sender, receiver)
    types = {_KINDS[each]: each for each in get_args(allowed) or (allowed,)}
    try:
        kind, fields = plain[_VERSION_PARTS:]
        message = types[kind]
        if message is WorkerReport:
            return _report(fields)
        if message is SecondPassed:
            return _second(fields)
        return _adapter(message).validate_python(fields)
    except (LookupError, TypeError, ValueError, ArithmeticError, AttributeError) as error:
        raise ProtocolError(f"not a message of {sender}: {error!r}") from error


def _check_version(plain: list[Any], sender: str, receiver: str) -> None:
    protocol, version = plain[:_VERSION_PARTS]
    if not isinstance(protocol, int) or not isinstance(version, str):
        raise ProtocolError(f"not a message of {sender}")
    if (protocol, version) != (PROTOCOL, slocheck.__version__):
        raise VersionMismatchError(
            f"{sender} speaks protocol {protocol} (slocheck {version[:_MAX_SHOWN]}), {receiver} {PROTOCOL} "
            f"(slocheck {slocheck.__version__}): install the same version"
        )


@cache
def _adapter(kind: Any) -> TypeAdapter[Any]:
    return TypeAdapter(kind)


def _plain_second(second: SecondPassed) -> dict[str, Any]:
    return {
        "second": second.second,
        "phase": second.phase,
        "users": second.users,
        "deltas": [_plain_delta(delta) for delta in second.deltas],
        "health": _adapter(LoadHealth).dump_python(second.health, mode="json"),
    }


def _second(plain: dict[str, Any]) -> SecondPassed:
    return SecondPassed(
        second=int(plain["second"]),
        phase=str(plain["phase"]),
        users=int(plain["users"]),
        deltas=tuple(_delta(delta) for delta in plain["deltas"]),
        health=_adapter(LoadHealth).validate_python(plain["health"]),
    )


def _plain_report(report: WorkerReport) -> dict[str, Any]:
    health, arrivals = report.health, report.arrivals
    return {
        "sequence": report.sequence,
        "final": report.final,
        "delta": _plain_delta(report.delta),
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
        "classes": list(health.classes),
        "dropped": _flat(arrivals.dropped.items()),
        "lag": _plain_histograms(arrivals.lag),
        "tasks": [report.tasks.done, report.tasks.raised, report.tasks.busy, report.tasks.gone],
        "forbidden": [
            [valid_text(each.host), valid_text(each.address), each.port, each.count]
            for each in report.forbidden
        ],
    }


def _report(plain: dict[str, Any]) -> WorkerReport:
    health = HealthSamples(
        cpu=tuple((int(second), float(share)) for second, share in _pairs(plain["cpu"])),
        users={int(second): int(users) for second, users in _pairs(plain["users"])},
        loop_lag=_histograms(plain["loop_lag"]),
        exceptions={str(text): int(count) for text, count in _pairs(plain["exceptions"])},
        messages=tuple(str(text) for text in plain["messages"]),
        memory=int(plain["memory"]),
        listener_errors={str(text): int(count) for text, count in _pairs(plain["listener_errors"])},
        classes=tuple(str(name) for name in plain["classes"]),
    )
    arrivals = ArrivalCounts(
        dropped={int(second): int(count) for second, count in _pairs(plain["dropped"])},
        lag=_histograms(plain["lag"]),
    )
    return WorkerReport(
        sequence=int(plain["sequence"]),
        final=bool(plain["final"]),
        delta=_delta(plain["delta"]),
        running=int(plain["running"]),
        open=int(plain["open"]),
        in_flight=int(plain["in_flight"]),
        unrecorded=int(plain["unrecorded"]),
        last_end_ns=int(plain["last_end_ns"]),
        health=health,
        arrivals=arrivals,
        tasks=_task_counts(*plain["tasks"]),
        forbidden=tuple(
            ForbiddenConnection(str(host), str(address), int(port), int(count))
            for host, address, port, count in plain["forbidden"]
        ),
    )


def _task_counts(done: object, raised: object, busy: object, gone: object) -> TaskCounts:
    return TaskCounts(int(str(done)), int(str(raised)), int(str(busy)), str(gone))


def _plain_delta(delta: Delta) -> list[Any]:
    return [
        [[*_plain_endpoint(endpoint), *_plain_slice(counts)] for endpoint, counts in delta.counts],
        [
            [*_plain_endpoint(e.endpoint), e.failure.value, e.count, valid_text(e.message), e.second]
            for e in delta.errors
        ],
    ]


def _plain_endpoint(endpoint: Endpoint) -> tuple[str, str]:
    return valid_text(endpoint.method), valid_text(endpoint.name)


def _delta(plain: list[Any]) -> Delta:
    counts, errors = plain
    return Delta(
        counts=tuple((Endpoint(str(method), str(name)), _slice(values)) for method, name, *values in counts),
        errors=tuple(
            ErrorExample(
                Endpoint(str(method), str(name)), FailureClass(failure), int(count), str(message), int(second)
            )
            for method, name, failure, count, message, second in errors
        ),
    )


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


def _slice(plain: list[Any]) -> SliceCounts:
    second, ok, failures, statuses, unserved, over, latencies, failed, total, top, hits, misses, *rest = plain
    size, service_times = rest
    return SliceCounts(
        second=int(second),
        ok=int(ok),
        failures={FailureClass(failure): int(count) for failure, count in _pairs(failures)},
        statuses=_counts(statuses),
        unserved=int(unserved),
        over=tuple(map(int, over)),
        latencies=_counts(latencies),
        failed_latencies=_counts(failed),
        total_ns=int(total),
        max_ns=int(top),
        cache_hits=int(hits),
        cache_misses=int(misses),
        bytes_received=int(size),
        service_times=_counts(service_times),
    )


def _plain_histograms(histograms: Histograms) -> list[Any]:
    return [[second, *_flat(counts.items())] for second, counts in histograms.items()]


def _histograms(plain: list[Any]) -> dict[int, dict[int, int]]:
    return {int(second): _counts(counts) for second, *counts in plain}


def _flat(pairs: Iterable[tuple[Any, Any]]) -> list[Any]:
    """Return pairs one after the other in one list, which is shorter than a list of lists."""
    return list(chain.from_iterable(pairs))


def _pairs(flat: list[Any]) -> Iterable[tuple[Any, Any]]:
    """Return the pairs of a flat list; one left over raises ValueError."""
    values = iter(flat)
    return zip(values, values, strict=True)


def _counts(flat: list[Any]) -> dict[int, int]:
    """Return a count by bucket index or status; neither is below 0."""
    values = list(map(int, flat))
    if values and min(values) < 0:
        raise ValueError("a count or an index is below 0")
    return dict(_pairs(values))
