"""The server's counts against the client's: what was not counted, and what was not ours."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from math import ceil, floor

from slocheck.documents.words import quantity
from slocheck.indicators.samples import Display, NoData, Share, Slices
from slocheck.indicators.server.client_counts import ClientCounts
from slocheck.indicators.server.copies import counted_several_times
from slocheck.indicators.server.growth.counters import Flag
from slocheck.indicators.server.growth.counts import Counted

_HIDDEN = ", and other traffic hides how much is missing; run while nobody else uses the target"
_NOTHING_SENT = " and no client count shows by how much"
ROUNDING = Fraction(1, 1_000_000)
"""This fraction of a request may be rounding: a counter is a sum of floats."""


@dataclass(frozen=True, slots=True)
class OwnScrapes:
    """How many of the requests that a counter counted were the scrapes of its own page.

    Attributes:
        before: Of the growth before the load.
        during: Of the growth within the whole load.
    """

    before: int = 0
    during: int = 0


NO_SCRAPES = OwnScrapes()


@dataclass(frozen=True, slots=True)
class CountDiscrepancy:
    """How far the server's counts of the window can be off.

    Attributes:
        uncounted: Requests that the client sent and the server did not count, at most.
        foreign: Requests that the server counted and the client did not send, at most.
        lost: Of the uncounted ones, those of the window that failed and surely are in no counter.
        known_bad: Requests of the server's window that the client saw failing, in the server's slices;
            whether or not the server counted them, and as what.
        never_arrived: Of the known bad ones, those that surely are in no counter.
        whole: The window is the whole load, so that what is ours in it adds up to what was sent. Else
            any part of the foreign and uncounted requests may lie in the warm-up.
        early: Of the foreign ones, those that can only be the warm-up's: the server counted them late.
        events: What may have cost counts, in words.
        scrapes: Of the foreign ones, the scrapes of the metrics page, if the service counts them.
    """

    uncounted: int
    foreign: int
    lost: int = 0
    known_bad: tuple[int, ...] = ()
    never_arrived: int = 0
    whole: bool = True
    events: tuple[str, ...] = ()
    early: int = 0
    scrapes: int = 0

    def of_window(self, total: int, sent: int) -> "CountDiscrepancy":
        """Return the discrepancy with the excess of the window's count over what was sent in it.

        Args:
            total: Requests that the server counted in the window.
            sent: Requests that the client sent in it; 0: unknown.
        """
        early = total - sent - self.foreign if sent and not self.whole else 0
        return replace(self, foreign=self.foreign + early, early=early) if early > 0 else self


def reconcile(
    counted: Counted,
    client: ClientCounts,
    *,
    failed: Fraction,
    before_load: Fraction | None,
    whole: bool,
    events: tuple[str, ...] = (),
    scrapes: OwnScrapes = NO_SCRAPES,
) -> CountDiscrepancy | NoData:
    """Compare the server's growth over the whole load with what the client sent.

    Requests without a response may all be uncounted, with as many requests of others in their place. So may
    failed ones, to which a proxy may have responded: as many as the server did not see failing, and if
    others use the target all of them, because theirs may have failed instead. Others that were seen only
    before the load, such as a probe, did not use it during a load of which both count the same.

    Args:
        counted: The server's count from before the load to after it; if it has flags, a lower bound.
        client: What the client sent; a `sent` of 0 means that it is unknown.
        failed: Of the server's count, how many failed or may have.
        whole: The window is the whole load.
        before_load: The server's growth before the load: above 0 there is traffic that is not ours. None: a
            process was not seen before, so that there may be.
        events: What may have cost counts, in words.
        scrapes: Requests for the metrics page that are in the counts.
    """
    run_total, flags, sent = counted.total(), counted.flags, client.sent
    without_scrapes = run_total - scrapes.during
    others_before = before_load is None or before_load - scrapes.before > ROUNDING
    more_than_sent = without_scrapes > sent + ROUNDING
    seen = (before_load is not None and others_before) or more_than_sent
    if sent and (several := counted_several_times(counted, without_scrapes, sent)):
        return NoData(several, source_failed=True)
    if flags and (seen or not sent):
        named = "; ".join(events) or ", ".join(sorted(flag.value for flag in flags))
        return NoData(f"the counters are incomplete ({named}){_HIDDEN if sent else _NOTHING_SENT}")
    if not sent:
        return CountDiscrepancy(0, 0, whole=whole)
    missing = max(0, ceil(sent - without_scrapes - ROUNDING))
    alike = without_scrapes >= sent - ROUNDING and abs(failed - client.failed_responses) <= ROUNDING
    alone = not more_than_sent and (alike or not others_before)
    seen_failing = floor(failed + ROUNDING) if alone else 0
    uncounted = max(missing, client.no_response + max(0, client.failed_responses - seen_failing))
    foreign = max(0, ceil(run_total - sent + uncounted - ROUNDING))
    lost = min(client.never_arrived, missing) if whole else 0
    own = min(scrapes.during, foreign)
    return CountDiscrepancy(uncounted, foreign, lost, whole=whole, events=events, scrapes=own)


def bounded_share(
    bad_low: int, bad_upper: int, total: int, discrepancy: CountDiscrepancy
) -> tuple[Fraction, Fraction] | None:
    """Return the least and the largest share of bad requests; None if nothing of ours is left.

    At worst the foreign requests were all good and every uncounted one was bad. At best the foreign ones
    were bad, and of the uncounted ones only those failed that surely never arrived. What the client saw
    failing was bad in any case.
    """
    ours = total - discrepancy.foreign + discrepancy.uncounted
    if ours <= 0:
        return None
    # with a warm-up fewer of the foreign requests may lie in the window, which makes more of it ours
    most = ours if discrepancy.whole else total - min(discrepancy.foreign, bad_low) + discrepancy.uncounted
    least_bad = Fraction(max(0, bad_low - discrepancy.foreign) + discrepancy.lost, most)
    known = sum(discrepancy.known_bad)
    low = max(least_bad, Fraction(known, ours if discrepancy.whole else total + discrepancy.uncounted))
    possible = min(bad_upper, max(0, total - discrepancy.foreign)) + discrepancy.uncounted
    if not discrepancy.whole:  # the uncounted may lie in the warm-up, and what the client gave up on may not
        ours = max(1, total - discrepancy.foreign + discrepancy.never_arrived)
    high = Fraction(max(possible, known), ours)
    return min(low, high, Fraction(1)), min(high, Fraction(1))


def widened_slices(slices: Slices, discrepancy: CountDiscrepancy) -> Slices:
    """Put the discrepancy into the slices, concentrated, as neighbours that fail together would be.

    The uncounted requests are possibly bad ones of the last slice. The foreign ones are taken from the good
    ones of the fullest slices, and are no longer surely bad if they may have been. If the client saw
    more requests failing than are surely bad by the server's counts, its count takes their place.
    """
    known = discrepancy.known_bad
    if discrepancy.uncounted == discrepancy.foreign == 0 and sum(known) <= sum(slices.bad):
        return slices
    n, bad = list(slices.n), list(slices.bad)
    high = list(slices.bad_upper or slices.bad)
    _take(n, high, discrepancy.foreign)
    _take(bad, [0] * len(bad), discrepancy.foreign)
    n[-1] += discrepancy.uncounted
    high[-1] += discrepancy.uncounted
    bad[-1] += discrepancy.lost
    if sum(known) > sum(bad):
        bad = list(known)
        high = [max(possible, sure) for possible, sure in zip(high, bad, strict=True)]
    n = [max(size, possible) for size, possible in zip(n, high, strict=True)]
    references = tuple(
        tuple(min(size, max(count, possible)) for size, count, possible in zip(n, series, high, strict=True))
        for series in slices.references
    )
    sure = tuple(min(*pair) for pair in zip(bad, high, strict=True))
    return replace(slices, n=tuple(n), bad=sure, bad_upper=tuple(high), references=references)


def _take(amounts: list[int], floor: Sequence[int], count: int) -> None:
    """Take `count` away from the largest amounts, none below its floor."""
    for index in sorted(range(len(amounts)), key=lambda place: amounts[place] - floor[place], reverse=True):
        taken = min(count, amounts[index] - floor[index])
        amounts[index] -= taken
        count -= taken


def discrepancy_notes(discrepancy: CountDiscrepancy, flags: frozenset[Flag]) -> tuple[str, ...]:
    """Say in words what widened the bounds."""
    notes = []
    if discrepancy.uncounted:
        seen = f": {'; '.join(discrepancy.events)}" if discrepancy.events else ""
        notes.append(
            f"the server's counters miss up to {quantity(discrepancy.uncounted, 'request')} of this run{seen}"
        )
    if discrepancy.early:
        early = quantity(discrepancy.early, "request")
        notes.append(f"the server counted {early} of the warm-up in the window")
    if discrepancy.scrapes:
        scrapes = quantity(discrepancy.scrapes, "scrape")
        notes.append(f"the server's counters include {scrapes} of the metrics page")
    if others := discrepancy.foreign - discrepancy.early - discrepancy.scrapes:
        notes.append(f"the server's counters include up to {quantity(others, 'request')} from elsewhere")
    return (*notes, *(flag.value.replace("_", " ") for flag in sorted(flags)))


def share_sample(
    bad: tuple[int, int],
    total: int,
    discrepancy: CountDiscrepancy,
    *,
    display: Display,
    slices: Slices,
    flags: frozenset[Flag],
) -> Share | NoData:
    """Return the share of bad requests, (surely, possibly) bad, widened by the discrepancy."""
    bounds = bounded_share(bad[0], bad[1], total, discrepancy)
    if bounds is None:
        return NoData("of the requests that the server counted, none can be attributed to this run")
    notes = discrepancy_notes(discrepancy, flags)
    counted = widened_slices(slices, discrepancy) if total > 0 else None
    sample = Share(total, *bounds, display, counted, notes, own_only=not discrepancy.foreign)
    if flags != {Flag.RESET} or discrepancy.foreign:
        return sample
    # all requests before and after the restart were seen, and no foreign ones replace those that it lost
    kept = replace(discrepancy, uncounted=0, lost=0)
    bounds = bounded_share(bad[0], bad[1], total, kept)
    if bounds is None:
        return sample
    return replace(sample, counted=Share(total, *bounds, display, widened_slices(slices, kept)))
