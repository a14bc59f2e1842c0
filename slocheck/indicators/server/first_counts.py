"""What single requests before any load added to the server's counts, beside what was sent."""

from collections.abc import Mapping
from dataclasses import replace
from fractions import Fraction

from slocheck.evidence.series import RawSeries, ServerSeries
from slocheck.indicators.server.beside_client import Doubt, Timed, doubt_of_mean, doubt_without_sum
from slocheck.indicators.server.copies import counted_several_times
from slocheck.indicators.server.endpoints import not_told_apart
from slocheck.indicators.server.growth.buckets import Boundary, LastBucket, bucket_counts
from slocheck.indicators.server.growth.counts import Counted
from slocheck.indicators.server.growth.selections import Both, Selection, all_requests, requests_of
from slocheck.indicators.server.reconcile import ROUNDING
from slocheck.indicators.server.server_side import ServerSide
from slocheck.plan.series_queries import PROCESS_START, UP
from slocheck.spec.indicators import traits_of
from slocheck.spec.model import Endpoint, Objective, SourceChoice

BEFORE_S = 1.0
SCARCE = "it may belong to another service or only one replica, leave routes out, or lag behind (lag: 30s)"


def born_with_requests(found: ServerSeries) -> ServerSeries:
    """Return series that the first requests created with a sample of 0 before them."""
    moment = found.load_start - BEFORE_S

    def with_zero(one: RawSeries) -> RawSeries:
        if one.metric == PROCESS_START or not one.times or one.times[0] <= moment:
            return one
        first = 1.0 if one.metric == UP else 0.0
        return replace(one, times=(moment, *one.times), values=(first, *one.values))

    return replace(found, series=tuple(with_zero(one) for one in found.series))


class FirstCounts:
    """What the server counted of requests that were sent one by one.

    Args:
        found: The series, with these requests as the load.
        sent: How many each endpoint was sent that it responded to.
    """

    def __init__(self, found: ServerSeries, sent: Mapping[Endpoint, int]) -> None:
        self._server = ServerSide(found)
        self._sent = sent

    def lacking(self, objective: Objective) -> str:
        """Say that the server counted fewer requests of an objective than were sent; empty if it did not."""
        added, sent = self._of(objective)
        total = 0 if added is None else round(added.total())
        if added is None or total >= sent:
            return ""
        counted = f"counted {total} of the {sent} requests" if sent > 1 else "did not count the request"
        return f"{self._metric(objective)} {counted} that the probe sent: {SCARCE}"

    def counted_none(self, objective: Objective) -> bool:
        """Tell whether the server counted no request of an objective."""
        added, _ = self._of(objective)
        return added is not None and not added.total()

    def is_by_histogram(self, objective: Objective) -> bool:
        """Tell whether an objective is graded by the histogram."""
        return self._metric(objective).endswith("_bucket")

    def several(self, objective: Objective) -> str:
        """Say that the server counted each request of an objective several times; empty if it did not."""
        added, sent = self._of(objective)
        if added is None or not sent:
            return ""
        return counted_several_times(added, added.total(), sent, only_explained=True)

    def unit_doubt(self, client: Fraction, *, boundaries_differ: bool) -> Doubt | None:
        """Say that the histogram's times do not fit the client's, whose mean is given in seconds."""
        preset = self._server.preset
        every = all_requests(preset)
        metric, name = f"{preset.histogram}_bucket", f"{preset.histogram}_sum"
        added = self._alone(metric, Both(every, LastBucket()))
        if added is None or added.total() != sum(self._sent.values()):
            return None
        if not self._server.series_of(name):
            return doubt_without_sum(self._slowest(metric, every), client, preset)
        timed = Timed(added.total(), self._server.load_count(name, every).total())
        return doubt_of_mean(timed, client, preset, boundaries_differ=boundaries_differ)

    def _slowest(self, metric: str, wanted: Selection) -> tuple[Boundary, Boundary]:
        """Return the bucket that holds the slowest request."""
        counted = self._server.load_count(metric, wanted)
        buckets = bucket_counts(counted, self._server.preset.unit_seconds)
        return buckets.percentile(Fraction(1), round(buckets.all.total()))

    def _of(self, objective: Objective) -> tuple[Counted | None, int]:
        """Return what was added to an objective's metric, and how many requests of it were sent.

        None if it is not known whose it is.
        """
        metric = self._metric(objective)
        if not metric or objective.labels or not_told_apart(objective, self._server.preset, self._sent):
            return None, 0
        wanted: Selection = requests_of(objective, self._server.preset)
        if metric.endswith("_bucket"):
            wanted = Both(wanted, LastBucket())
        endpoint = objective.endpoint
        sent = sum(self._sent.values()) if endpoint is None else self._sent.get(endpoint, 0)
        return self._alone(metric, wanted), sent

    def _metric(self, objective: Objective) -> str:
        """Return the metric that counts an objective's requests; empty if none does."""
        traits, preset = traits_of(objective.indicator.kind), self._server.preset
        if objective.source is SourceChoice.CLIENT or traits.is_query or not traits.counts_requests:
            return ""
        if traits.is_percentile:
            return f"{preset.histogram}_bucket" if preset.histogram else ""
        return preset.counter or ""

    def _alone(self, metric: str, wanted: Selection) -> Counted | None:
        """Return what was added to a metric that nobody else's requests were added to; else None."""
        server = self._server
        own = server.own_scrapes(metric, wanted)
        before = server.seen_before_load(metric, wanted)
        if own.during or before is None or before > ROUNDING or not server.series_of(metric):
            return None
        return server.load_count(metric, wanted)
