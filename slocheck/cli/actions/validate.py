"""What ``slocheck validate`` does: check a spec and its scenario, and ask the metric source if wanted."""

import os
import sys
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

from slocheck.cli.wiring import source_for
from slocheck.documents.units import format_duration
from slocheck.errors import UsageError
from slocheck.pipeline.first_requests import send_get_steps
from slocheck.pipeline.probe import Probe, probe
from slocheck.pipeline.scenario_file import check_scenario, scenario_of
from slocheck.pipeline.target_guard import guard_target, probe_target
from slocheck.reporters.escape import for_terminal
from slocheck.reporters.terminal.spec import summary
from slocheck.scenario.model import Scenario
from slocheck.spec.indicators import traits_of
from slocheck.spec.loader import load_spec
from slocheck.spec.model import Endpoint, Objective, SourceChoice, Spec
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
    scenario = scenario_of(spec)
    if scenario is not None:
        print("\n".join(_answers(spec, scenario)))
        if spec.metric_source is None:
            return 0
    probed = probe(spec, source_for)
    print("\n".join(_lines(spec, probed)))
    return CANNOT_MEASURE if probed.blind else 0


def _answers(spec: Spec, scenario: Scenario) -> Iterator[str]:
    """Send each GET step once where the target may be loaded; yield a line for what came back.

    Raises:
        TargetError: The target cannot be reached.
    """
    yield ""
    try:
        guard_target(spec.target.url, os.environ.get("SLOCHECK_ALLOW_TARGETS", "").replace(",", " ").split())
    except UsageError as error:
        yield f"no step is sent: {for_terminal(str(error))}"
        return
    probe_target(spec.target)
    steps = (step for flow in scenario.flows for step in flow.steps)
    expecting = {Endpoint(step.method, step.name) for step in steps if step.expect.statuses is not None}
    for answer in send_get_steps(scenario, spec.target):
        if answer.error:
            yield for_terminal(f"{answer.endpoint}  no response: {answer.error}")
            continue
        kind = answer.content_type or "no content type"
        text = (
            f"{answer.endpoint}  {answer.status}, {kind}, {answer.size:,} B, {answer.seconds * 1000:.0f} ms"
        )
        expected = answer.endpoint in expecting or answer.leads_to in spec.failures.redirects
        if spec.failures.unexpected(answer.status) and not expected:
            text += f"; unexpected: fix the request, or write `expect: {{status: {answer.status}}}`"
        yield for_terminal(text)


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
