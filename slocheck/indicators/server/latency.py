"""Latency from the server's histogram: what its buckets allow, never an interpolated percentile."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from math import inf

from slocheck.indicators.samples import Display, NoData, Share, Slices
from slocheck.indicators.server.beside_client import Timed, may_be_larger_unit, slower_than_client
from slocheck.indicators.server.client_counts import ClientCounts
from slocheck.indicators.server.endpoints import nothing_counted
from slocheck.indicators.server.failing import Failing
from slocheck.indicators.server.growth.buckets import (
    Boundary,
    BucketCounts,
    LastBucket,
    bucket_counts,
    in_unit,
)
from slocheck.indicators.server.growth.selections import Both, Selection, requests_of
from slocheck.indicators.server.known_failures import with_known_failures
from slocheck.indicators.server.reconcile import (
    CountDiscrepancy,
    bounded_share,
    reconcile,
    share_sample,
)
from slocheck.indicators.server.server_side import ServerSide
from slocheck.plan.load_plan import NEAR, is_reference
from slocheck.spec.indicators import traits_of
from slocheck.spec.model import Limit, Objective, Preset, SourceChoice, Spec


def without_histogram(objective: Objective, preset: Preset) -> NoData | None:
    """Return why the metrics cannot tell a latency, if they have no histogram; else None.

    Unless the server's numbers alone were asked for, the client's are graded: they include the server's time.
    """
    percentile = traits_of(objective.indicator.kind).is_percentile
    if not percentile or preset.histogram is not None or preset.is_unknown:
        return None
    why = f"{preset.title} has no latency histogram"
    if objective.source is SourceChoice.BOTH:
        return NoData(why, left_to_client=True)
    return NoData(f"{why}; write source: client")


def latency_sample(
    objective: Objective, limit: Limit, *, spec: Spec, server: ServerSide, client: ClientCounts
) -> Share | NoData:
    """Return the share of requests over a latency limit, as far as the buckets can tell."""
    reading = _read(objective, spec, server, client)
    return reading if isinstance(reading, NoData) else _graded(reading, limit)


@dataclass(frozen=True, slots=True)
class _Reading:
    """What an objective's histogram says of the window, for any limit.

    Attributes:
        preset: Names the histogram.
        buckets: Its growth.
        total: Requests.
        discrepancy: From the client's count.
        display: Bounds of the percentile.
        not_failed: Which series may count good requests.
        surely_failed: Requests that failed, slow or fast, in the slices of the buckets; 0 where these tell.
        failed: Further requests that may be bad, however fast they were, in the same slices.
        notes: About unexpected statuses.
        budget: Share of requests that the percentile allows to be slower.
    """

    preset: Preset
    buckets: BucketCounts
    total: int
    discrepancy: CountDiscrepancy
    display: Display
    not_failed: Selection
    surely_failed: tuple[int, ...]
    failed: tuple[int, ...]
    notes: tuple[str, ...]
    budget: Fraction

    def in_unit(self, seconds: Boundary) -> str:
        """Write a boundary in the histogram's own unit."""
        return in_unit(seconds, self.preset)

    def bucket_is_the_obstacle(self, bad: tuple[int, int]) -> bool:
        """Tell whether the limit could be decided if it were a bucket boundary.

        Args:
            bad: Requests that surely and that possibly were over the limit.
        """
        failed = sum(self.failed)
        fewest = bounded_share(bad[0], bad[0] + failed, self.total, self.discrepancy)
        most = bounded_share(max(bad[0], bad[1] - failed), bad[1], self.total, self.discrepancy)
        if fewest is None or most is None:
            return False
        return fewest[0] <= self.budget < most[1] and (fewest[1] <= self.budget or most[0] > self.budget)


def _read(objective: Objective, spec: Spec, server: ServerSide, client: ClientCounts) -> _Reading | NoData:
    """Read an objective's histogram, and check that it can be of the client's requests."""
    preset = server.preset
    if missing := without_histogram(objective, preset):
        return missing
    metric = f"{preset.histogram}_bucket"
    wanted = requests_of(objective, preset)
    buckets = _buckets(metric, wanted, server)
    if buckets.lack_the_last:
        return NoData(
            f'{metric} has no bucket le="+Inf", which counts every request; '
            "check that no relabelling drops it"
        )
    total = round(buckets.all.total()) if inf in buckets.boundaries else 0
    if total == 0:
        return NoData(nothing_counted(server, metric, objective))
    failing = Failing(spec.failures, server, client)
    discrepancy = _discrepancy(metric, wanted, server, client, failing)
    if isinstance(discrepancy, NoData):
        return discrepancy
    discrepancy = with_known_failures(discrepancy, server, buckets.all, client, client.failed)
    unexpected = failing.unexpected(buckets, wanted)
    if isinstance(unexpected, NoData):
        return unexpected
    quantile = objective.indicator.quantile or Fraction(1)
    percentile = buckets.percentile(quantile, total)
    slower = total - round(buckets.at(percentile[0]).total()) - discrepancy.foreign
    if why := slower_than_client(objective, percentile, slower, client=client, preset=preset):
        return NoData(why)
    timed = _timed(metric, wanted, server)
    if why := may_be_larger_unit(objective, percentile, timed, client=client, preset=preset):
        return NoData(why, left_to_client=objective.source is SourceChoice.BOTH)
    failed = failing.possibly(buckets, wanted, total=total)
    low, high = buckets.percentile_of_ours(
        quantile, total, uncounted=discrepancy.uncounted, foreign=discrepancy.foreign
    )
    display = Display(float(low), float(high))
    return _Reading(
        preset,
        buckets,
        total,
        discrepancy,
        display,
        failing.not_failed,
        failing.surely(buckets, wanted),
        failed,
        unexpected,
        1 - quantile,
    )


def _graded(reading: _Reading, limit: Limit) -> Share | NoData:
    """Return the share of requests over a limit."""
    buckets, total, failed = reading.buckets, reading.total, sum(reading.failed)
    discrepancy, not_failed = reading.discrepancy, reading.not_failed
    below, above = buckets.around(limit.value)
    good = [round(buckets.at(boundary).total(not_failed)) for boundary in (below, above)]
    slow = max(0, total - good[1]), min(total, total - good[0] + failed)
    if slow[0] > slow[1]:
        return NoData(
            f"{reading.preset.histogram}_bucket contradicts itself: its buckets do not add up to its count",
            source_failed=True,
        )
    slices = _slices(reading, below, above)
    failed_or_slow = sum(slices.bad) if any(reading.surely_failed) else 0
    sample = share_sample(
        (max(slow[0], min(slow[1], failed_or_slow)), slow[1]),
        total,
        discrepancy,
        display=reading.display,
        slices=slices,
        flags=buckets.counted.flags,
    )
    if isinstance(sample, NoData):
        return sample
    if below == above:
        return replace(sample, notes=(*reading.notes, *sample.notes))
    note = (
        f"the limit {reading.in_unit(limit.value)} lies inside the server's bucket "
        f"({reading.in_unit(below)}, {reading.in_unit(above)}]; "
        f"add a bucket boundary at {reading.in_unit(limit.value)}"
    )
    remedy = (note,) if reading.bucket_is_the_obstacle(slow) else ()
    limited = not (discrepancy.uncounted or discrepancy.foreign or failed)
    return replace(sample, notes=(*reading.notes, *remedy, *sample.notes), bucket_limited=limited)


def _timed(metric: str, wanted: Selection, server: ServerSide) -> Timed:
    """Return what the histogram says of the whole load."""
    name = f"{server.preset.histogram}_sum"
    requests = server.load_count(metric, Both(wanted, LastBucket())).total()
    if not server.series_of(name):
        return Timed(requests, None)
    sums = server.load_count(name, wanted)
    return Timed(requests, sums.total(), tuple(amount for _, part in sums.parts for amount in part.added))


def _buckets(metric: str, wanted: Selection, server: ServerSide) -> BucketCounts:
    """Return a histogram's growth within the window by bucket boundary."""
    return server.once(
        ("buckets", metric, wanted),
        lambda: bucket_counts(server.window_count(metric, wanted), server.preset.unit_seconds),
    )


def _discrepancy(
    metric: str, wanted: Selection, server: ServerSide, client: ClientCounts, failing: Failing
) -> CountDiscrepancy | NoData:
    """Reconcile the histogram's own count over the whole load with the client."""
    last = Both(wanted, LastBucket())
    whole = server.load_count(metric, last)
    return reconcile(
        whole,
        client,
        failed=failing.in_load(whole, wanted),
        before_load=server.seen_before_load(metric, last),
        whole=server.window_is_load,
        events=server.events,
        scrapes=server.own_scrapes(metric, last),
    )


def _slices(reading: _Reading, below: Boundary, above: Boundary) -> Slices:
    """Return the counts per scrape: requests, bad ones, possibly bad ones, and references.

    Args:
        reading: Of the histogram.
        below: The boundary at or just below the limit, seconds.
        above: That at or just above it.
    """
    buckets, n = reading.buckets, reading.buckets.all.slices()

    def slow(boundary: Boundary) -> list[int]:
        good = buckets.at(boundary).slices(reading.not_failed)
        return [max(0, size - fast) for size, fast in zip(n, good, strict=True)]

    bad = map(max, slow(above), reading.surely_failed)
    high = [min(size, slower) for size, slower in zip(n, slow(below), strict=True)]
    high = _added(high, reading.failed, n)
    half = max((one for one in buckets.boundaries if one * NEAR <= below), default=None)
    near = half is None or any(reading.failed) or any(slow(half))
    references = tuple(tuple(slow(one)) for one in buckets.boundaries if is_reference(one, below))
    sure = tuple(min(pair) for pair in zip(bad, high, strict=True))
    interval = buckets.counted.slots.interval
    return Slices(n, sure, tuple(high), references, slice_s=interval, near=near)


def _added(counts: Sequence[int], more: Sequence[int], sizes: Sequence[int]) -> list[int]:
    """Add to each slice's count; what exceeds a slice's requests goes into the next, or an earlier one."""
    found, carried = list(counts), 0
    for index in range(len(found)):
        carried += more[index]
        room = min(carried, sizes[index] - found[index])
        found[index] += room
        carried -= room
    for index in reversed(range(len(found))):
        room = min(carried, sizes[index] - found[index])
        found[index] += room
        carried -= room
    return found
