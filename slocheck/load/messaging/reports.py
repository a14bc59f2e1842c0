"""Workers' reports as plain values, and back.

They come once a second and are large, so they have their own form: flat lists of numbers, and counts as
columns (see `deltas`). An entry of a report that cannot be read is named and left out; the entries next to
it still count.
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from slocheck.documents.texts import valid_text
from slocheck.evidence.forbidden import ForbiddenConnection
from slocheck.evidence.merge import Delta
from slocheck.load.messaging.deltas import plain_delta, plain_lags, read_delta, read_lags
from slocheck.load.messaging.machine_messages import ToCoordinator
from slocheck.load.messaging.messages import (
    ArrivalCounts,
    HealthSamples,
    Histograms,
    MachineReport,
    TaskCounts,
    WorkerReport,
)
from slocheck.load.messaging.reading import (
    Reading,
    a_bool,
    a_count,
    a_list,
    a_second,
    a_share,
    a_text,
    counts_by_key,
    flat,
    second_and_count,
    text_and_count,
)
from slocheck.load.recording.lags import NO_LAGS


@dataclass(frozen=True, slots=True)
class ArrivedReport:
    """A `MachineReport` as it arrived: its counts are read later, together with those of other machines.

    Attributes:
        delta: What the workers recorded, as plain values.
        lag: How late their arrivals were handed out, as plain values.
        reports: As in `MachineReport`.
        alive: As in `MachineReport`.
    """

    delta: Any
    lag: Any
    reports: tuple[tuple[str, WorkerReport], ...]
    alive: Mapping[str, str]


Arrived = ToCoordinator | ArrivedReport
"""What a machine tells the coordinator, as it arrives."""


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
        "cpu": flat(health.cpu),
        "users": flat(health.users.items()),
        "loop_lag": _plain_histograms(health.loop_lag),
        "exceptions": flat((valid_text(text), count) for text, count in health.exceptions.items()),
        "messages": list(map(valid_text, health.messages)),
        "memory": health.memory,
        "listener_errors": flat((valid_text(text), count) for text, count in health.listener_errors.items()),
        "classes": list(map(valid_text, health.classes)),
        "targets": list(map(valid_text, health.targets)),
        "dropped": flat(arrivals.dropped.items()),
        "lag": plain_lags(arrivals.lag),
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
        return reading.one(name, plain.get(name), a_count, 0)

    delta = reading.one("delta", plain.get("delta"), lambda parts: read_delta(parts, reading), Delta())
    health = _health(plain, reading)
    arrivals = ArrivalCounts(
        dropped=reading.table("dropped", reading.pairs("dropped", plain.get("dropped"), second_and_count)),
        lag=reading.one("lag", plain.get("lag"), lambda parts: read_lags(parts, reading), NO_LAGS),
    )
    return WorkerReport(
        sequence=count("sequence"),
        final=reading.one("final", plain.get("final"), a_bool, otherwise=False),
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


def plain_machine_report(report: MachineReport) -> dict[str, Any]:
    """Return a machine's report as plain values, with what could not be read of its workers'."""
    return {
        "delta": plain_delta(report.delta),
        "lag": plain_lags(report.lag),
        "reports": [
            [worker, plain_report(each), list(each.unreadable), list(each.unseen)]
            for worker, each in report.reports
        ],
        "alive": dict(report.alive),
    }


def read_machine_report(plain: Any) -> ArrivedReport:
    """Return a machine's report from plain values, but for its counts: see `gathering`.

    Raises:
        ValueError, TypeError, LookupError: It is not one, or a part of it cannot be read.
    """
    reports = tuple(_of_worker(*parts) for parts in a_list(plain["reports"]))
    alive = {a_text(worker): a_text(state) for worker, state in plain["alive"].items()}
    return ArrivedReport(plain["delta"], plain["lag"], reports, alive)


def _of_worker(worker: Any, plain: Any, unreadable: Any, unseen: Any) -> tuple[str, WorkerReport]:
    report = read_report(plain)
    before = tuple(map(a_text, a_list(unreadable))), tuple(map(a_text, a_list(unseen)))
    return a_text(worker), replace(
        report, unreadable=before[0] + report.unreadable, unseen=before[1] + report.unseen
    )


def _health(plain: Mapping[str, Any], reading: Reading) -> HealthSamples:
    return HealthSamples(
        cpu=reading.pairs("cpu", plain.get("cpu"), lambda second, share: (a_second(second), a_share(share))),
        users=reading.table("users", reading.pairs("users", plain.get("users"), second_and_count)),
        loop_lag=_histograms("loop_lag", plain, reading),
        exceptions=_by_text("exceptions", plain, reading),
        messages=reading.each("messages", plain.get("messages"), a_text),
        memory=reading.one("memory", plain.get("memory"), a_count, 0),
        listener_errors=_by_text("listener_errors", plain, reading),
        classes=reading.each("classes", plain.get("classes"), a_text),
        targets=reading.each("targets", plain.get("targets"), a_text),
    )


def _task_counts(done: Any, raised: Any, busy: Any, gone: Any) -> TaskCounts:
    return TaskCounts(a_count(done), a_count(raised), a_count(busy), a_text(gone))


def _forbidden(host: Any, address: Any, port: Any, count: Any) -> ForbiddenConnection:
    return ForbiddenConnection(a_text(host), a_text(address), a_count(port), a_count(count))


def _plain_histograms(histograms: Histograms) -> list[Any]:
    return [[second, *flat(counts.items())] for second, counts in histograms.items()]


def _histograms(name: str, plain: Mapping[str, Any], reading: Reading) -> dict[int, dict[int, int]]:
    found = reading.each(name, plain.get(name), lambda parts: (a_second(parts[0]), counts_by_key(parts[1:])))
    return reading.table(name, found)


def _by_text(name: str, plain: Mapping[str, Any], reading: Reading) -> dict[str, int]:
    """Return counts by text; texts that encoding made the same are added up."""
    counts: Counter[str] = Counter()
    for text, count in reading.pairs(name, plain.get(name), text_and_count):
        counts[text] += count
    return dict(counts)
