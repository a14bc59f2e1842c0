"""``slocheck validate --probe``: can each objective be measured? Asks the metric source, sends no load."""

from collections.abc import Iterator
from fractions import Fraction

from slocheck.cli.wiring import source_for
from slocheck.documents.units import format_duration
from slocheck.errors import UsageError
from slocheck.evidence.series import SourcePreflight
from slocheck.plan.series_queries import needed_metrics
from slocheck.reporters.escape import for_terminal
from slocheck.spec.blocks.sources import block_names
from slocheck.spec.indicators import traits_of
from slocheck.spec.model import Objective, Preset, SourceChoice, Spec

CANNOT = 4
SAME_EDGE_S = 1e-9
"""Edges come as floats; nearer than this they are one."""


def probe(spec: Spec) -> tuple[list[str], int]:
    """Return what the metric source can measure, a line an objective, and the exit code.

    Raises:
        SourceError: The source cannot be asked.
        UsageError: The spec names no source.
    """
    configured, source = spec.metric_source, source_for(spec)
    if configured is None or source is None:
        raise UsageError(f"{spec.path}: --probe asks a metric source; write a {block_names()} block")
    try:
        found = source.preflight()
    finally:
        source.close()
    preset = configured.preset
    every = format_duration(Fraction(found.scrape_interval).limit_denominator(1000))
    head = f"{found.targets} target{'s' if found.targets != 1 else ''} up, scraped every {every}"
    lines = ["", f"{head}, clock skew {found.clock_skew:.3f} s"]
    width = max(len(objective.name) for objective in spec.objectives)
    blind = False
    for objective in spec.objectives:
        faults = list(_faults(objective, preset, found))
        blind |= any(serious for serious, _ in faults)
        text = "; ".join(text for _, text in faults) or _fine(objective)
        lines.append(f"{for_terminal(objective.name):<{width}}  {for_terminal(text)}")
    return lines, CANNOT if blind else 0


def _fine(objective: Objective) -> str:
    if objective.source is SourceChoice.CLIENT:
        return "client side only"
    return "asked when the window ends" if traits_of(objective.indicator.kind).is_query else "measurable"


def _faults(objective: Objective, preset: Preset, found: SourcePreflight) -> Iterator[tuple[bool, str]]:
    """Yield what stands in an objective's way, and whether it makes the server side blind."""
    if objective.source is SourceChoice.CLIENT or traits_of(objective.indicator.kind).is_query:
        return
    needed = needed_metrics(objective, preset)
    if not needed:
        yield True, f"preset {preset.name} names no metric for it"
    for metric in needed:
        if metric in found.missing:
            yield True, f"no series {metric} yet: send one request, or check the preset"
    if traits_of(objective.indicator.kind).is_percentile and found.bucket_edges:
        for limit in dict.fromkeys(limit.value for limit in objective.limits.values()):
            if all(abs(edge - float(limit)) > SAME_EDGE_S for edge in found.bucket_edges):
                edge = float(limit / preset.unit_seconds)
                yield False, f"{format_duration(limit)} is no bucket edge: add {edge:g}"
