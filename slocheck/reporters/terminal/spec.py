"""A spec as a short table of plain text."""

from collections.abc import Iterator, Sequence
from fractions import Fraction
from textwrap import wrap

from slocheck.documents.units import format_duration, format_ratio
from slocheck.reporters.terminal.workload import load_text
from slocheck.spec.indicators import traits_of
from slocheck.spec.model import EXTRA_LEVELS, Objective, Spec, Target, Workload

WIDTH = 80
"""Columns of what is not a table."""


def summary(spec: Spec) -> str:
    """Return service, target, source, workload, gate, and the limits of each objective by level."""
    heads = [
        ("service", spec.service),
        ("target", _target(spec.target)),
        ("source", _source(spec)),
        ("workload", _workload(spec.workload)),
        ("gate", f"{spec.gate}, {_confidence(spec)}"),
    ]
    width = max(len(name) for name, _ in heads)
    lines = [f"{spec.path} is valid", ""]
    lines += [f"{name:<{width}}  {text}" for name, text in heads]
    lines += ["", *_table(spec)]
    if spec.metric_source and (preset := spec.metric_source.preset).notes:
        lines += ["", *wrap(f"preset {preset.name}: {preset.notes}", WIDTH, subsequent_indent="  ")]
    return "\n".join(lines)


def _target(target: Target) -> str:
    counted = "instances counted by the metric source"
    if target.instances is not None:
        counted = f"{target.instances} instance{'s' if target.instances > 1 else ''}"
    insecure = ", certificate not verified" if target.tls.insecure else ""
    return f"{target.url}, {counted}{insecure}"


def _source(spec: Spec) -> str:
    source = spec.metric_source
    return f"{source.summary}, preset {source.preset.name}" if source else "none: client side only"


def _workload(workload: Workload) -> str:
    warmup = format_duration(Fraction(workload.warmup))
    window = format_duration(Fraction(workload.duration))
    return f"{workload.scenario}, {load_text(workload)}, warm-up {warmup}, window {window}"


def _confidence(spec: Spec) -> str:
    if spec.confidence is None:
        return "confidence: none (observed values only)"
    bursts = spec.confidence.bursts
    condition = f", bursts of up to {format_duration(bursts)}" if bursts else ""
    return f"confidence {format_ratio(spec.confidence.level)}{condition}"


def _table(spec: Spec) -> Iterator[str]:
    """Yield a header with the levels in use, then one aligned line for each objective."""
    written = {level for objective in spec.objectives for level in objective.limits}
    levels = [level for level in (*spec.tiers, *EXTRA_LEVELS) if level in written]
    rows = [["objective", *levels, "graded on"]]
    rows += [
        [_name(o), *(o.limits[level].text if level in o.limits else "-" for level in levels), _graded(o)]
        for o in spec.objectives
    ]
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    for row in rows:
        yield _aligned(row, widths)


def _aligned(row: Sequence[str], widths: Sequence[int]) -> str:
    return "  ".join(f"{cell:<{width}}" for cell, width in zip(row, widths, strict=True)).rstrip()


def _name(objective: Objective) -> str:
    indicator = objective.indicator
    measures = str(indicator.kind)
    if indicator.quantile is not None:
        measures = f"latency_p{format_ratio(indicator.quantile).removesuffix('%')}"
    details = [measures] if measures != objective.name else []
    if objective.endpoint is not None:
        details.append(str(objective.endpoint))
    return f"{objective.name} ({', '.join(details)})" if details else objective.name


def _graded(objective: Objective) -> str:
    if traits_of(objective.indicator.kind).is_query:
        return "query"
    return str(objective.source)
