"""Keeps Locust's own statistics correct for requests that are counted without its `request` event."""

import sys
import time
from collections.abc import Callable
from functools import cache

from locust import stats as locust_stats
from locust.stats import RequestStats, StatsEntry, StatsError

from slocheck.evidence.histogram import bucket_bounds
from slocheck.evidence.merge import Delta
from slocheck.evidence.recording import ErrorExample, SliceCounts
from slocheck.load.own_code import is_own

_NS_PER_MS = 1_000_000


def watch_entries(tell: Callable[[str], object]) -> None:
    """Report each request that the Locust file itself enters into the statistics, as it is only there."""
    enter = RequestStats.log_request
    own = cache(is_own)

    def log_request(
        self: RequestStats, method: str, name: str, response_time: int, content_length: int
    ) -> None:
        if own(sys._getframe(1).f_code.co_filename):  # noqa: SLF001 - the cheap way to see who calls
            tell(f"{method} {name}: stats.log_request() is not graded; fire environment.events.request")
        enter(self, method, name, response_time, content_length)

    RequestStats.log_request = log_request  # type: ignore[method-assign] # Locust has no other way in


def add_to_statistics(stats: RequestStats, delta: Delta) -> None:
    """Add a whole delta: counts and sizes are exact, response times are those of their bucket."""
    now = time.time()
    for endpoint, counts in delta.counts:
        for entry in (stats.total, stats.get(endpoint.name, endpoint.method)):
            _add(entry, counts, now)
    for error in delta.errors:
        _add_error(stats, error, now)


def _add(entry: StatsEntry, counts: SliceCounts, now: float) -> None:
    entry.num_requests += counts.sent
    not_ok = counts.failed + counts.unexpected  # Locust's statistics have no third kind
    entry.num_failures += not_ok
    entry.num_reqs_per_sec[int(now)] += counts.sent
    if not_ok:
        entry.num_fail_per_sec[int(now)] += not_ok
    entry.last_request_timestamp = now
    entry.total_content_length += counts.bytes_received
    for histogram in (counts.latencies, counts.failed_latencies):
        for index, count in histogram.items():
            lowest_ns, highest_ns = bucket_bounds(index)
            _add_times(entry, (lowest_ns + highest_ns) / 2 / _NS_PER_MS, count)


def _add_times(entry: StatsEntry, response_ms: float, count: int) -> None:
    entry.total_response_time += response_ms * count  # type: ignore[assignment] # Locust adds floats, too
    entry.max_response_time = max(entry.max_response_time, response_ms)  # type: ignore[assignment] # as above
    shortest = entry.min_response_time
    entry.min_response_time = response_ms if shortest is None else min(shortest, response_ms)  # type: ignore[assignment] # as above
    entry.response_times[locust_stats.bucket_response_time(response_ms)] += count


def _add_error(stats: RequestStats, error: ErrorExample, now: float) -> None:
    key = StatsError.create_key(error.endpoint.method, error.endpoint.name, error.message)
    known = stats.errors.get(key)
    if known is None:
        known = stats.errors[key] = StatsError(error.endpoint.method, error.endpoint.name, error.message)
        known.first_seen = now
    known.occurrences += error.count
    known.last_seen = now
