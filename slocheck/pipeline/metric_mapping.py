"""Decides on the names of the service's metrics: as written, or found with ``preset: auto``."""

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from urllib.parse import urlsplit

from slocheck.errors import UsageError
from slocheck.evidence.series import ServerSeries, SourcePreflight
from slocheck.evidence.warnings import NOT_A_HISTOGRAM, RunWarning
from slocheck.pipeline.ports import MetricSource
from slocheck.plan.families import Family, families_of, not_a_histogram
from slocheck.plan.histogram_unit import unit_doubt
from slocheck.plan.mapping_labels import Compared, compare_labels
from slocheck.plan.mapping_match import (
    Match,
    Unclear,
    counters_without_roles,
    match_mapping,
    match_without_labels,
)
from slocheck.plan.mapping_text import described
from slocheck.plan.metric_plan import COUNTER, MetricPlan, metric_plan
from slocheck.plan.named_mapping import check_mapping
from slocheck.plan.series_queries import UP
from slocheck.spec.blocks.metric_source.preset import shipped_presets
from slocheck.spec.indicators import traits_of
from slocheck.spec.model import Objective, Preset, RelatedJobs, SourceChoice, Spec

_NOTHING = "no metrics of requests with labels for route or status were found"
NOTHING_YET = f"{_NOTHING}; send the service some requests, or write its metrics' names under preset"
PATIENCE_S = 6.0
"""Seconds, plus the preset's lag, in which the first requests should show; the longest known flush is 5 s."""
PAUSE_S = 0.5
UNIT_DOUBT = "histogram-unit"
"""The code of the warning that bucket boundaries do not suit the unit."""


@dataclass(frozen=True, slots=True)
class Settled:
    """The names of the service's metrics.

    Attributes:
        mapping: `AUTO` if none was found yet.
        said: How it was found, or why it was not, in one line.
        found: The source's preflight with this mapping.
        not_a_histogram: What has the histogram's name but is not one; empty if nothing does.
        is_open: No series fits yet, so the search is repeated after the load.
        later: Warnings of the search after the load.
    """

    mapping: Preset
    said: str
    found: SourcePreflight
    not_a_histogram: str = ""
    is_open: bool = False
    later: tuple[RunWarning, ...] = ()

    @property
    def is_unit_doubted(self) -> bool:
        """Whether the histogram's bucket boundaries do not suit the unit of the mapping."""
        return any(warning.code == UNIT_DOUBT for warning in self.found.warnings)


@dataclass(frozen=True, slots=True)
class _Search:
    """The result of a search for a mapping.

    Attributes:
        match: None if there are no series yet.
        families: The service's families at the last look.
        sent: Whether the first requests were sent.
    """

    match: Match | Unclear | None
    families: tuple[Family, ...]
    sent: bool = False


def settle(
    spec: Spec, source: MetricSource, *, first_requests: Callable[[], object] | None = None
) -> Settled:
    """Find the mapping, or check the named one against the series, and let `source` use it.

    Args:
        spec: With its overrides applied.
        source: Not started yet.
        first_requests: Sends the service some requests if it has no series yet; None: nothing is sent.

    Raises:
        SourceError: The source cannot be asked.
        UsageError: The metrics do not fit the mapping; says what to write.
    """
    configured = spec.metric_source
    assert configured is not None  # there is a source
    found = source.preflight()
    if not needs_mapping(spec):
        return Settled(configured.preset, "", found)
    search = _search(configured.preset, source, first_requests)
    if isinstance(search.match, Unclear) and (configured.preset.is_unknown or _is_graded(spec)):
        raise UsageError(f"{spec.path}:{configured.position} {configured.kind}.preset: {search.match.text}")
    mapping = search.match.mapping if isinstance(search.match, Match) else configured.preset
    other = _not_a_histogram(mapping, search.families)
    if other and configured.preset.is_unknown:
        mapping = _counts_of(mapping)
    compared = _compared(spec, mapping, search.families)
    if search.sent or compared.mapping != configured.preset:
        source.use(_plan(spec, compared.mapping))
        found = source.preflight()
    nothing = _nothing_yet(search.families)
    notes = [*_doubt(mapping, search.families)]
    notes += [RunWarning("missing-label", note) for note in compared.notes]
    if mapping.is_unknown:
        notes.append(
            RunWarning("no-metrics-yet", f"{nothing}; they will be searched for again after the load")
        )
    elif search.match is None:
        notes += _fits_another(mapping, search.families)
    if other:
        notes.append(RunWarning(NOT_A_HISTOGRAM, other))
    return Settled(
        compared.mapping,
        nothing if mapping.is_unknown else described(compared.mapping),
        replace(found, warnings=(*found.warnings, *notes)),
        other,
        is_open=search.match is None,
    )


def _nothing_yet(families: tuple[Family, ...]) -> str:
    """Say that no metrics were found, or what keeps those that are there from being used."""
    plain, counters = match_without_labels(families), counters_without_roles(families)
    recorded = [family.name for family in families if ":" in family.name]
    if plain is not None:
        return (
            f"{plain.mapping.histogram} has no labels yet: if it has none after the load either, only "
            "latencies of all requests can be graded by it; add labels for route and status, or write "
            "source: client"
        )
    if counters:
        names = f"{', '.join(counters)} {'counts' if len(counters) == 1 else 'count'}"
        return (
            f"{_NOTHING}; {names} requests without them: preset: {{counter: {counters[0]}}} "
            "decides a rate, and anything else needs source: client"
        )
    if recorded:
        return (
            f"there are only series that recording rules computed, such as {recorded[0]}, without labels "
            "of requests; query the Prometheus that scrapes the service, or write source: client"
        )
    return NOTHING_YET


def _compared(spec: Spec, mapping: Preset, families: tuple[Family, ...]) -> Compared:
    return compare_labels(mapping, families, spec.objectives, base_path=urlsplit(spec.target.url).path)


def _plan(spec: Spec, mapping: Preset) -> MetricPlan:
    plan = metric_plan(spec, mapping)
    assert plan is not None  # there is a source
    return plan


def needs_mapping(spec: Spec) -> bool:
    """Tell whether an objective is graded on metrics of the service, or its instances are counted by them."""
    return spec.target.instances is None or _is_graded(spec)


def _is_graded(spec: Spec) -> bool:
    return any(_is_measured(objective, spec.related_jobs) for objective in spec.objectives)


def _is_measured(objective: Objective, related_jobs: RelatedJobs) -> bool:
    traits = traits_of(objective.indicator.kind)
    elsewhere = traits.is_query or (related_jobs.cache is not None and not traits.counts_requests)
    return objective.source is not SourceChoice.CLIENT and not elsewhere


def _search(named: Preset, source: MetricSource, first_requests: Callable[[], object] | None) -> _Search:
    """Look for the mapping; if there are no series yet, look again after the first requests."""
    families = source.families()
    match = _matched(named, families)
    if match is not None or first_requests is None:
        return _Search(match, families)
    first_requests()
    sent, deadline = time.time(), time.monotonic() + PATIENCE_S + named.lag
    while True:
        families = source.families(after=sent)
        match = _matched(named, families)
        if match is not None or time.monotonic() > deadline:
            return _Search(match, families, sent=True)
        time.sleep(PAUSE_S)


def _matched(named: Preset, families: tuple[Family, ...]) -> Match | Unclear | None:
    presets = shipped_presets()
    return match_mapping(families, presets) if named.is_unknown else check_mapping(named, families, presets)


def _fits_another(mapping: Preset, families: tuple[Family, ...]) -> list[RunWarning]:
    """Return a warning if a named mapping has no series but other series of the service fit."""
    match = match_mapping(families, shipped_presets())
    if not isinstance(match, Match):
        return []
    text = f"{mapping.title} has no series; other metrics match: {match.said}"
    return [RunWarning("other-metrics", f"{text}; if these count the requests, write that preset, or auto")]


def look_again(spec: Spec, source: MetricSource, settled: Settled) -> Settled:
    """Look for the mapping after the load, if nothing was found before; raises SourceError."""
    if not settled.is_open:
        return settled
    families = source.families(after=time.time())
    match = _matched(settled.mapping, families)
    if not settled.mapping.is_unknown:
        return replace(settled, later=tuple(_found_later(settled.mapping, match, families)))
    if isinstance(match, Unclear):
        return replace(settled, said=match.text)
    match = match or match_without_labels(families)
    if match is None:
        return replace(settled, said=_nothing_yet(families))
    other = _not_a_histogram(match.mapping, families)
    mapping = _counts_of(match.mapping) if other else match.mapping
    source.use(_plan(spec, mapping))
    return replace(settled, mapping=mapping, said=match.said, not_a_histogram=other)


def _not_a_histogram(mapping: Preset, families: tuple[Family, ...]) -> str:
    """Say what has the histogram's name but is not one, with what the library needs to export buckets."""
    text = not_a_histogram(mapping.histogram or "", families)
    of_the_name = [preset for preset in shipped_presets() if preset.histogram == mapping.histogram]
    if not text or len(of_the_name) != 1 or "bucket" not in of_the_name[0].notes.lower():
        return text
    return f"{text}. About preset {of_the_name[0].name}: {of_the_name[0].notes}"


def _doubt(mapping: Preset, families: tuple[Family, ...]) -> list[RunWarning]:
    doubt = unit_doubt(mapping, families)
    return [RunWarning(UNIT_DOUBT, doubt)] if doubt else []


def _counts_of(mapping: Preset) -> Preset:
    """Return a found mapping without its histogram, whose name belongs to a summary or a gauge."""
    return replace(mapping, histogram=None, histogram_status_label=None)


def _found_later(
    named: Preset, match: Match | Unclear | None, families: tuple[Family, ...]
) -> list[RunWarning]:
    if match is None:
        return _fits_another(named, families)
    return [RunWarning("missing-label", match.why)] if isinstance(match, Unclear) else []


def forget_requests(spec: Spec, source: MetricSource, settled: Settled) -> None:
    """Drop from a run, before it starts, what was counted until now; raises SourceError."""
    source.families(after=time.time())
    source.use(_plan(spec, settled.mapping))
    source.preflight()


def ask_by(spec: Spec, source: MetricSource, settled: Settled) -> None:
    """Let a source use the mapping of a past run."""
    source.use(_plan(spec, settled.mapping))


def as_collected(spec: Spec, series: ServerSeries, settled: Settled) -> ServerSeries:
    """Compare the labels with those of the collected series, which know more than those before the load."""
    of_targets = {label for one in series.series if one.metric == UP for label in one.labels}
    seen = ((one.metric, one.labels) for one in series.series)
    families = families_of(seen, dict.fromkeys(series.preset.counters, COUNTER), of_targets=of_targets)
    compared = _compared(spec, series.preset, families)
    known = {warning.text for warning in series.warnings}
    found = [
        *_doubt(series.preset, families),
        *(RunWarning("missing-label", note) for note in compared.notes),
    ]
    notes = tuple(warning for warning in found if warning.text not in known)
    said = settled.said if series.preset.is_unknown else described(compared.mapping)
    if settled.not_a_histogram:
        notes = (*notes, RunWarning(NOT_A_HISTOGRAM, settled.not_a_histogram))
    return replace(
        series,
        preset=compared.mapping,
        mapping=said,
        warnings=(*series.warnings, *settled.later, *notes),
    )
