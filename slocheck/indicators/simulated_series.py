"""A simulated run on a source's existing series: what a long enough run of good requests would count."""

from collections.abc import Collection, Iterator
from dataclasses import replace

from slocheck.evidence.series import RawSeries, ServerSeries
from slocheck.indicators.server.client_counts import ClientCounts
from slocheck.plan.series_queries import PROCESS_START, UP
from slocheck.spec.model import Preset
from slocheck.spec.status_values import statuses_of

INTERVAL_S = 10.0
SAMPLES = 40
"""Samples of each series; the first two are before the load."""
SERVED = 1_000_000
"""Requests that each of the series that count successes adds at every sample: enough for any limit."""
NOBODY = ClientCounts(0, 0, window_sent=SERVED * SERVED, window_s=INTERVAL_S * SAMPLES)
"""A client that offers any rate; what it counted is not known."""


def simulated_series(found: ServerSeries) -> ServerSeries:
    """Return the series of a run without a warm-up, on the processes that were found."""
    times = tuple(INTERVAL_S * number for number in range(1, SAMPLES + 1))
    return replace(
        found,
        load_start=times[2],
        start=times[2],
        end=times[-2],
        series=tuple(_grown(found.series, found.preset, times)),
        scrape_interval=INTERVAL_S,
        clock_skew=0.0,
        incomplete=(),
        lag=0.0,
        whole_from=None,
    )


def _grown(series: tuple[RawSeries, ...], preset: Preset, times: tuple[float, ...]) -> Iterator[RawSeries]:
    """Yield the series of good requests growing, the others as they are; all have one of good requests."""
    statuses = {label for label in (preset.status_label, preset.histogram_status_label) if label}
    there = {_without(one, statuses) for one in series if _is_good(one, statuses)}
    for one in series:
        if not one.values or one.metric == PROCESS_START:
            continue
        good = _is_good(one, statuses)
        yield _at_rate(one, times, SERVED * (good and one.metric != UP))
        if not good and (key := _without(one, statuses)) not in there:
            there.add(key)
            labels = {name: _good(text) if name in statuses else text for name, text in one.labels.items()}
            yield _at_rate(replace(one, labels=labels), times, SERVED)


def _at_rate(one: RawSeries, times: tuple[float, ...], served: int) -> RawSeries:
    base = 1.0 if one.metric == UP else one.values[-1]
    return replace(one, times=times, values=tuple(base + max(0, at - 1) * served for at in range(len(times))))


def _is_good(one: RawSeries, statuses: Collection[str]) -> bool:
    return all(_is_success(one.labels.get(label, "200")) for label in statuses)


def _is_success(status: str) -> bool:
    return any(one.startswith("2") for one in statuses_of(status))


def _good(status: str) -> str:
    """Return the status of a success, grouped (``2xx``) if this one is."""
    meant = statuses_of(status)
    return "2xx" if meant and not meant[0].isdigit() else "200"


def _without(one: RawSeries, statuses: Collection[str]) -> tuple[str, frozenset[tuple[str, str]]]:
    return one.metric, frozenset(pair for pair in one.labels.items() if pair[0] not in statuses)
