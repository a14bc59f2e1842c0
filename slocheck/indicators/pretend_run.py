"""A pretended run on a source's present series, so that a probe is judged by what judges a run."""

from collections.abc import Iterator
from dataclasses import replace

from slocheck.evidence.series import RawSeries, ServerSeries
from slocheck.indicators.samples import NoData
from slocheck.indicators.server.client_counts import ClientCounts
from slocheck.indicators.server.sample import server_sample
from slocheck.indicators.server.server_side import ServerSide
from slocheck.plan.series_queries import PROCESS_START, UP
from slocheck.spec.indicators import traits_of
from slocheck.spec.model import Objective, Preset, SourceChoice, Spec

INTERVAL_S = 10.0
SAMPLES = 8
"""Of each series, the first two of them before the load."""
SERVED = 1000
"""Requests that each of the series that count successes adds at every sample."""
NOBODY = ClientCounts(0, 0, 0, 0, INTERVAL_S * SAMPLES)
"""A client whose counts are not known."""


def unmeasurable(spec: Spec, found: ServerSeries) -> dict[str, str]:
    """Return why the server side of an objective would have nothing to grade, by the objective's name.

    Nothing is known of a source that delivered no series at all.

    Every series is taken to grow by good requests, as in a run that lasts long enough.

    Args:
        spec: What is to be graded.
        found: The source's series as they are; their last values count.
    """
    if not found.series:
        return {}
    server = ServerSide(_pretended(found))
    reasons = {}
    for objective in spec.objectives:
        if objective.source is SourceChoice.CLIENT or traits_of(objective.indicator.kind).is_query:
            continue
        sample = server_sample(
            objective, next(iter(objective.limits.values())), spec=spec, server=server, client=NOBODY
        )
        if isinstance(sample, NoData):
            reasons[objective.name] = f"{sample.reason}{_seen(objective, server)}"
    return reasons


def _pretended(found: ServerSeries) -> ServerSeries:
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
    statuses = {label for label in (preset.status_label, preset.histogram_status_label) if label}

    def good(one: RawSeries) -> bool:
        return all(one.labels.get(label, "200").startswith("2") for label in statuses)

    served = {one.metric for one in series if good(one)}
    for one in series:
        if not one.values or one.metric == PROCESS_START:
            continue
        counts = one.metric != UP and (good(one) or one.metric not in served)
        steps = (max(0, number - 1) * SERVED * counts for number in range(len(times)))
        values = tuple(1.0 if one.metric == UP else one.values[-1] + step for step in steps)
        yield replace(one, times=times, values=values)


def _seen(objective: Objective, server: ServerSide) -> str:
    """Say which routes were seen, where none of them is the objective's endpoint."""
    label, metric = server.preset.route_label, server.preset.counter
    if objective.endpoint is None or label is None or metric is None:
        return ""
    routes = sorted({one.labels[label] for one in server.series_of(metric) if label in one.labels})
    return f"; {label} seen: {', '.join(routes[:8])}" if routes else f"; its series have no label {label}"
