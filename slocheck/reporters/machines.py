"""What each machine of a run sent, in figures; empty if the load came from the coordinator's machine."""

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction

from slocheck.documents.units import NS_PER_SECOND
from slocheck.documents.words import quantity
from slocheck.evidence.histogram import quantile_bounds
from slocheck.evidence.machines import MachineHealth
from slocheck.grading.report import Report
from slocheck.reporters.text import latency_text

PERCENTILES = (Fraction(50, 100), Fraction(95, 100), Fraction(99, 100))


@dataclass(frozen=True, slots=True)
class MachineFigures:
    """One machine, over the window.

    Attributes:
        known: What is known about it.
        cpu: Of its busiest worker, share of one core.
        loop_lag_p99: Largest of its workers, seconds.
        rate: Requests a second; 0 if nothing was measured.
        sent: Requests.
        not_ok: Those that failed or had an unexpected response.
        percentiles: p50, p95 and p99 of its ok requests, nanoseconds; empty without any.
    """

    known: MachineHealth
    cpu: float
    loop_lag_p99: float
    rate: float
    sent: int
    not_ok: int
    percentiles: tuple[float, ...]


def machine_figures(report: Report) -> tuple[MachineFigures, ...]:
    """Return the figures of each machine, in the order in which they joined."""
    health, window_s = report.evidence.health, report.evidence.recording.window_s
    found = []
    for machine in health.machines:
        workers = [each for each in health.workers if each.worker in machine.workers]
        sent = sum(machine.load.sent)
        found.append(
            MachineFigures(
                known=machine,
                cpu=max((worker.cpu for worker in workers), default=0.0),
                loop_lag_p99=max((worker.loop_lag_p99 for worker in workers), default=0.0),
                rate=sent / window_s if window_s > 0 else 0.0,
                sent=sent,
                not_ok=sum(machine.load.not_ok),
                percentiles=tuple(_percentiles(machine)),
            )
        )
    return tuple(found)


def _percentiles(machine: MachineHealth) -> Iterator[float]:
    """Yield the percentiles of the ok requests, each the middle of its bucket."""
    latencies = machine.load.latencies
    if any(latencies.values()):
        for quantile in PERCENTILES:
            low, high = quantile_bounds(latencies, quantile)
            yield (low + high) / 2


COLUMNS = (
    *("machine", "from", "target", "requests", "rate", "not ok", "p50", "p95", "p99"),
    *("schedule lag p99", "loop lag p99", "CPU", "clock"),
)


def machine_row(figures: MachineFigures) -> tuple[str, ...]:
    """Return the cells of a machine, in the order of `COLUMNS`."""
    known = figures.known
    p50, p95, p99 = map(latency_text, figures.percentiles or (None,) * len(PERCENTILES))
    return (
        known.machine,
        known.address or "-",
        ", ".join(known.targets) or "-",
        f"{figures.sent:,}",
        f"{figures.rate:,.1f}/s",
        f"{figures.not_ok:,}",
        *(p50, p95, p99),
        latency_text(known.load.schedule_lag_p99 * NS_PER_SECOND),
        latency_text(figures.loop_lag_p99 * NS_PER_SECOND),
        f"{figures.cpu:.0%}",
        _clock(known),
    )


def _clock(known: MachineHealth) -> str:
    if known.clock_bound is None:
        return "not known"
    ahead = "ahead" if known.clock_offset >= 0 else "behind"
    return f"{abs(known.clock_offset):,.4f} s {ahead}, to within {known.clock_bound * 1000:.3g} ms"


def machine_text(figures: MachineFigures) -> str:
    """Say in a line what a machine sent, and how well."""
    name, where, targets, _, rate, _, p50, p95, p99, lag, loop_lag, cpu, clock = machine_row(figures)
    workers = quantity(len(figures.known.workers), "worker")
    failed = f", {quantity(figures.not_ok, 'request')} not ok" if figures.not_ok else ""
    return (
        f"{name} ({where}, {workers}) to {targets}: {rate}{failed}; p50 {p50}, p95 {p95}, p99 {p99}; "
        f"schedule lag p99 {lag}, loop lag p99 {loop_lag}, CPU {cpu}; clock {clock}"
    )
