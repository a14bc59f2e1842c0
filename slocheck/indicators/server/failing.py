"""Which requests of a histogram failed: slow or fast, they are bad for a latency."""

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import accumulate
from math import ceil

from slocheck.indicators.samples import NoData
from slocheck.indicators.server.client_counts import ClientCounts
from slocheck.indicators.server.growth.buckets import BucketCounts, LastBucket
from slocheck.indicators.server.growth.counts import Counted
from slocheck.indicators.server.growth.selections import EVERYTHING, Both, Selection, Without
from slocheck.indicators.server.known_failures import failures_at_most
from slocheck.indicators.server.reconcile import ROUNDING
from slocheck.indicators.server.server_side import ServerSide
from slocheck.indicators.server.statuses import StatusRule, unexpected_responses
from slocheck.spec.model import FailureRule


@dataclass(frozen=True, slots=True)
class Failing:
    """Which requests of a histogram failed, however fast they were."""

    rule: FailureRule
    server: ServerSide
    client: ClientCounts

    @property
    def not_failed(self) -> Selection:
        """Which bucket series may count good requests: not those that surely failed."""
        label = self.server.preset.histogram_status_label
        return EVERYTHING if label is None else Without(self._statuses(label).failed)

    def surely(self, buckets: BucketCounts, wanted: Selection) -> tuple[int, ...]:
        """Return how many requests of each slice surely failed, where the buckets do not tell.

        The counter by status does. A scrape may come between a request's two counts: so many requests as
        histogram and counter ever differ by may lie in another slice of the one than of the other.
        """
        slots, preset, lag = buckets.counted.slots, self.server.preset, self.server.raw.lag
        if preset.histogram_status_label or preset.counter is None or preset.status_label is None or lag:
            return (0,) * slots.count
        requests = self.server.window_count(preset.counter, wanted)
        if requests.flags or buckets.counted.flags:
            return (0,) * slots.count
        apart = _apart(buckets.all.slices(), requests.slices_in(slots))
        failed = requests.slices_in(slots, self._statuses(preset.status_label).failed)
        return tuple(max(0, count - 2 * apart) for count in failed)

    def possibly(self, buckets: BucketCounts, wanted: Selection, *, total: int) -> tuple[int, ...]:
        """Return how many more requests may be bad than those that the histogram's labels say failed.

        They lie where the counter by status shows them, or the client if nothing has a status. A request that
        the histogram has and the counter has not may have failed as well; it is put into the last slice.
        """
        slots = buckets.counted.slots
        preset = self.server.preset
        if preset.histogram_status_label:
            statuses = self._statuses(preset.histogram_status_label)
            return buckets.all.slices(Both(statuses.possibly_bad, Without(statuses.failed)))
        if preset.counter is None or preset.status_label is None:
            return failures_at_most(self.server, buckets.all, self.client.failed)
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
        """Return how many requests of the whole load failed by the server's count, or may have.

        Args:
            whole: All of them.
            wanted: Which series count them.
        """
        preset = self.server.preset
        if preset.histogram_status_label:
            return whole.total(self._statuses(preset.histogram_status_label).possibly_bad)
        if preset.counter is None or preset.status_label is None:
            return whole.total()
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


def _apart(one: Sequence[int], other: Sequence[int]) -> int:
    """Return by how much two counts of the same requests ever differ, from slice to slice added up."""
    ahead = [0, *accumulate(first - second for first, second in zip(one, other, strict=True))]
    return max(ahead) - min(ahead)
