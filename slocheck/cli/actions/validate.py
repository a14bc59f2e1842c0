"""What ``slocheck validate`` does: check a spec and its scenario, and query the metric source on request."""

from collections.abc import Iterator, Sequence
from fractions import Fraction
from functools import partial

from slocheck.cli.actions.locust_file import look_into
from slocheck.cli.messages import say
from slocheck.cli.options import ValidateOptions, allowed_metrics, allowed_targets
from slocheck.cli.output import print_lines
from slocheck.cli.question import asker
from slocheck.cli.wiring import check_readiness, source_factory
from slocheck.documents.units import format_duration
from slocheck.documents.words import quantity
from slocheck.errors import SourceError, UsageError
from slocheck.indicators.samples import NoData
from slocheck.masking import errors_masked, mask, secrets_of
from slocheck.pipeline.archive import Archive
from slocheck.pipeline.probe import Probe, Simulated, probe
from slocheck.pipeline.scenario_file import check_scenario, scenario_of
from slocheck.pipeline.target.first_requests import FirstResponse, send_get_steps
from slocheck.pipeline.target.guard import guard_target, probe_target, sole_use
from slocheck.pipeline.target.probe_requests import ProbeRequests
from slocheck.plan.arrival_notices import load_notices
from slocheck.plan.series_queries import PROCESS_START
from slocheck.plan.usage import PROCESS_METRICS
from slocheck.reporters.escape import for_terminal
from slocheck.reporters.terminal.spec import summary
from slocheck.spec.indicators import traits_of
from slocheck.spec.loader import load_spec, with_overrides
from slocheck.spec.model import FailureRule, Objective, Overrides, SourceChoice, Spec

CANNOT_MEASURE = 4
RESTARTS = f"no {PROCESS_START}: a restart of the service shows only where a counter falls"
SATURATION = f"no {' and no '.join(PROCESS_METRICS)}: CPU and memory are not shown; no verdict needs them"


def validate(options: ValidateOptions) -> int:
    """Print what a spec means, and with `--probe` what can be measured; returns the exit code.

    Raises:
        UsageError: `run` would refuse it, with the same message.
    """
    file_options = tuple(options.file_options or ())
    spec = with_overrides(load_spec(options.spec), Overrides(options=file_options))
    secrets = secrets_of(spec)
    with errors_masked(secrets):
        warnings = check_scenario(spec)
        ask = asker() if options.probe else None
        allowed = guard_target(spec.target.url, allowed_targets(options.allow_target), ask)
        Archive(options.reports).probe(keep=False)
        check_readiness(spec, source_factory(allowed_metrics(options.allow_metrics)))
        file = look_into(spec, allowed)
        print_lines(mask(summary(spec), secrets).split("\n"))
        if file.classes:
            named = quantity(len(file.classes), "user class", "user classes")
            print_lines([mask(f"{named}: {', '.join(file.classes)}", secrets)])
        if file.starts:
            print_lines([mask(file.starts, secrets)])
        for warning in (*warnings, *load_notices(spec.workload), *(each.text for each in file.warnings)):
            say(f"warning: {mask(warning, secrets)}")
        return _probe(spec, options) if options.probe else 0


def _probe(spec: Spec, options: ValidateOptions) -> int:
    """Send each GET step once, and query the metric source.

    Raises:
        UsageError: The target is being loaded; the metrics are not the mapping.
        TargetError: The target cannot be reached.
        SourceError: The metric source cannot be asked.
    """
    scenario = scenario_of(spec)
    secrets = (*secrets_of(spec), *(scenario.secrets if scenario else ()))
    with sole_use(spec.target.url, allow_concurrent=options.allow_concurrent):
        requests = None
        if scenario is not None:
            probe_target(spec.target)
            requests = ProbeRequests(partial(send_get_steps, scenario, spec.target))
        probed = None
        try:
            if scenario is None or spec.metric_source is not None:
                sources = source_factory(allowed_metrics(options.allow_metrics))
                probed = probe(spec, sources, scenario=scenario, requests=requests)
        except (SourceError, UsageError):
            _show_responses(requests, spec.failures, secrets)
            raise
        responses = _show_responses(requests, spec.failures, secrets)
        if probed:
            print_lines(mask(line, secrets) for line in _lines(spec, probed))
    refused = any(not response.accepted(spec.failures) for response in responses)
    return CANNOT_MEASURE if refused or (probed and probed.is_incomplete) else 0


def _show_responses(
    requests: ProbeRequests | None, rule: FailureRule, secrets: Sequence[str]
) -> tuple[FirstResponse, ...]:
    """Print what came back for each GET step, which is sent now unless it was; returns the responses."""
    if requests is None:
        return ()
    responses = requests.once()
    print_lines(mask(line, secrets) for line in ("", *_responses(responses, rule)))
    return responses


def _responses(responses: Sequence[FirstResponse], rule: FailureRule) -> Iterator[str]:
    """Yield a line for what came back for each GET step."""
    if not responses:
        yield "no GET step to send: each needs an earlier response, or there is none"
    for response in responses:
        if response.error:
            yield for_terminal(f"{response.endpoint}  no response: {response.error}")
            continue
        kind = response.content_type or "no content type"
        took = f"{response.seconds * 1000:.0f} ms"
        to = f" to {response.leads_to}" if response.leads_to else ""
        text = f"{response.endpoint}  {response.status}{to}, {kind}, {response.size:,} B, {took}"
        yield for_terminal(text + _refusal(response, rule))


def _refusal(response: FirstResponse, rule: FailureRule) -> str:
    """Say why a run would not count a response as a success; empty if it would."""
    if response.accepted(rule):
        return ""
    if rule.fails(response.status):
        return "; a failure: correct the service, or the request"
    if response.expected is not None:
        expected = ", ".join(str(status) for status in sorted(response.expected))
        return f"; the step expects {expected}: fix the request, or what it expects"
    expect = f"`expect: {{status: {response.status}}}`"
    if to := response.leads_to:
        return f"; unexpected: request {to}, or write `failures: {{redirects: [{to}]}}` or {expect}"
    return f"; unexpected: fix the request, or write {expect}"


def _lines(spec: Spec, probed: Probe) -> Iterator[str]:
    """Yield what the metric source is, what it knows about processes, and one line for each objective."""
    found = probed.found
    interval = format_duration(Fraction(found.scrape_interval).limit_denominator(1000))
    targets = f"{quantity(found.targets, 'target')} up"
    yield ""
    yield f"{targets}, scraped every {interval}, clock skew {found.clock_skew:.3f} s"
    yield for_terminal(probed.mapping)
    if probed.simulated:
        yield from (for_terminal(line) for line in _processes(spec, probed.simulated, found.targets))
    width = max(len(objective.name) for objective in spec.objectives)
    for objective in spec.objectives:
        obstacles = probed.obstacles.get(objective.name, ())
        text = "; ".join(item.text for item in obstacles) or _unobstructed(objective)
        yield f"{for_terminal(objective.name):<{width}}  {for_terminal(text)}"


def _processes(spec: Spec, simulated: Simulated, targets: int) -> Iterator[str]:
    """Yield how many instances serve, and what is lost without metrics about processes."""
    counted = simulated.instances
    if isinstance(counted, NoData):
        yield (
            f"instances: not counted: {counted.reason}; requests per second and instance stay undecided: "
            "write target.instances"
        )
    elif spec.target.instances is None:
        yield f"instances: {float(counted):g} counted, {quantity(targets, 'target')} up"
    else:
        yield f"instances: {spec.target.instances} by target.instances, {quantity(targets, 'target')} up"
    if not simulated.tells_starts:
        yield RESTARTS
    if not simulated.usages:
        yield SATURATION


def _unobstructed(objective: Objective) -> str:
    if objective.source is SourceChoice.CLIENT:
        return "client side only"
    return "asked when the window ends" if traits_of(objective.indicator.kind).is_query else "measurable"
