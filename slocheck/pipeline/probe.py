"""Can each objective be measured? Asks the metric source, sends no load."""

import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction

from slocheck.documents.units import format_duration
from slocheck.errors import UsageError
from slocheck.evidence.series import SourcePreflight
from slocheck.indicators.pretend_run import unmeasurable
from slocheck.pipeline.metric_mapping import NOTHING_YET, Settled, as_collected, settle
from slocheck.pipeline.ports import MetricSource, SourceFactory
from slocheck.plan.mapping_text import described
from slocheck.plan.series_queries import needed_metrics
from slocheck.spec.blocks.sources import block_names
from slocheck.spec.indicators import traits_of
from slocheck.spec.model import Objective, Preset, SourceChoice, Spec

PAST_INTERVALS = 2
"""The series are those of a moment so many scrapes ago: their last sample is there already."""
SAME_BOUNDARY_S = 1e-9
"""Bucket boundaries come as floats; two that are nearer than this are the same."""


@dataclass(frozen=True, slots=True)
class Obstacle:
    """What keeps the metric source from measuring an objective.

    Attributes:
        text: What it is, and what to do.
        fatal: Nothing can be measured, in contrast to a limit that may stay undecided.
    """

    text: str
    fatal: bool


@dataclass(frozen=True, slots=True)
class Probe:
    """What the metric source can measure.

    Attributes:
        found: What the source is found to be.
        mapping: By which names its metrics are asked for, in one line.
        obstacles: Of each objective that has any, by its name.
    """

    found: SourcePreflight
    mapping: str
    obstacles: Mapping[str, tuple[Obstacle, ...]]

    @property
    def blind(self) -> bool:
        """Whether an objective cannot be measured at all."""
        return any(item.fatal for each in self.obstacles.values() for item in each)


def probe(spec: Spec, source_factory: SourceFactory) -> Probe:
    """Ask the metric source what it can measure.

    Raises:
        SourceError: The source cannot be asked.
        UsageError: The spec names no source.
    """
    configured, source = spec.metric_source, source_factory(spec)
    if configured is None or source is None:
        raise UsageError(f"{spec.path}: --probe asks a metric source; write a {block_names()} block")
    try:
        settled = settle(spec, source)
        found = settled.found
        reasons = {} if settled.mapping.is_unknown else _reasons(spec, source, settled)
    finally:
        source.close()
    obstacles = {
        item.name: (
            *_obstacles(item, settled),
            *_as_graded(item, reasons, missing=found.missing),
        )
        for item in spec.objectives
    }
    return Probe(
        found,
        settled.said or described(settled.mapping),
        {name: each for name, each in obstacles.items() if each},
    )


def _reasons(spec: Spec, source: MetricSource, settled: Settled) -> dict[str, str]:
    """Return what a run long enough would say of the objectives that it could not grade."""
    source.start()
    moment = time.time() - PAST_INTERVALS * settled.found.scrape_interval
    series = source.collect(load_start=moment, window_start=moment, end=moment, sent=0)
    return unmeasurable(spec, as_collected(spec, series, settled))


def _as_graded(
    objective: Objective, reasons: Mapping[str, str], *, missing: Sequence[str]
) -> Iterator[Obstacle]:
    """Yield what a run long enough would say; not what is known from a metric that has no series yet."""
    if objective.name in reasons and not missing:
        yield Obstacle(reasons[objective.name], fatal=True)


def _obstacles(objective: Objective, settled: Settled) -> Iterator[Obstacle]:
    preset, found = settled.mapping, settled.found
    if objective.source is SourceChoice.CLIENT or traits_of(objective.indicator.kind).is_query:
        return
    if preset.is_unknown:
        yield Obstacle(NOTHING_YET, fatal=True)
        return
    needed = needed_metrics(objective, preset)
    if not needed:
        yield Obstacle(f"preset {preset.name} names no metric for it", fatal=True)
    for metric in needed:
        if metric in found.missing and settled.not_a_histogram and metric == f"{preset.histogram}_bucket":
            yield Obstacle(settled.not_a_histogram, fatal=True)
        elif metric in found.missing:
            yield Obstacle(f"no series {metric} yet: send one request, or check the preset", fatal=True)
    if traits_of(objective.indicator.kind).is_percentile and found.bucket_boundaries:
        for limit in dict.fromkeys(limit.value for limit in objective.limits.values()):
            if all(abs(boundary - float(limit)) > SAME_BOUNDARY_S for boundary in found.bucket_boundaries):
                yield Obstacle(_no_boundary(limit, preset), fatal=False)


def _no_boundary(limit: Fraction, preset: Preset) -> str:
    """Name the boundary to add, in the unit of the histogram where that is not seconds."""
    boundary = float(limit / preset.unit_seconds)
    unit = "" if preset.unit_seconds == 1 else " in the histogram's own unit"
    return f"no bucket boundary at {format_duration(limit)}: add {boundary:g}{unit}"
