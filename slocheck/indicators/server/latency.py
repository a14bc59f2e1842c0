"""Latency from the server's histogram: what its buckets allow, never an interpolated percentile."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from fractions import Fraction
from math import ceil, inf

from slocheck.evidence.series import ServerSeries, parse_edge
from slocheck.indicators.samples import Display, NoData, Share, Slices
from slocheck.indicators.server.client_counts import ClientCounts
from slocheck.indicators.server.counters import Growth
from slocheck.indicators.server.counts import Counted, count, quiet_growth, route_filter, status_share
from slocheck.indicators.server.reconcile import CountDiscrepancy, reconcile, share_sample
from slocheck.plan.load_plan import is_reference
from slocheck.spec.model import Limit, Objective, Preset, Spec

Edge = Fraction | float
"""A bucket's upper edge in seconds; ``inf`` is the last one's."""


def latency_sample(
    objective: Objective, limit: Limit, *, spec: Spec, series: ServerSeries, client: ClientCounts
) -> Share | NoData:
    """Return the share of requests over a latency limit, as far as the buckets can tell."""
    preset = series.preset
    if preset.histogram is None:
        return NoData(f"preset {preset.name} has no latency histogram; write source: client")
    metric = f"{preset.histogram}_bucket"
    wanted = route_filter(preset, objective)
    counted = count(series, metric, wanted, begin=series.start, end=series.end)
    edges = common_edges(counted, preset)
    total = round(counted.total(lambda labels: _edge(labels, preset) == inf)) if inf in edges else 0
    if total == 0:
        return NoData(f"{metric} counted no request in the window")
    doubt = _doubt(metric, wanted, series, client)
    if isinstance(doubt, NoData):
        return doubt
    below, above = around(limit.value, edges)
    failed = _failed(counted, objective, spec, series, total=total)
    good = [round(counted.total(_good_at(edge, preset, spec))) for edge in (below, above)]
    bad = max(0, total - good[1]), min(total, total - good[0] + failed)
    if bad[0] > bad[1]:
        return NoData(
            f"{metric} contradicts itself: its buckets do not add up to its count", source_failed=True
        )
    sample = share_sample(
        bad,
        total,
        doubt,
        display=percentile(counted, edges, preset, objective.indicator.quantile or Fraction(1), total),
        slices=_slices(counted, (below, above), edges, preset, spec, failed=failed),
        flags=counted.flags,
    )
    if isinstance(sample, NoData) or below == above:
        return sample
    note = (
        f"the limit {limit.text} lies inside the server's bucket ({_text(below)}, {_text(above)}]; "
        f"add a bucket edge at {float(limit.value / preset.unit_seconds):g}"
    )
    limited = not (doubt.unseen or doubt.extra or failed)
    return replace(sample, notes=(note, *sample.notes), bucket_limited=limited)


def common_edges(counted: Counted, preset: Preset) -> list[Edge]:
    """Return the bucket edges that every histogram with traffic has, ascending, in seconds."""
    layouts: dict[frozenset[tuple[str, str]], dict[Edge, list[Growth]]] = {}
    for labels, part in counted.parts:
        edge = _edge(labels, preset)
        if edge is not None:
            key = frozenset(item for item in labels.items() if item[0] != "le")
            layouts.setdefault(key, {}).setdefault(edge, []).append(part)
    busy = (layout for layout in layouts.values() if any(part.total for part in layout.get(inf, ())))
    usable = [_usable(layout) for layout in busy]
    return sorted(set.intersection(*usable)) if usable else []


def _usable(layout: Mapping[Edge, Sequence[Growth]]) -> set[Edge]:
    """Return the edges of one histogram that were there as long as its ``+Inf``.

    A new version of the service may bring other buckets: an edge that only one of the two versions had
    does not tell where the other's requests were.
    """
    moments = {edge: {step.end for part in parts for step in part.steps} for edge, parts in layout.items()}
    return {edge for edge in layout if moments[edge] == moments[inf]}


def around(limit: Fraction, edges: list[Edge]) -> tuple[Edge, Edge]:
    """Return the edges just at or below and just at or above a limit; equal where it is one."""
    below = max((edge for edge in edges if edge <= limit), default=Fraction(0))
    above = min((edge for edge in edges if edge >= limit), default=inf)
    return below, above


def _edge(labels: Mapping[str, str], preset: Preset) -> Edge | None:
    """Parse a series' ``le`` into seconds; None where it has none."""
    edge = parse_edge(labels.get("le", ""))
    return edge if edge is None or edge == inf else Fraction(edge) * preset.unit_seconds


def _good_at(edge: Edge, preset: Preset, spec: Spec) -> Callable[[Mapping[str, str]], bool]:
    """Return which bucket series count the good requests up to an edge: fast, and not surely failed."""
    label = preset.histogram_status_label

    def good(labels: Mapping[str, str]) -> bool:
        if _edge(labels, preset) != edge:
            return False
        return label is None or not status_share(labels.get(label, ""), spec.failures.statuses)[0]

    return good


def _failed(counted: Counted, objective: Objective, spec: Spec, series: ServerSeries, *, total: int) -> int:
    """Return how many more requests may have failed, and so be bad, than the histogram's labels tell.

    A request that the histogram has and the counter by status has not may have failed as well.
    """
    preset = series.preset
    if preset.histogram_status_label:
        label = preset.histogram_status_label

        def unclear(labels: Mapping[str, str]) -> bool:
            surely, possibly = status_share(labels.get(label, ""), spec.failures.statuses)
            return _edge(labels, preset) == inf and possibly and not surely

        return round(counted.total(unclear))
    if preset.counter is None or preset.status_label is None:
        return 0
    status = preset.status_label
    failures = count(
        series, preset.counter, route_filter(preset, objective), begin=series.start, end=series.end
    )
    possible = failures.total(lambda labels: status_share(labels.get(status, ""), spec.failures.statuses)[1])
    return round(possible + max(Fraction(0), total - failures.total()))


def _doubt(
    metric: str, wanted: Callable[[Mapping[str, str]], bool], series: ServerSeries, client: ClientCounts
) -> CountDiscrepancy | NoData:
    """Reconcile the histogram's own count over the whole load with the client."""

    def last(labels: Mapping[str, str]) -> bool:
        return wanted(labels) and _edge(labels, series.preset) == inf

    whole = count(series, metric, last, begin=series.load_start, end=series.end)
    quiet = quiet_growth(series, metric, last)
    return reconcile(
        whole.total(),
        client,
        flags=whole.flags,
        quiet=quiet,
        whole=series.start <= series.load_start,
    )


def percentile(
    counted: Counted, edges: list[Edge], preset: Preset, quantile: Fraction, total: int
) -> Display:
    """Return the bucket that holds the k-th smallest latency, k = ceil(qN), in seconds."""
    rank = ceil(quantile * total)
    lower: Edge = Fraction(0)
    for edge in edges:
        at = edge
        if counted.total(lambda labels, at=at: _edge(labels, preset) == at) >= rank:  # type: ignore[misc]
            return Display(float(lower), float(edge))
        lower = edge
    return Display(float(lower), inf)


def _slices(
    counted: Counted,
    around_limit: tuple[Edge, Edge],
    edges: list[Edge],
    preset: Preset,
    spec: Spec,
    *,
    failed: int,
) -> Slices:
    """Return the counts per scrape: requests, bad ones, possibly bad ones, and lower edges as references."""
    slots = counted.slots()
    n = counted.slices(slots, lambda labels: _edge(labels, preset) == inf)
    good = [counted.slices(slots, _good_at(edge, preset, spec)) for edge in around_limit]
    bad = [max(0, size - fast) for size, fast in zip(n, good[1], strict=True)]
    high = [min(size, max(0, size - fast)) for size, fast in zip(n, good[0], strict=True)]
    high[-1] = min(n[-1], high[-1] + failed)
    lower = [edge for edge in edges if is_reference(edge, around_limit[0])]
    references = tuple(
        tuple(
            max(0, size - fast)
            for size, fast in zip(n, counted.slices(slots, _good_at(edge, preset, spec)), strict=True)
        )
        for edge in lower
    )
    return Slices(tuple(n), tuple(min(pair) for pair in zip(bad, high, strict=True)), tuple(high), references)


def _text(edge: Edge) -> str:
    """Write an edge for people."""
    return "+Inf" if edge == inf else f"{float(edge):g} s"
