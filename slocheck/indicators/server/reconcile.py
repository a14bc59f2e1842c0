"""The server's counts against the client's: what it did not see, and what was not ours."""

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import ceil

from slocheck.indicators.samples import Display, NoData, Share, Slices
from slocheck.indicators.server.client_counts import ClientCounts
from slocheck.indicators.server.counters import Flag

DUPLICATE_TOLERANCE = Fraction(1, 20)


@dataclass(frozen=True, slots=True)
class CountDiscrepancy:
    """How far the server's counts of the window can be off.

    Attributes:
        unseen: Requests that the client sent and the server did not count, at most.
        extra: Requests that the server counted and the client did not send, at most.
        lost: Of the unseen ones, those of the window that surely failed and surely are in no counter.
        unanswered: Requests of the window that surely failed, counted by the server or not.
        whole: The window is the whole load, so that what is ours in it adds up to what was sent. Else
            any part of the extra and unseen requests may lie in the warm-up.
    """

    unseen: int
    extra: int
    lost: int
    unanswered: int
    whole: bool = True


def reconcile(
    run_total: Fraction, client: ClientCounts, *, flags: frozenset[Flag], quiet: Fraction, whole: bool
) -> CountDiscrepancy | NoData:
    """Compare the server's growth over the whole load with what the client sent.

    A request without a response may or may not have reached a counter. So as many of them as there are
    may be unseen, with as many requests of others in their place.

    Args:
        run_total: The server's count from before the load to after it.
        client: What the client sent; a `sent` of 0 means that it is unknown.
        flags: Of the server's count; a flagged one is a lower bound.
        whole: The window is the whole load.
        quiet: The server's growth before the load: above 0 there is traffic that is not ours.
    """
    named = ", ".join(sorted(flag.value for flag in flags))
    sent = client.sent
    if sent == 0:
        if flags:
            return NoData(f"the counters are incomplete ({named}) and no client count tells by how much")
        return CountDiscrepancy(0, 0, 0, client.window_unanswered, whole)
    times = run_total / sent
    nearest = round(times)
    if nearest > 1 and abs(times - nearest) <= DUPLICATE_TOLERANCE:
        return NoData(
            f"the server counted {nearest} times what was sent: is one target scraped by several jobs? "
            "pin one with selector: {job: ...}",
            source_failed=True,
        )
    if flags and (quiet > 0 or run_total > sent):
        return NoData(
            f"the counters are incomplete ({named}), and other traffic hides how much is missing; "
            "run while nobody else uses the target"
        )
    missing = max(0, ceil(sent - run_total))
    unseen = max(missing, client.unanswered)
    extra = max(0, ceil(run_total - sent + unseen))
    lost = min(client.window_unanswered, missing) if whole else 0
    return CountDiscrepancy(unseen, extra, lost, client.window_unanswered, whole)


def bounded_share(
    bad_low: int, bad_upper: int, total: int, doubt: CountDiscrepancy
) -> tuple[Fraction, Fraction] | None:
    """Return the least and the largest share of bad requests; None where nothing of ours is left.

    At worst the extra requests were all good ones and every unseen one was bad; at best the extra ones
    were bad, and of the unseen ones only those failed that the client knows to have failed.
    """
    ours = total - doubt.extra + doubt.unseen
    if ours <= 0:
        return None
    # with a warm-up fewer of the extra requests may lie in the window, which makes more of it ours
    most = ours if doubt.whole else total - min(doubt.extra, bad_low) + doubt.unseen
    least_bad = Fraction(max(0, bad_low - doubt.extra) + doubt.lost, most)
    surely_bad = Fraction(doubt.unanswered, ours if doubt.whole else total + doubt.unseen)
    low = max(least_bad, surely_bad)
    high = Fraction(min(bad_upper, max(0, total - doubt.extra)) + doubt.unseen, ours)
    return min(low, Fraction(1)), min(high, Fraction(1))


def widened_slices(slices: Slices, doubt: CountDiscrepancy) -> Slices:
    """Put the doubt into the slices, concentrated, as neighbours that fail together would be.

    The unseen requests are possibly bad ones of the last slice. The extra ones are taken from the good of
    the fullest slices, and no longer surely bad where they may have been.
    """
    if doubt.unseen == doubt.extra == 0:
        return slices
    n, bad = list(slices.n), list(slices.bad)
    high = list(slices.bad_upper or slices.bad)
    _take(n, high, doubt.extra)
    _take(bad, [0] * len(bad), doubt.extra)
    n[-1] += doubt.unseen
    high[-1] += doubt.unseen
    bad[-1] += doubt.lost
    n = [max(size, possible) for size, possible in zip(n, high, strict=True)]
    edges = tuple(
        tuple(min(size, max(edge, possible)) for size, edge, possible in zip(n, series, high, strict=True))
        for series in slices.edges
    )
    return Slices(tuple(n), tuple(min(*pair) for pair in zip(bad, high, strict=True)), tuple(high), edges)


def _take(amounts: list[int], floor: Sequence[int], count: int) -> None:
    """Take `count` away from the largest amounts, none below its floor."""
    for index in sorted(range(len(amounts)), key=lambda place: amounts[place] - floor[place], reverse=True):
        taken = min(count, amounts[index] - floor[index])
        amounts[index] -= taken
        count -= taken


def discrepancy_notes(doubt: CountDiscrepancy, flags: frozenset[Flag]) -> tuple[str, ...]:
    """Say in words what widened the bounds."""
    notes = [flag.value.replace("_", " ") for flag in sorted(flags)]
    if doubt.unseen:
        notes.append(f"up to {doubt.unseen:,} requests that were sent are in no counter of the server")
    if doubt.extra:
        notes.append(f"up to {doubt.extra:,} requests in the server's counters were not sent by this run")
    return tuple(notes)


def share_sample(
    bad: tuple[int, int],
    total: int,
    doubt: CountDiscrepancy,
    *,
    display: Display,
    slices: Slices,
    flags: frozenset[Flag],
) -> Share | NoData:
    """Make a share of counted bad requests, (surely, possibly) bad, widened by the doubt."""
    bounds = bounded_share(bad[0], bad[1], total, doubt)
    if bounds is None:
        return NoData("none of the requests that the server counted can be told to be of this run")
    enough = widened_slices(slices, doubt) if total > 0 else None
    return Share(total, *bounds, display, enough, discrepancy_notes(doubt, flags))
