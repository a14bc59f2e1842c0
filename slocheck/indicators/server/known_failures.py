"""What the client saw failing, put into the slices of the server's counts."""

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import replace

from slocheck.indicators.server.client_counts import ClientCounts
from slocheck.indicators.server.growth.counts import Counted
from slocheck.indicators.server.reconcile import CountDiscrepancy
from slocheck.indicators.server.server_side import ServerSide


def with_known_failures(
    discrepancy: CountDiscrepancy,
    server: ServerSide,
    counted: Counted,
    client: ClientCounts,
    failures: Sequence[int],
) -> CountDiscrepancy:
    """Return a discrepancy with what the client knows of the server's window.

    Args:
        discrepancy: Of `counted`.
        server: The side that `counted` is from.
        counted: The requests of the window.
        client: All that the client counted.
        failures: Of it, the bad requests for the indicator, per second of the window.
    """
    total, sent = round(counted.total()), client.window_sent
    return replace(
        discrepancy.of_window(total, sent),
        known_bad=_in_slices(server, counted, failures),
        never_arrived=sum(_in_slices(server, counted, client.window_never_arrived)),
    )


def failures_at_most(server: ServerSide, counted: Counted, failures: Sequence[int]) -> tuple[int, ...]:
    """Return the failures of the server's window that the client knows of at most, one number a slice.

    What failed just before the first scrape may have been counted after it.
    """
    found = [0] * counted.slots.count
    for second, number in enumerate(failures):
        found[_slice_of(server, counted, second)] += number
    return tuple(found)


def _in_slices(server: ServerSide, counted: Counted, per_second: Sequence[int]) -> tuple[int, ...]:
    """Return the failures of the server's window that the client knows of, one number a slice.

    Args:
        server: After a warm-up its window begins later than the client's: at the first scrape in it.
        counted: Gives the slices.
        per_second: The client's failures in each second of its window, by their intended start.
    """
    begin = _all_scraped_from(server)
    found = [0] * counted.slots.count
    for second, number in enumerate(per_second):
        if number and server.raw.start + second >= begin:
            found[_slice_of(server, counted, second)] += number
    return tuple(found)


def _slice_of(server: ServerSide, counted: Counted, second: int) -> int:
    slots = counted.slots
    return slots.index(server.raw.start + second + 1 + slots.interval / 2, slots.count)


def _all_scraped_from(server: ServerSide) -> float:
    """Return the moment from which the growth of every process belongs to the server's window."""
    if server.window_is_load:
        return server.raw.start
    begins = [server.window_start]
    for target in server.targets.values():
        first = bisect_left(target.scrapes, server.window_start)
        if 0 < first < len(target.scrapes):
            begins.append(target.scrapes[first])
    return max(begins)
