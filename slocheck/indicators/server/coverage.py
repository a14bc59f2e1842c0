"""How long the processes with traffic were running, and how much of that time their growth covers."""

from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction

from slocheck.indicators.server.growth.counts import Counted
from slocheck.indicators.server.growth.scrape_targets import ScrapeTarget, target_name
from slocheck.indicators.server.server_side import ServerSide

NEXT_SCRAPES = 2
"""A process also ran for this many intervals before its first scrape in a period, and after its last."""

Period = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Coverage:
    """The processes that had traffic in a period.

    A pod that is replaced, or a target that gets another name, is two processes one after the other: their
    seconds add up, and there is one of them at a time.

    Attributes:
        seconds: What their growth is divided by: seconds between first and last scrape, or from the
            process's start if that is in the period, added up over processes.
        instances: How many there were at a time, on average over the time in which there was any.
    """

    seconds: Fraction
    instances: Fraction


def coverage(server: ServerSide, counted: Counted, end: float) -> Coverage | None:
    """Return the coverage of a growth from the window's start to `end`; None if it covers no time."""
    start = server.window_start
    busy = {target_name(labels) for labels, part in counted.parts if part.total > 0}
    covered: list[Period] = []
    present: list[Period] = []
    for name in server.targets:
        target = server.target(name, server.preset.counter or "")
        measured = _measured(target, start, end) if name in busy else None
        if measured:
            covered.append(measured)
            present.append(_present(target, measured, (start, end), server.raw.scrape_interval))
    if not covered:
        return None
    return Coverage(_summed(covered), _summed(present) / _summed(_united(present)))


def _measured(target: ScrapeTarget, start: float, end: float) -> Period | None:
    """Return the period that a process's growth covers: from its first scrape, or its start if known."""
    inside = [time for time in target.scrapes if start <= time <= end]
    if not inside:
        return None
    born = target.born_since(start, inside[0])
    begin = inside[0] if born is None else min(born, inside[0])
    return (begin, inside[-1]) if inside[-1] > begin else None


def _present(target: ScrapeTarget, measured: Period, period: Period, interval: float) -> Period:
    """Return when a process was running: up to the period's ends if it was scraped beyond them."""
    begin, end = measured
    near = NEXT_SCRAPES * interval
    before = any(begin - near <= time < period[0] for time in target.scrapes)
    after = any(period[1] < time <= end + near for time in target.scrapes)
    return (period[0] if before else begin, period[1] if after else end)


def _united(periods: Iterable[Period]) -> list[Period]:
    """Return the same time as periods that do not overlap."""
    found: list[Period] = []
    for begin, end in sorted(periods):
        if found and begin <= found[-1][1]:
            found[-1] = found[-1][0], max(found[-1][1], end)
        else:
            found.append((begin, end))
    return found


def _summed(periods: Iterable[Period]) -> Fraction:
    return sum((Fraction(end) - Fraction(begin) for begin, end in periods), Fraction(0))
