"""What ``slocheck validate`` does: check a spec and its scenario, and ask the metric source if wanted."""

import sys
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

from slocheck.cli.wiring import source_for
from slocheck.documents.units import format_duration
from slocheck.pipeline.probe import Probe, probe
from slocheck.pipeline.scenario_file import check_scenario
from slocheck.reporters.escape import for_terminal
from slocheck.reporters.terminal.spec import summary
from slocheck.spec.indicators import traits_of
from slocheck.spec.loader import load_spec
from slocheck.spec.model import Objective, SourceChoice, Spec
from slocheck.tls import tls_context

CANNOT_MEASURE = 4


def validate(path: Path, *, ask: bool) -> int:
    """Print what a spec means, and with `ask` what can be measured; returns the exit code."""
    spec = load_spec(path)
    warnings = check_scenario(spec)
    tls_context(spec.target.tls, where="target.tls")
    print(summary(spec))
    for warning in warnings:
        print(f"warning: {warning}", file=sys.stderr)
    if not ask:
        return 0
    probed = probe(spec, source_for)
    print("\n".join(_lines(spec, probed)))
    return CANNOT_MEASURE if probed.blind else 0


def _lines(spec: Spec, probed: Probe) -> Iterator[str]:
    """Yield what the metric source is, and one line for each objective."""
    found = probed.found
    interval = format_duration(Fraction(found.scrape_interval).limit_denominator(1000))
    targets = f"{found.targets} target{'s' if found.targets != 1 else ''} up"
    yield ""
    yield f"{targets}, scraped every {interval}, clock skew {found.clock_skew:.3f} s"
    yield for_terminal(probed.mapping)
    width = max(len(objective.name) for objective in spec.objectives)
    for objective in spec.objectives:
        obstacles = probed.obstacles.get(objective.name, ())
        text = "; ".join(item.text for item in obstacles) or _unobstructed(objective)
        yield f"{for_terminal(objective.name):<{width}}  {for_terminal(text)}"


def _unobstructed(objective: Objective) -> str:
    if objective.source is SourceChoice.CLIENT:
        return "client side only"
    return "asked when the window ends" if traits_of(objective.indicator.kind).is_query else "measurable"
