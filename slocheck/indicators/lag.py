"""How far a metrics page is behind what was served, and when it has counted all of a load.

Some servers collect their counts and put them on the page every second or every few seconds, others
respond with a page that they rendered some seconds ago.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import pairwise
from math import inf
from statistics import median

from slocheck.documents.units import NS_PER_SECOND
from slocheck.evidence.histogram import quantile_bounds
from slocheck.evidence.series import ServerSeries
from slocheck.indicators.samples import NoData
from slocheck.indicators.server.client_counts import ClientCounts
from slocheck.indicators.server.growth.buckets import LastBucket
from slocheck.indicators.server.growth.scrape_targets import target_name
from slocheck.indicators.server.growth.selections import Both, Selection, all_requests
from slocheck.indicators.server.reconcile import reconcile
from slocheck.indicators.server.server_side import ServerSide
from slocheck.spec.model import Preset
from slocheck.spec.presets import PRESET_NAMES

FEW_REQUESTS = 8
"""A page that adds nothing while no more requests than this are expected may just have had none."""
SLOW = Fraction(99, 100)
MIN_FLUSHES = 2
ENOUGH_FAILED = 3
"""After this many failed scrapes since the load a target counts as down: waiting longer does not help."""
UNSEEN_S = 10.0
"""Seconds to wait for a metric that did not grow at all during the load, which was as long or longer."""


@dataclass(frozen=True, slots=True)
class Settlement:
    """Whether the pages have counted all of a load.

    Attributes:
        whole: No more counts can come.
        reached: The moment up to which every page has been read, on the source's clock; None without a page.
        reason: Why it is not whole; empty if it is, or if there was not enough time yet.
    """

    whole: bool
    reached: float | None
    reason: str = ""


@dataclass(frozen=True, slots=True)
class _Page:
    """What one target's page added to a metric during and after the load.

    Attributes:
        scrapes: Times of its samples, ascending.
        added: Time of a sample to its increase over the one before; only increases above 0.
    """

    scrapes: Sequence[float]
    added: Mapping[float, Fraction]

    def flushes(self, begin: float, end: float) -> tuple[float, ...]:
        """Return the seconds between two additions with samples in between that added nothing.

        Only if requests were expected in between.
        """
        moments = sorted(moment for moment in self.added if begin <= moment <= end)
        rate = float(sum(self.added.values())) / max(end - begin, 1e-9)
        return tuple(
            after - before
            for before, after in pairwise(moments)
            if bisect_left(self.scrapes, after) - bisect_right(self.scrapes, before) > 0
            and rate * (after - before) >= FEW_REQUESTS
        )

    def longest_pause(self, begin: float, end: float) -> float:
        """Return the longest time without an addition from `begin` on, seconds."""
        moments = sorted(self.added)
        return max(after - before for before, after in pairwise([begin, *moments, max(end, moments[-1])]))


def longest_wait(interval: float, mapping: Preset) -> float:
    """Return how many seconds after the load the pages have to count all of it.

    Args:
        interval: Between two scrapes, seconds.
        mapping: With the lag that it names.
    """
    return max(3 * interval + 60, 2 * mapping.lag)


def requests_counted(preset: Preset, metrics: AbstractSet[str]) -> Iterator[tuple[str, Selection]]:
    """Yield each of `metrics` that counts requests, and which of its series count each request once."""
    every = all_requests(preset)
    if preset.counter in metrics and preset.counter:
        yield preset.counter, every
    if preset.histogram and (buckets := f"{preset.histogram}_bucket") in metrics:
        yield buckets, Both(every, LastBucket())


def measured_lag(raw: ServerSeries, metrics: AbstractSet[str]) -> float:
    """Return how many seconds a sample may be older than its time.

    It is what the preset names, or what the pages show: during the load they add something only at every
    other sample or less often, again and again. A page whose samples have their own times is never behind.
    """
    server = ServerSide(replace(raw, whole_from=inf))
    return max((_lag(server, *each) for each in requests_counted(raw.preset, metrics)), default=0.0)


def server_side(raw: ServerSeries, client: ClientCounts) -> ServerSide:
    """Return the server's side of a run, with the lag that no sample shows."""
    server = ServerSide(raw)
    server.hidden_lag = hidden_lag(server, client)
    return server


def hidden_lag(server: ServerSide, client: ClientCounts) -> float:
    """Return for how long in the window a sample may hold requests of the warm-up unnoticed, seconds.

    A page that is behind by less than a scrape interval adds something at every sample, so none shows it. A
    sample one interval later holds nothing of the warm-up. Such a page has to be expected if the lag of
    the mapping is not known; otherwise it shows if the window's count is larger than what was sent in
    it, by more than can have been in flight. A run that ended in its warm-up has no window to keep it out of.
    """
    raw = server.raw
    if server.window_is_load or raw.lag >= raw.scrape_interval or not client.window_s:
        return 0.0
    shown = {one.metric for one in raw.series}
    timeless = [each for each in requests_counted(raw.preset, shown) if not server.has_own_times(each[0])]
    known = raw.preset.name in PRESET_NAMES
    if any(not known or _early(server, *each, client) > _in_flight(client) for each in timeless):
        return raw.scrape_interval
    return 0.0


def _early(server: ServerSide, metric: str, wanted: Selection, client: ClientCounts) -> int:
    """Return how many requests of the window's count can only be the warm-up's."""
    whole = server.load_count(metric, wanted)
    discrepancy = reconcile(
        whole,
        client,
        failed=Fraction(client.failed_responses),
        before_load=server.growth_before_load(metric, wanted),
        whole=False,
        scrapes=server.own_scrapes(metric, wanted),
    )
    if isinstance(discrepancy, NoData):
        return 0
    total = round(server.window_count(metric, wanted).total())
    return discrepancy.of_window(total, client.window_sent).early


def _in_flight(client: ClientCounts) -> float:
    """Return a generous estimate of the requests in flight at a moment."""
    slow_s = quantile_bounds(client.latencies, SLOW)[1] / NS_PER_SECOND if client.latencies else 0.0
    return FEW_REQUESTS + slow_s * client.window_sent / client.window_s


def settlement(raw: ServerSeries, metrics: AbstractSet[str], *, sent: int, limit: float) -> Settlement:
    """Tell whether the pages have counted all that was sent.

    They have if they counted as many requests as were sent and nobody else uses the service; or if
    they were read again after the longest pause between two of their additions, and counted at least what
    was sent, or added nothing more.

    Args:
        raw: All samples until now.
        metrics: What is graded.
        sent: Requests of the whole load.
        limit: Seconds after the load by which an answer is needed.
    """
    server = ServerSide(replace(raw, whole_from=inf))
    wanted = list(requests_counted(raw.preset, metrics))
    reached = _reached(server, [metric for metric, _ in wanted])
    if reached is None or not wanted:
        return Settlement(whole=not wanted or _all_down(server), reached=None)
    found = [_settled(server, *each, sent=sent, reached=reached, limit=limit) for each in wanted]
    return Settlement(
        all(reason is None for reason in found), reached, next((reason for reason in found if reason), "")
    )


def _all_down(server: ServerSide) -> bool:
    """Tell whether every scrape since the load has failed, often enough that waiting does not help."""
    since = [[time for time in target.failed if time >= server.raw.end] for target in server.targets.values()]
    return bool(since) and all(len(failed) >= ENOUGH_FAILED for failed in since)


def _settled(
    server: ServerSide, metric: str, wanted: Selection, *, sent: int, reached: float, limit: float
) -> str | None:
    """Return None if a metric is whole, else why it is not; empty: more time is needed."""
    own = server.own_scrapes(metric, wanted)
    counted = server.load_count(metric, wanted).total() - own.during
    before = server.growth_before_load(metric, wanted) - own.before
    if counted == sent and not before:
        return None
    pause = min(_pause(server, metric, wanted), limit - 2 * server.raw.scrape_interval)
    if reached < server.raw.end + pause:
        return ""
    late = sum(
        (
            added
            for page in _pages(server, metric, wanted)
            for moment, added in page.added.items()
            if moment > reached - pause
        ),
        Fraction(0),
    )
    if counted >= sent or late <= 2 * _background(server, before) * Fraction(pause):
        return None
    return (
        f"{metric} was still growing {reached - server.raw.end:.0f} s after the load, at {round(counted):,} "
        f"of {sent:,} requests: name the page's lag in the preset (lag: 30s), or run while nobody else uses "
        "the service"
    )


def _background(server: ServerSide, before: Fraction) -> Fraction:
    """Return what was added before the load, per second."""
    first = min((target.scrapes[0] for target in server.targets.values() if target.scrapes), default=inf)
    seconds = server.raw.load_start - first
    return before / Fraction(seconds) if 0 < seconds < inf else Fraction(0)


def _pause(server: ServerSide, metric: str, wanted: Selection) -> float:
    """Return the longest time that a page may need to show what it counted, seconds."""
    raw, pages = server.raw, _pages(server, metric, wanted)
    lag = 0.0 if server.has_own_times(metric) else raw.preset.lag
    if not pages:
        return max(lag, min(UNSEEN_S, raw.end - raw.load_start), raw.scrape_interval)
    pause = max(page.longest_pause(raw.load_start, raw.end) for page in pages)
    flushed = any(page.flushes(raw.load_start, raw.end) for page in pages)
    return max(lag, pause) + (raw.scrape_interval if flushed else 0)


def _lag(server: ServerSide, metric: str, wanted: Selection) -> float:
    if server.has_own_times(metric):
        return 0.0
    raw = server.raw
    lag = raw.preset.lag
    for page in _pages(server, metric, wanted):
        flushes = page.flushes(raw.load_start, raw.end)
        if len(flushes) >= MIN_FLUSHES and 2 * sum(flushes) >= raw.end - raw.load_start:
            # a flush may lie anywhere between two scrapes; one long pause alone is a stall
            lag = max(lag, min(max(flushes), 2 * median(flushes)) + raw.scrape_interval)
    return lag


def _pages(server: ServerSide, metric: str, wanted: Selection) -> list[_Page]:
    """Return the pages that added anything since the load began."""
    return server.once(("pages", metric, wanted), lambda: list(_read_pages(server, metric, wanted)))


def _read_pages(server: ServerSide, metric: str, wanted: Selection) -> Iterator[_Page]:
    added: dict[str, dict[float, Fraction]] = {}
    for labels, part in server.load_count(metric, wanted).parts:
        moments = added.setdefault(target_name(labels), {})
        for moment, count in zip(part.moments, part.added, strict=True):
            if count:
                moments[moment] = moments.get(moment, Fraction(0)) + count
    for name, moments in added.items():
        if moments:
            yield _Page(server.target(name, metric).scrapes, moments)


def _reached(server: ServerSide, metrics: Sequence[str]) -> float | None:
    """Return the earliest of the last samples of the targets that were still there after the load."""
    last = [
        server.target(name, metric).scrapes[-1]
        for name, target in server.targets.items()
        if target.scrapes and target.scrapes[-1] >= server.raw.end
        for metric in metrics
    ]
    return min(last, default=None)
