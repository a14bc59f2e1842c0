"""Checks whether each objective can be measured: asks the metric source and sends no load."""

import time
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from fractions import Fraction

from slocheck.documents.units import format_duration
from slocheck.errors import UsageError
from slocheck.evidence.series import ServerSeries, SourcePreflight
from slocheck.grading.simulated_run import SimulatedRun
from slocheck.indicators.samples import NoData
from slocheck.indicators.saturation import Usage, saturation
from slocheck.indicators.server.growth.selections import requests_of
from slocheck.indicators.server.latency import without_histogram
from slocheck.indicators.server.sample import instances_of
from slocheck.indicators.server.server_side import ServerSide
from slocheck.indicators.simulated_series import simulated_series
from slocheck.pipeline.metric_mapping import Settled, as_collected, needs_mapping, settle
from slocheck.pipeline.ports import MetricSource, SourceFactory
from slocheck.pipeline.target.first_growth import FirstGrowth, grow
from slocheck.pipeline.target.probe_requests import ProbeRequests
from slocheck.plan.mapping_text import described
from slocheck.plan.series_queries import PROCESS_START, needed_metrics
from slocheck.scenario.model import Scenario
from slocheck.spec.blocks.metric_source.sources import block_names
from slocheck.spec.indicators import traits_of
from slocheck.spec.model import Endpoint, Objective, Preset, SourceChoice, Spec

PAST_INTERVALS = 2
"""The series are read as of this many scrapes ago, for which the samples have already arrived."""
SAME_BOUNDARY_S = 1e-9
"""Bucket boundaries come as floats; two that differ by less than this are the same."""


@dataclass(frozen=True, slots=True)
class Obstacle:
    """What keeps the metric source from deciding an objective.

    Attributes:
        text: What it is, and what to do.
        fatal: No limit can be decided; otherwise some may stay undecided.
    """

    text: str
    fatal: bool


@dataclass(frozen=True, slots=True)
class Simulated:
    """What a run of sufficient length would find with the existing series.

    Attributes:
        obstacles: Of each objective that would stay undecided, by its name.
        instances: How many processes serve, or why they cannot be counted.
        usages: Their saturation.
        tells_starts: Whether a process says when it started.
    """

    obstacles: dict[str, Obstacle]
    instances: Fraction | NoData
    usages: tuple[Usage, ...]
    tells_starts: bool


@dataclass(frozen=True, slots=True)
class Probe:
    """What the metric source can measure.

    Attributes:
        found: The source's preflight.
        mapping: The names of its metrics, in one line.
        obstacles: Obstacles of each objective that has any, by its name.
        simulated: What a run of sufficient length would find; None if there are no series to simulate it on.
    """

    found: SourcePreflight
    mapping: str
    obstacles: Mapping[str, tuple[Obstacle, ...]]
    simulated: Simulated | None = None

    @property
    def is_incomplete(self) -> bool:
        """Whether an objective cannot be measured at all."""
        return any(item.fatal for each in self.obstacles.values() for item in each)


def probe(
    spec: Spec,
    source_factory: SourceFactory,
    *,
    scenario: Scenario | None = None,
    requests: ProbeRequests | None = None,
) -> Probe:
    """Ask the metric source what it can measure.

    Args:
        spec: With its overrides applied.
        source_factory: Makes the source.
        scenario: The declarative scenario; None for a Locust file.
        requests: Sends the scenario's GET steps, whose counts are compared with what was sent; None: nothing
            is sent.

    Raises:
        SourceError: The source cannot be asked.
        UsageError: The spec names no source, or its metrics are not the mapping, or in another unit.
    """
    configured, source = spec.metric_source, source_factory(spec)
    if configured is None or source is None:
        raise UsageError(f"{spec.path}: --probe asks a metric source; write a {block_names()} block")
    try:
        settled = settle(spec, source, first_requests=requests.once if requests else None)
        endpoints = _endpoints(scenario)
        grown = None
        if settled.mapping.is_unknown:
            found = None
        elif requests is None or not needs_mapping(spec):
            found = _collected(spec, source, settled)
        else:
            grown = _grown(spec, source, settled, requests)
            found = grown.found
            settled = replace(settled, found=source.preflight()) if settled.found.missing else settled
        unasked = endpoints - set(requests.asked if requests else ())
        run = simulated_run(spec, found, endpoints=endpoints, unasked=unasked) if found else None
    finally:
        source.close()
    obstacles = {
        item.name: (*_obstacles(item, settled, run), *_of_growth(item, grown, run))
        for item in spec.objectives
    }
    return Probe(
        settled.found,
        settled.said or described(settled.mapping),
        {name: each for name, each in obstacles.items() if each},
        run,
    )


def _endpoints(scenario: Scenario | None) -> set[Endpoint]:
    flows = scenario.flows if scenario else ()
    return {Endpoint(step.method, step.name) for flow in flows for step in flow.steps}


def _collected(spec: Spec, source: MetricSource, settled: Settled) -> ServerSeries:
    """Return the series as they are."""
    source.start()
    moment = time.time() - PAST_INTERVALS * settled.found.scrape_interval
    series = source.collect(load_start=moment, window_start=moment, end=moment, sent=0)
    return as_collected(spec, series, settled)


def _grown(spec: Spec, source: MetricSource, settled: Settled, requests: ProbeRequests) -> FirstGrowth:
    """Send the requests, and return what they added to the series."""
    source.start()

    def as_known(series: ServerSeries) -> ServerSeries:
        return as_collected(spec, series, settled)

    return grow(spec, source, requests, known=settled.found.warnings, as_known=as_known)


def _of_growth(objective: Objective, grown: FirstGrowth | None, run: Simulated | None) -> Iterable[Obstacle]:
    """Yield what the counts of the probe's own requests contradict."""
    if grown is None or run is None or objective.name in run.obstacles:
        return
    if several := grown.counts.several(objective):
        yield Obstacle(several, fatal=True)
    elif lacking := grown.counts.lacking(objective):
        yield Obstacle(lacking, fatal=grown.counts.counted_none(objective))
    if grown.unit_doubt and grown.counts.is_by_histogram(objective):
        yield Obstacle(grown.unit_doubt.text, fatal=False)


def _obstacles(objective: Objective, settled: Settled, run: Simulated | None) -> Iterator[Obstacle]:
    """Yield what a run of sufficient length would say, with the metrics that it would lack."""
    preset, found = settled.mapping, settled.found
    if objective.source is SourceChoice.CLIENT or traits_of(objective.indicator.kind).is_query:
        return
    if preset.is_unknown and settled.is_open:
        yield Obstacle(settled.said, fatal=True)
        return
    if _is_the_clients(objective, preset):
        yield Obstacle(f"client side only: {preset.title} has no latency histogram", fatal=False)
        return
    graded = run.obstacles.get(objective.name) if run else None
    needed = needed_metrics(objective, preset)
    missing = [metric for metric in needed if metric in found.missing]
    for metric in missing:
        yield Obstacle(_missing(metric, settled), fatal=run is None or graded is not None)
    if run is None and not needed:
        yield Obstacle(f"{preset.title} has no metric for it", fatal=True)
    if graded and not missing:
        yield graded
    if not missing and traits_of(objective.indicator.kind).is_percentile and found.bucket_boundaries:
        for limit in dict.fromkeys(limit.value for limit in objective.limits.values()):
            if all(abs(boundary - float(limit)) > SAME_BOUNDARY_S for boundary in found.bucket_boundaries):
                yield Obstacle(_no_boundary(limit, preset), fatal=False)


def _missing(metric: str, settled: Settled) -> str:
    if settled.not_a_histogram and metric == f"{settled.mapping.histogram}_bucket":
        return settled.not_a_histogram
    own = (f"{settled.mapping.histogram}_count", f"{settled.mapping.histogram}_bucket")
    if metric == own[0] and own[1] not in settled.found.missing:
        return f"no series {metric}, although {own[1]} is there: check that no relabelling drops it"
    return f"no series {metric} yet: send one request, or check the preset"


def _no_boundary(limit: Fraction, preset: Preset) -> str:
    """Name the boundary to add, in the unit of the histogram if that is not seconds."""
    boundary = float(limit / preset.unit_seconds)
    unit = "" if preset.unit_seconds == 1 else " in the histogram's own unit"
    return f"no bucket boundary at {format_duration(limit)}: add {boundary:g}{unit}"


def simulated_run(
    spec: Spec,
    found: ServerSeries,
    *,
    endpoints: Collection[Endpoint] = (),
    unasked: Collection[Endpoint] = (),
) -> Simulated | None:
    """Grade a run in which every series grows by good requests; None if there are no series.

    Args:
        spec: What is to be graded.
        found: The source's series as they are; their last values count.
        endpoints: Of the scenario.
        unasked: Those of them that may not have had a request yet.
    """
    if not found.series:
        return None
    raw = simulated_series(found)
    server = ServerSide(raw)
    graded = SimulatedRun(server, endpoints)
    found_open = {item.name: _obstacle_on(item, spec, graded, server, unasked) for item in spec.objectives}
    obstacles = {name: obstacle for name, obstacle in found_open.items() if obstacle}
    return Simulated(
        obstacles,
        instances_of(spec, server),
        saturation(raw),
        any(one.metric == PROCESS_START for one in found.series),
    )


def _obstacle_on(
    objective: Objective, spec: Spec, run: SimulatedRun, server: ServerSide, unasked: Collection[Endpoint]
) -> Obstacle | None:
    """Return why some limits of an objective would never be decided; None if all would be."""
    if _is_the_clients(objective, server.preset) or traits_of(objective.indicator.kind).is_query:
        return None
    levels = run.undecided(objective, spec)
    if not levels:
        return None
    if objective.endpoint in unasked and run.tells_apart(objective) and not _has_series(objective, server):
        return Obstacle(f"no series for {objective.endpoint} yet: send one and probe again", fatal=False)
    reasons = "; ".join(dict.fromkeys(levels.values()))
    if len(levels) == len(objective.limits):
        return Obstacle(reasons, fatal=True)
    return Obstacle(f"{', '.join(levels)}: {reasons}", fatal=False)


def _is_the_clients(objective: Objective, preset: Preset) -> bool:
    """Tell whether only the client's numbers are graded."""
    missing = without_histogram(objective, preset)
    return objective.source is SourceChoice.CLIENT or (missing is not None and missing.left_to_client)


def _has_series(objective: Objective, server: ServerSide) -> bool:
    preset = server.preset
    metrics = (preset.counter or "", f"{preset.histogram}_bucket")
    wanted = requests_of(objective, preset)
    return any(wanted(one.labels) for metric in metrics for one in server.series_of(metric))
