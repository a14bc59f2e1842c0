"""Latency from the server's histogram: what its buckets allow, never an interpolated percentile."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from math import ceil, inf

from slocheck.indicators.samples import Display, NoData, Share, Slices
from slocheck.indicators.server.beside_client import Timed, may_be_larger_unit, slower_than_client
from slocheck.indicators.server.client_counts import ClientCounts
from slocheck.indicators.server.endpoints import nothing_counted
from slocheck.indicators.server.growth.buckets import (
    Boundary,
    BucketCounts,
    LastBucket,
    bucket_counts,
    in_unit,
)
from slocheck.indicators.server.growth.counts import Counted
from slocheck.indicators.server.growth.selections import EVERYTHING, Both, Selection, Without, requests_of
from slocheck.indicators.server.known_failures import with_known_failures
from slocheck.indicators.server.reconcile import (
    ROUNDING,
    CountDiscrepancy,
    bounded_share,
    reconcile,
    share_sample,
)
from slocheck.indicators.server.server_side import ServerSide
from slocheck.indicators.server.statuses import StatusRule, unexpected_responses
from slocheck.plan.load_plan import NEAR, is_reference
from slocheck.spec.indicators import traits_of
from slocheck.spec.model import FailureRule, Limit, Objective, Preset, SourceChoice, Spec


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
        failed: Further requests that may be bad, however fast they were, in the slices of the buckets.
        notes: About unexpected statuses.
        budget: Share of requests that the percentile allows to be slower.
    """

    preset: Preset
    buckets: BucketCounts
    total: int
    discrepancy: CountDiscrepancy
    display: Display
    not_failed: Selection
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
    total = round(buckets.all.total()) if inf in buckets.boundaries else 0
    if total == 0:
        return NoData(nothing_counted(server, metric, objective))
    failing = _Failing(spec.failures, server, client)
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
    if why := may_be_larger_unit(objective, percentile[1], timed, client=client, preset=preset):
        return NoData(why, left_to_client=objective.source is SourceChoice.BOTH)
    failed = failing.possibly(buckets, wanted, total=total)
    low, high = buckets.percentile_of_ours(
        quantile, total, uncounted=discrepancy.uncounted, foreign=discrepancy.foreign
    )
    display = Display(float(low), float(high))
    return _Reading(
        preset, buckets, total, discrepancy, display, failing.not_failed, failed, unexpected, 1 - quantile
    )


def _graded(reading: _Reading, limit: Limit) -> Share | NoData:
    """Return the share of requests over a limit."""
    buckets, total, failed = reading.buckets, reading.total, sum(reading.failed)
    discrepancy, not_failed = reading.discrepancy, reading.not_failed
    below, above = buckets.around(limit.value)
    good = [round(buckets.at(boundary).total(not_failed)) for boundary in (below, above)]
    bad = max(0, total - good[1]), min(total, total - good[0] + failed)
    if bad[0] > bad[1]:
        return NoData(
            f"{reading.preset.histogram}_bucket contradicts itself: its buckets do not add up to its count",
            source_failed=True,
        )
    sample = share_sample(
        bad,
        total,
        discrepancy,
        display=reading.display,
        slices=_slices(buckets, (below, above), not_failed, failed=reading.failed),
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
    remedy = (note,) if reading.bucket_is_the_obstacle(bad) else ()
    limited = not (discrepancy.uncounted or discrepancy.foreign or failed)
    return replace(sample, notes=(*reading.notes, *remedy, *sample.notes), bucket_limited=limited)


def _timed(metric: str, wanted: Selection, server: ServerSide) -> Timed:
    """Return what the histogram says of the whole load."""
    name = f"{server.preset.histogram}_sum"
    summed = server.load_count(name, wanted).total() if server.series_of(name) else None
    return Timed(server.load_count(metric, Both(wanted, LastBucket())).total(), summed)


def _buckets(metric: str, wanted: Selection, server: ServerSide) -> BucketCounts:
    """Return a histogram's growth within the window by bucket boundary."""
    return server.once(
        ("buckets", metric, wanted),
        lambda: bucket_counts(server.window_count(metric, wanted), server.preset.unit_seconds),
    )


@dataclass(frozen=True, slots=True)
class _Failing:
    """Which requests of a histogram failed, however fast they were."""

    rule: FailureRule
    server: ServerSide
    client: ClientCounts

    @property
    def not_failed(self) -> Selection:
        """Which bucket series may count good requests: not those that surely failed."""
        label = self.server.preset.histogram_status_label
        return EVERYTHING if label is None else Without(self._statuses(label).failed)

    def possibly(self, buckets: BucketCounts, wanted: Selection, *, total: int) -> tuple[int, ...]:
        """Return how many more requests may be bad than those that the histogram's labels say failed.

        They lie where the counter by status shows them. A request that the histogram has and the counter has
        not may have failed as well; it is put into the last slice.
        """
        slots = buckets.counted.slots
        preset = self.server.preset
        if preset.histogram_status_label:
            statuses = self._statuses(preset.histogram_status_label)
            return buckets.all.slices(Both(statuses.possibly_bad, Without(statuses.failed)))
        if preset.counter is None or preset.status_label is None:
            return (0,) * slots.count
        requests = self.server.window_count(preset.counter, wanted)
        missing = total - requests.total()
        if self.server.raw.lag:  # the counter may be behind by less or more than the histogram
            requests = self.server.wider_count(preset.counter, wanted)
            last = Both(wanted, LastBucket())
            missing = self.server.load_count(f"{preset.histogram}_bucket", last).total()
            missing -= self.server.load_count(preset.counter, wanted).total()
        found = requests.slices_in(slots, self._statuses(preset.status_label).possibly_bad)
        return (*found[:-1], found[-1] + ceil(max(Fraction(0), missing - ROUNDING)))

    def in_load(self, whole: Counted, wanted: Selection) -> Fraction:
        """Return how many requests of the whole load failed by the server's count; `whole` has them all."""
        preset = self.server.preset
        if preset.histogram_status_label:
            return whole.total(self._statuses(preset.histogram_status_label).possibly_bad)
        if preset.counter is None or preset.status_label is None:
            return Fraction(0)
        requests = self.server.load_count(preset.counter, wanted)
        return requests.total(self._statuses(preset.status_label).possibly_bad)

    def unexpected(self, buckets: BucketCounts, wanted: Selection) -> tuple[str, ...] | NoData:
        """Say how many requests had an unexpected status."""
        preset = self.server.preset
        if preset.histogram_status_label:
            statuses = self._statuses(preset.histogram_status_label)
            return unexpected_responses(preset.histogram or "", buckets.all, statuses)
        if preset.counter is None or preset.status_label is None:
            return ()
        requests = self.server.window_count(preset.counter, wanted)
        return unexpected_responses(preset.counter, requests, self._statuses(preset.status_label))

    def _statuses(self, label: str) -> StatusRule:
        return StatusRule(label, self.rule, self.client)


def _discrepancy(
    metric: str, wanted: Selection, server: ServerSide, client: ClientCounts, failing: _Failing
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


def _slices(
    buckets: BucketCounts,
    around_limit: tuple[Boundary, Boundary],
    not_failed: Selection,
    *,
    failed: Sequence[int],
) -> Slices:
    """Return the counts per scrape: requests, bad ones, possibly bad ones, and references."""
    n = buckets.all.slices()

    def slow(boundary: Boundary) -> list[int]:
        good = buckets.at(boundary).slices(not_failed)
        return [max(0, size - fast) for size, fast in zip(n, good, strict=True)]

    below, above = around_limit
    bad = slow(above)
    high = [min(size, slower) for size, slower in zip(n, slow(below), strict=True)]
    high = _added(high, failed, n)
    half = max((one for one in buckets.boundaries if one * NEAR <= below), default=None)
    near = half is None or any(failed) or any(slow(half))
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
