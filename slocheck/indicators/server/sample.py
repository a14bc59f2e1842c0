"""The server side's samples: raw counters, reconciled with the client, as bounds."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from math import isfinite

from slocheck.evidence.scrape_gap import ScrapeGap
from slocheck.indicators.samples import Display, NoData, Rate, Scalar, Share, Slices, shortfall
from slocheck.indicators.server.client_counts import ClientCounts
from slocheck.indicators.server.coverage import coverage
from slocheck.indicators.server.endpoints import nothing_counted
from slocheck.indicators.server.growth.counts import Counted
from slocheck.indicators.server.growth.selections import (
    EVERYTHING,
    Selection,
    Without,
    requests_of,
)
from slocheck.indicators.server.known_failures import with_known_failures
from slocheck.indicators.server.latency import latency_sample
from slocheck.indicators.server.reconcile import CountDiscrepancy, reconcile, share_sample
from slocheck.indicators.server.related_jobs import cache_sample, instance_count, replica_notes
from slocheck.indicators.server.server_side import ServerSide
from slocheck.indicators.server.statuses import StatusRule, unexpected_responses
from slocheck.spec.indicators import UNSERVED_STATUSES, traits_of
from slocheck.spec.model import CUSTOM, IndicatorKind, Limit, Objective, Reduce, Spec

_UNSERVED = tuple(str(status) for status in sorted(UNSERVED_STATUSES))


@dataclass(frozen=True, slots=True)
class _ServerQuestion:
    """What one sample is about."""

    objective: Objective
    limit: Limit
    spec: Spec
    server: ServerSide
    client: ClientCounts


def server_sample(
    objective: Objective, limit: Limit, *, spec: Spec, server: ServerSide, client: ClientCounts
) -> Share | Rate | Scalar | NoData:
    """Return what the server's series say of an objective in the window."""
    kind = objective.indicator.kind
    if not traits_of(kind).is_query:
        if server.raw.incomplete:
            return NoData(f"the series are incomplete: {server.raw.incomplete[0]}", source_failed=True)
        if server.preset.is_unknown and not _is_of_another_job(kind, spec):
            return NoData(server.raw.mapping or "no metrics of the service were looked for")
        if why := server.load_balanced or server.scraped_twice:
            return NoData(why, source_failed=True)
    return SERVER_SAMPLES[kind](_ServerQuestion(objective, limit, spec, server, client))


def _is_of_another_job(kind: IndicatorKind, spec: Spec) -> bool:
    """Tell whether an indicator is counted by metrics that are not the service's own."""
    return spec.related_jobs.cache is not None and not traits_of(kind).counts_requests


def _latency(question: _ServerQuestion) -> Share | NoData:
    return latency_sample(
        question.objective,
        question.limit,
        spec=question.spec,
        server=question.server,
        client=question.client,
    )


def _errors(question: _ServerQuestion) -> Share | NoData:
    """Failed requests; those with an unexpected status are possibly bad."""
    preset = question.server.preset
    if preset.counter is None or preset.status_label is None:
        return _bad_share(question, EVERYTHING, EVERYTHING, ())
    statuses = StatusRule(preset.status_label, question.spec.failures, question.client)
    unexpected = unexpected_responses(preset.counter, _counted(question, preset.counter), statuses)
    if isinstance(unexpected, NoData):
        return unexpected
    sample = _bad_share(question, statuses.failed, statuses.possibly_bad, question.client.failed)
    return sample if isinstance(sample, NoData) else replace(sample, notes=(*unexpected, *sample.notes))


def _availability(question: _ServerQuestion) -> Share | NoData:
    """Requests that nothing served; those with a grouped status are possibly among them."""
    rule = replace(question.spec.failures, statuses=_UNSERVED)
    statuses = StatusRule(question.server.preset.status_label or "", rule, question.client)
    return _bad_share(question, statuses.failed, statuses.maybe_failed, question.client.unserved)


def _cache(question: _ServerQuestion) -> Share | NoData:
    return cache_sample(question.spec, question.server)


def _counted(question: _ServerQuestion, metric: str) -> Counted:
    """Return the growth of a counter of the objective's requests within the window."""
    return question.server.window_count(metric, requests_of(question.objective, question.server.preset))


def _bad_share(
    question: _ServerQuestion, sure: Selection, possible: Selection, known: Sequence[int]
) -> Share | NoData:
    """Share of requests in the wanted series, shown as the share of the others if that is the value.

    `known`: bad ones that the client saw, per second of its window.
    """
    objective, server = question.objective, question.server
    preset = server.preset
    if preset.counter is None or preset.status_label is None:
        cure = "status_label under preset, or source: client" if preset.name == CUSTOM else "source: client"
        return NoData(f"{preset.title} has no counter by status; write {cure}")
    discrepancy = counter_discrepancy(question)
    if isinstance(discrepancy, NoData):
        return discrepancy
    counted = _counted(question, preset.counter)
    total = round(counted.total())
    if total == 0:
        return NoData(_nothing(server, preset.counter, objective))
    bad = round(counted.total(sure)), round(counted.total(possible))
    slices = Slices(
        counted.slices(),
        counted.slices(sure),
        counted.slices(possible) if bad[0] != bad[1] else None,
        slice_s=server.raw.scrape_interval,
    )
    low, high = bad[0] / total, bad[1] / total
    good = traits_of(objective.indicator.kind).good_share
    display = Display(1 - high, 1 - low) if good else Display(low, high)
    discrepancy = with_known_failures(discrepancy, server, counted, question.client, known)
    return share_sample(bad, total, discrepancy, display=display, slices=slices, flags=counted.flags)


def counter_discrepancy(question: _ServerQuestion) -> CountDiscrepancy | NoData:
    """Reconcile the request counter over the whole load with the client."""
    server = question.server
    metric = server.preset.counter or ""
    wanted = requests_of(question.objective, server.preset)
    whole = server.load_count(metric, wanted)
    statuses = StatusRule(server.preset.status_label or "", question.spec.failures, question.client)
    return reconcile(
        whole,
        question.client,
        failed=whole.total(statuses.possibly_bad),
        before_load=server.seen_before_load(metric, wanted),
        whole=server.window_is_load,
        events=server.events,
        scrapes=server.own_scrapes(metric, wanted),
    )


def _nothing(server: ServerSide, metric: str, objective: Objective) -> str:
    """Say why nothing was counted."""
    return (
        nothing_counted(server, metric, objective) if server.series_of(metric) else _no_series(server, metric)
    )


def _no_traffic(server: ServerSide, metric: str) -> str:
    """Say why a metric shows no rate."""
    few = "the window holds fewer than two scrapes with traffic between them"
    return few if server.series_of(metric) else _no_series(server, metric)


def _no_series(server: ServerSide, metric: str) -> str:
    kept = server.series_of(f"{server.preset.histogram}_bucket")
    cure = "check that no relabelling drops it" if kept else "is the preset the right one?"
    return f"the source has no series {metric}; {cure}"


def _rate(question: _ServerQuestion) -> Rate | NoData:
    """Successes per second and instance, between the first and the last scrape inside the window."""
    objective, spec = question.objective, question.spec
    server, client = question.server, question.client
    preset = server.preset
    if preset.counter is None:
        return NoData(f"{preset.title} has no request counter")
    discrepancy = counter_discrepancy(question)
    if isinstance(discrepancy, NoData):
        return discrepancy
    end = server.raw.start + client.window_s
    counted = server.count(
        preset.counter, requests_of(objective, preset), begin=server.window_start, end=end, whole=False
    )
    covered = coverage(server, counted, end)
    if counted.total() == 0 or covered is None:
        return NoData(_no_traffic(server, preset.counter))
    instances = instance_count(spec, server, covered.instances)
    if isinstance(instances, NoData):
        return instances
    statuses = StatusRule(preset.status_label or "", spec.failures, client)
    unexpected = unexpected_responses(preset.counter, counted, statuses)
    if isinstance(unexpected, NoData):
        return unexpected
    if not preset.status_label and not statuses.all_succeeded:
        return NoData(
            f"{preset.counter} has no status label and some requests of this run failed, "
            "so what was served is not known; write source: client"
        )
    possible = statuses.possibly_bad
    lag = Fraction(server.raw.lag) * covered.instances
    if covered.seconds <= lag:
        return NoData(f"the page is up to {server.raw.lag:g} s behind, too much for a rate over this window")
    shortest, longest = ((covered.seconds + add) * instances / covered.instances for add in (-lag, lag))
    good_low = counted.total() - counted.total(possible) - discrepancy.foreign
    good_high = counted.total() - counted.total(statuses.not_served) + discrepancy.uncounted
    offered = Fraction(client.window_sent) / Fraction(client.window_s or 1) / instances
    slices = shortfall(counted.slices(Without(possible)), slice_s=server.raw.scrape_interval)
    interval = Fraction(server.raw.scrape_interval) * len(slices.n)
    return Rate(
        max(Fraction(0), good_low) / longest,
        good_high / shortest,
        offered,
        Fraction(sum(slices.n)) / interval / instances if interval else Fraction(0),
        slices,
        (*unexpected, *replica_notes(spec, server, covered.instances)),
        closed=not spec.workload.rate,
        server_alone=True,
    )


def instances_of(spec: Spec, server: ServerSide) -> Fraction | NoData:
    """Return how many processes served the load, weighted by how long each was there."""
    if spec.target.instances is not None:
        return Fraction(spec.target.instances)
    metric = server.preset.counter
    if metric is None:
        return NoData(f"{server.preset.title} has no request counter to count instances with")
    counted = server.count(metric, EVERYTHING, begin=server.window_start, end=server.raw.end, whole=False)
    covered = coverage(server, counted, server.raw.end)
    if covered is None:
        return NoData("no instance shows traffic between two scrapes of the window")
    return instance_count(spec, server, covered.instances)


def _promql(question: _ServerQuestion) -> Scalar | NoData:
    """Reduce the result of the user's own query to one value."""
    objective = question.objective
    result = question.server.raw.promql.get(objective.name)
    if result is None:
        return NoData("the run did not send this query; run again", source_failed=True)
    if result.error:
        return NoData(result.error, source_failed=True)
    if result.gap and result.gap.intervals > question.spec.validity.max_scrape_gap:
        return NoData(_gap_in(result.gap, question.spec), source_failed=True)
    values = [value for value in result.values if isfinite(value)]
    if not values or len(values) < len(result.values):
        return NoData("the query returned no number" if result.values else "the query returned nothing")
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


def _gap_in(gap: ScrapeGap, spec: Spec) -> str:
    allowed = f"{spec.validity.max_scrape_gap:g} scrape intervals of {gap.interval:g} s are allowed"
    return f"the window has a gap: {gap.text}; {allowed}"


SERVER_SAMPLES: Mapping[IndicatorKind, Callable[[_ServerQuestion], Share | Rate | Scalar | NoData]] = {
    IndicatorKind.LATENCY: _latency,
    IndicatorKind.ERROR_RATE: _errors,
    IndicatorKind.AVAILABILITY: _availability,
    IndicatorKind.CACHE_HIT_RATE: _cache,
    IndicatorKind.RPS_PER_INSTANCE: _rate,
    IndicatorKind.PROMQL: _promql,
}
"""What measures each kind of indicator on the server side."""
