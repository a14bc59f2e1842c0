"""Settles by which names the service's metrics are asked for: as written, or found with ``preset: auto``."""

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace

from slocheck.errors import UsageError
from slocheck.evidence.series import ServerSeries, SourcePreflight
from slocheck.evidence.warnings import RunWarning
from slocheck.pipeline.ports import MetricSource
from slocheck.plan.families import Family, families_of, not_a_histogram
from slocheck.plan.mapping_labels import compare_labels
from slocheck.plan.mapping_match import Match, Unclear, match_mapping
from slocheck.plan.mapping_text import described
from slocheck.plan.metric_plan import metric_plan
from slocheck.spec.blocks.preset import shipped_presets
from slocheck.spec.indicators import traits_of
from slocheck.spec.model import AUTO, Objective, Preset, RelatedJobs, SourceChoice, Spec

NOTHING_YET = (
    "no metrics of requests with labels for route or status were found; send the service some requests, "
    "or write its metrics' names under preset"
)
PATIENCE_S = 6.0
"""Seconds in which the first requests should show on a page: the longest flush known is 5 s."""
PAUSE_S = 0.5


@dataclass(frozen=True, slots=True)
class Settled:
    """By which names the service's metrics are asked for.

    Attributes:
        mapping: `AUTO` where none was found yet.
        said: How it was found, in one line; why it was not.
        found: What the source is found to be, asked by this mapping.
        not_a_histogram: What stands under the histogram's name and is not one; empty where nothing does.
    """

    mapping: Preset
    said: str
    found: SourcePreflight
    not_a_histogram: str = ""


def settle(
    spec: Spec, source: MetricSource, *, first_requests: Callable[[], object] | None = None
) -> Settled:
    """Find the mapping where none is written, compare its labels with the series, and let `source` ask by it.

    Args:
        spec: With its overrides applied.
        source: Not started yet.
        first_requests: Sends the service some requests, where it has no series yet; None: nothing is sent.

    Raises:
        SourceError: The source cannot be asked.
        UsageError: The metrics that are there are not one mapping; says what to write.
    """
    configured = spec.metric_source
    assert configured is not None  # there is a source
    mapping, said = configured.preset, ""
    found = source.preflight()
    if mapping.is_unknown and needs_mapping(spec):
        match, families = _find(source, first_requests)
        if isinstance(match, Unclear):
            raise UsageError(f"{spec.path}:{configured.position} {configured.kind}.preset: {match.text}")
        mapping, said = (match.mapping, match.said) if match else (AUTO, NOTHING_YET)
    else:
        families = source.families() if needs_mapping(spec) else ()
    compared = compare_labels(mapping, families, spec.objectives)
    if compared.mapping != configured.preset:
        plan = metric_plan(spec, compared.mapping)
        assert plan is not None  # there is a source
        source.use(plan)
        found = source.preflight()
    warnings = (*found.warnings, *(RunWarning("missing-label", note) for note in compared.notes))
    if mapping.is_unknown and said:
        warnings = (*warnings, RunWarning("no-metrics-yet", f"{said}; looked for again after the load"))
    other = not_a_histogram(compared.mapping.histogram or "", families)
    if other:
        warnings = (*warnings, RunWarning("not-a-histogram", other))
    return Settled(compared.mapping, said, replace(found, warnings=warnings), other)


def needs_mapping(spec: Spec) -> bool:
    """Tell whether an objective is graded on metrics of the service."""
    return spec.target.instances is None or any(
        _is_measured(objective, spec.related_jobs) for objective in spec.objectives
    )


def _is_measured(objective: Objective, related_jobs: RelatedJobs) -> bool:
    traits = traits_of(objective.indicator.kind)
    elsewhere = traits.is_query or (related_jobs.cache is not None and not traits.counts_requests)
    return objective.source is not SourceChoice.CLIENT and not elsewhere


def _find(
    source: MetricSource, first_requests: Callable[[], object] | None
) -> tuple[Match | Unclear | None, tuple[Family, ...]]:
    """Look for the mapping; where there are no series yet, once more after the first requests."""
    families = source.families()
    match = match_mapping(families, shipped_presets())
    if match is not None or first_requests is None:
        return match, families
    first_requests()
    sent, deadline = time.time(), time.monotonic() + PATIENCE_S
    while True:
        families = source.families(after=sent)
        match = match_mapping(families, shipped_presets())
        if match is not None or time.monotonic() > deadline:
            return match, families
        time.sleep(PAUSE_S)


def look_again(spec: Spec, source: MetricSource, settled: Settled) -> Settled:
    """Look for the mapping after the load, where none was found before; raises SourceError."""
    if not settled.mapping.is_unknown or not settled.said:
        return settled
    match = match_mapping(source.families(after=time.time()), shipped_presets())
    if isinstance(match, Unclear):
        return replace(settled, said=match.text)
    if match is None:
        return settled
    plan = metric_plan(spec, match.mapping)
    assert plan is not None  # there is a source
    source.use(plan)
    return replace(settled, mapping=match.mapping, said=match.said)


def as_collected(spec: Spec, series: ServerSeries, settled: Settled) -> ServerSeries:
    """Compare the labels with those of the collected series, which know more than those before the load."""
    families = families_of(((one.metric, one.labels) for one in series.series), _types(series.preset))
    compared = compare_labels(series.preset, families, spec.objectives)
    known = {warning.text for warning in series.warnings}
    notes = tuple(RunWarning("missing-label", note) for note in compared.notes if note not in known)
    said = settled.said or described(compared.mapping)
    return replace(series, preset=compared.mapping, mapping=said, warnings=(*series.warnings, *notes))


def _types(mapping: Preset) -> dict[str, str]:
    return dict.fromkeys(_names((mapping.counter, mapping.cache_hits, mapping.cache_misses)), "counter")


def _names(names: Iterable[str | None]) -> list[str]:
    return [name for name in names if name]
