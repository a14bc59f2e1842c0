"""The server side's samples: raw counters, reconciled with the client, as bounds."""

from collections.abc import Callable, Mapping, Sequence
from fractions import Fraction
from itertools import pairwise
from math import isfinite

from slocheck.evidence.series import ServerSeries
from slocheck.indicators.samples import Display, NoData, Rate, Scalar, Share, Slices
from slocheck.indicators.server.client_counts import ClientCounts
from slocheck.indicators.server.counters import scrape_targets
from slocheck.indicators.server.counts import (
    Counted,
    count,
    load_balanced,
    quiet_growth,
    route_filter,
    status_share,
)
from slocheck.indicators.server.latency import latency_sample
from slocheck.indicators.server.reconcile import CountDiscrepancy, reconcile, share_sample
from slocheck.indicators.server.related_jobs import cache_sample, instance_count, replica_notes
from slocheck.spec.indicators import UNSERVED_STATUSES
from slocheck.spec.model import IndicatorKind, Limit, Objective, Preset, Reduce, Spec

_UNSERVED = tuple(str(status) for status in sorted(UNSERVED_STATUSES))
Labels = Mapping[str, str]


def server_sample(
    objective: Objective, limit: Limit, *, spec: Spec, series: ServerSeries, client: ClientCounts
) -> Share | Rate | Scalar | NoData:
    """Return what the server's series say of an objective in the window."""
    kind = objective.indicator.kind
    if kind is IndicatorKind.PROMQL:
        return _promql(objective, series)
    if series.incomplete:
        return NoData(f"the series are incomplete: {series.incomplete[0]}", source_failed=True)
    if reason := load_balanced(series):
        return NoData(reason, source_failed=True)
    if kind is IndicatorKind.LATENCY:
        return latency_sample(objective, limit, spec=spec, series=series, client=client)
    if kind is IndicatorKind.CACHE_HIT_RATE:
        return cache_sample(spec, series)
    if kind is IndicatorKind.RPS_PER_INSTANCE:
        return _rate(objective, spec, series, client)
    statuses = spec.failures.statuses if kind is IndicatorKind.ERROR_RATE else _UNSERVED
    return _failures(objective, statuses, series, client, success=kind is IndicatorKind.AVAILABILITY)


def _by_status(preset: Preset, statuses: Sequence[str], *, surely: bool) -> Callable[[Labels], bool]:
    label = preset.status_label or ""
    return lambda labels: status_share(labels.get(label, ""), statuses)[0 if surely else 1]


def _failures(
    objective: Objective,
    statuses: Sequence[str],
    series: ServerSeries,
    client: ClientCounts,
    *,
    success: bool,
) -> Share | NoData:
    """Share of requests with one of `statuses`; `success` displays its complement."""
    preset = series.preset
    if preset.counter is None or preset.status_label is None:
        return NoData(f"preset {preset.name} has no counter by status; write source: client")
    wanted = route_filter(preset, objective)
    doubt = counter_discrepancy(objective, series, client)
    if isinstance(doubt, NoData):
        return doubt
    counted = count(series, preset.counter, wanted, begin=series.start, end=series.end)
    total = round(counted.total())
    if total == 0:
        return NoData(_nothing(series, preset.counter, objective))
    sure, possible = (_by_status(preset, statuses, surely=surely) for surely in (True, False))
    bad = round(counted.total(sure)), round(counted.total(possible))
    slots = counted.slots()
    slices = Slices(
        tuple(counted.slices(slots)),
        tuple(counted.slices(slots, sure)),
        tuple(counted.slices(slots, possible)) if bad[0] != bad[1] else None,
    )
    low, high = bad[0] / total, bad[1] / total
    display = Display(1 - high, 1 - low) if success else Display(low, high)
    return share_sample(bad, total, doubt, display=display, slices=slices, flags=counted.flags)


def counter_discrepancy(
    objective: Objective, series: ServerSeries, client: ClientCounts
) -> CountDiscrepancy | NoData:
    """Reconcile the request counter over the whole load with the client."""
    metric = series.preset.counter or ""
    wanted = route_filter(series.preset, objective)
    whole = count(series, metric, wanted, begin=series.load_start, end=series.end)
    quiet = quiet_growth(series, metric, wanted)
    return reconcile(
        whole.total(),
        client,
        flags=whole.flags,
        quiet=quiet,
        whole=series.start <= series.load_start,
    )


def _nothing(series: ServerSeries, metric: str, objective: Objective) -> str:
    """Say why nothing was counted."""
    if not any(item.metric == metric for item in series.series):
        return f"the source has no series {metric}; is the preset the right one?"
    about = f" for {objective.endpoint}" if objective.endpoint else ""
    return f"{metric} counted no request{about} in the window"


def _rate(objective: Objective, spec: Spec, series: ServerSeries, client: ClientCounts) -> Rate | NoData:
    """Successes per second and instance, between the first and the last scrape inside the window."""
    preset = series.preset
    if preset.counter is None:
        return NoData(f"preset {preset.name} has no request counter")
    doubt = counter_discrepancy(objective, series, client)
    if isinstance(doubt, NoData):
        return doubt
    end = series.start + client.window_s
    counted = count(
        series, preset.counter, route_filter(preset, objective), begin=series.start, end=end, whole=False
    )
    seconds = _covered(series, counted, end)
    if counted.total() == 0 or not seconds:
        return NoData("the window holds fewer than two scrapes with traffic between them")
    longest = max(seconds.values())
    instances = instance_count(spec, series, seconds)
    if isinstance(instances, NoData):
        return instances
    scale = Fraction(longest) * instances
    sure, possible = (_by_status(preset, spec.failures.statuses, surely=surely) for surely in (True, False))
    good_low = counted.total() - counted.total(possible) - doubt.extra
    good_high = counted.total() - counted.total(sure) + doubt.unseen
    offered = Fraction(client.window_sent) / Fraction(client.window_s or 1) / instances
    slots = counted.slots()
    per_slot = counted.slices(slots, lambda labels: not possible(labels))
    unit = float(instances) * series.scrape_interval
    return Rate(
        max(Fraction(0), good_low) / scale,
        good_high / scale,
        offered,
        tuple(value / unit for value in per_slot),
        replica_notes(spec, series, seconds),
    )


def _covered(series: ServerSeries, counted: Counted, end: float) -> dict[str, float]:
    """Return, for each process that had traffic, the seconds of the window that its growth is of.

    They begin at its first scrape, or at its birth where that is known to be in the window.
    """
    busy = {
        f"{labels.get('job', '')}/{labels.get('instance', '')}"
        for labels, part in counted.parts
        if part.total > 0
    }
    covered = {}
    for name, target in scrape_targets(series).items():
        inside = [time for time in target.scrapes if series.start <= time <= end]
        if name in busy and inside:
            born = target.born_since(series.start, inside[0])
            seconds = inside[-1] - (inside[0] if born is None else min(born, inside[0]))
            if seconds > 0:
                covered[name] = seconds
    return covered


def instances_of(spec: Spec, series: ServerSeries) -> Fraction | NoData:
    """Return how many processes served the load, weighted by how long each was there."""
    if spec.target.instances is not None:
        return Fraction(spec.target.instances)
    metric = series.preset.counter
    if metric is None:
        return NoData(f"preset {series.preset.name} has no request counter to tell instances by")
    counted = count(series, metric, lambda _: True, begin=series.start, end=series.end, whole=False)
    covered = _covered(series, counted, series.end)
    if not covered:
        return NoData("no instance shows traffic between two scrapes of the window")
    return instance_count(spec, series, covered)


def scrape_gap(series: ServerSeries) -> float:
    """Return the longest gap between two scrapes of one process within the load, in scrape intervals."""
    worst = 0.0
    for target in scrape_targets(series).values():
        inside = [time for time in target.scrapes if series.load_start <= time <= series.end]
        gaps = [b - a for a, b in pairwise(inside)]
        worst = max(worst, *gaps, 0.0)
    return worst / series.scrape_interval if series.scrape_interval > 0 else 0.0


def _promql(objective: Objective, series: ServerSeries) -> Scalar | NoData:
    """Reduce the answer to a query of the user's own to one value."""
    answer = series.promql.get(objective.name)
    if answer is None:
        return NoData("this run did not ask its query; it needs a new run", source_failed=True)
    if answer.error:
        return NoData(answer.error, source_failed=True)
    values = [value for value in answer.values if isfinite(value)]
    if not values or len(values) < len(answer.values):
        return NoData("the query returned no number" if answer.values else "the query returned nothing")
    match objective.indicator.over:
        case Reduce.MAX:
            value = Fraction(max(values))
        case Reduce.MIN:
            value = Fraction(min(values))
        case Reduce.MEAN:
            value = sum(map(Fraction, values), Fraction(0)) / len(values)
        case None:
            value = Fraction(values[-1])
    return Scalar(value, tuple(values))
