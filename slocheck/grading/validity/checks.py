"""Is the measurement valid? Each check says what was measured, and which objectives its failure affects."""

from collections.abc import Callable, Iterable, Iterator, Sequence

from slocheck.documents.words import most_frequent, most_often, quantity
from slocheck.evidence.forbidden import NOT_ALLOWED, forbidden_text
from slocheck.evidence.model import Ending, Evidence
from slocheck.evidence.recording import FailureClass
from slocheck.evidence.responses import EndpointResponses, responses_of
from slocheck.evidence.warnings import RunWarning
from slocheck.grading.assessment import Finding
from slocheck.grading.validity.affected import distorted, limited_by_load, server_graded
from slocheck.grading.validity.machines import machine_clocks, on_machine
from slocheck.indicators.measured_run import MeasuredRun
from slocheck.indicators.server.server_side import ServerSide
from slocheck.spec.formatting import format_seconds
from slocheck.spec.model import Spec
from slocheck.spec.model.workload import is_locust_file

_SAYS_ENOUGH = frozenset({Ending.TARGET_DOWN, Ending.UNEXPECTED_RESPONSES, Ending.FORBIDDEN_CONNECTION})
"""Endings that explain a short window."""
_CREDENTIALS = frozenset({401, 403, 407})
_REDIRECT = 3
Check = Callable[[Spec, Evidence], list[Finding]]


def check_run(spec: Spec, run: MeasuredRun) -> tuple[Finding, ...]:
    """Return the finding of every check, passed or not, in a fixed order: causes before their effects."""
    checks: tuple[Check, ...] = (
        _generator,
        _forbidden_connections,
        _file,
        _expected_responses,
        _workers,
        _cpu,
        _lag,
        _stall,
        _scenario,
        _users,
        _arrivals,
        _lost_requests,
        _window,
        _clock,
        machine_clocks,
    )
    found = [finding for check in checks for finding in check(spec, run.evidence)]
    return (*found, *_server(spec, run.server))


def _generator(spec: Spec, evidence: Evidence) -> list[Finding]:
    """The load generator ran to the end. If it did not, less was sent, and counted, than planned."""
    lost = evidence.ending is Ending.GENERATOR_LOST
    message = f"the load generator was lost: {evidence.generator_error or 'it died'}"
    text = message if lost else "generator ran to the end"
    return [Finding("generator", not lost, text, limited_by_load(spec))]


def _forbidden_connections(spec: Spec, evidence: Evidence) -> list[Finding]:
    """The Locust file connected to nothing but this machine and what the user allows in addition to it.

    What it could not do may have caused any breach: without its token host, it has no token.
    """
    forbidden = evidence.health.forbidden
    if not forbidden:
        return []
    everything = frozenset(item.name for item in spec.objectives)
    return [Finding("allowed-targets", valid=False, message=forbidden_text(forbidden), affects=everything)]


def _file(spec: Spec, evidence: Evidence) -> list[Finding]:
    """The Locust file did not end its run, and none of its listeners failed; no finding if all is well."""
    found = []
    if evidence.ending is Ending.SCENARIO:
        error, affected = evidence.generator_error, limited_by_load(spec)
        found.append(Finding("scenario-ended", valid=False, message=error, affects=affected))
    errors = evidence.health.file.listener_errors
    if errors:
        count = quantity(sum(errors.values()), "exception")
        message = f"{count} in listeners of the Locust file{most_often(errors)}"
        found.append(Finding("listeners", valid=False, message=message))
    return found


def _users(spec: Spec, evidence: Evidence) -> list[Finding]:
    """As many users ran as were planned."""
    planned, users = evidence.health.planned_users, evidence.health.users
    valid = users >= spec.validity.min_sent * planned
    message = f"{users:,} of {planned:,} users"
    if not valid:
        message += f" ran throughout the window, so less load than planned was sent; {_cure(spec, evidence)}"
    return [Finding("users", valid, message, distorted(spec))]


def _cure(spec: Spec, evidence: Evidence, otherwise: str = "a longer warm-up helps") -> str:
    """Say what helps against too few users: if the scenario raises or ends users, only fixing that.

    Exceptions that another finding quotes are not quoted again.
    """
    health = evidence.health
    if sum(health.exceptions.values()) > spec.validity.max_exceptions:
        return "fix the exceptions that the scenario raises"
    if health.exceptions:
        return f"the scenario raised {most_frequent(health.exceptions)}"
    return health.gone or otherwise


def _arrivals(spec: Spec, evidence: Evidence) -> list[Finding]:
    """The open model's arrivals were started, and on time; the closed model has none."""
    arrivals = evidence.health.arrivals
    if arrivals is None:
        return []
    started = arrivals.planned - arrivals.dropped
    enough = started >= spec.validity.min_sent * arrivals.planned
    message = f"{started:,} of {arrivals.planned:,} arrivals started"
    if not enough:
        message += (
            f"; the others found all {evidence.health.planned_users:,} users busy, so the worst moments "
            f"were not measured; {_cure(spec, evidence, 'raise workload.max_users, or lower the rate')}"
        )
    on_time = arrivals.lag_p99 <= spec.validity.max_schedule_lag
    allowed = spec.validity.max_schedule_lag
    late = f"schedule lag p99 {format_seconds(arrivals.lag_p99, allowed)}"
    if not on_time:
        late += (
            f", allowed {format_seconds(allowed)}; latencies are measured from the "
            "intended start and are too long by this much; use --processes, or lower the rate"
        )
    return [
        Finding("arrivals", enough, message, limited_by_load(spec)),
        Finding("schedule-lag", on_time, late, distorted(spec)),
    ]


def _workers(spec: Spec, evidence: Evidence) -> list[Finding]:
    """Each worker's recording arrived completely, and could be read."""
    incomplete = [
        f"{worker.worker}{on_machine(evidence, worker.worker)}"
        for worker in evidence.health.workers
        if not worker.complete
    ]
    total = len(evidence.health.workers)
    message = f"{total - len(incomplete)} of {total} workers complete"
    if incomplete:
        message += f"; requests of {', '.join(incomplete)} are missing from every count"
    unreadable = sum(worker.unreadable for worker in evidence.health.workers)
    if unreadable:
        entries = quantity(unreadable, "entry of their reports", "entries of their reports")
        message += f"; {entries} could not be read, so the counts may be incomplete"
    return [Finding("workers", not incomplete and not unreadable, message, limited_by_load(spec))]


def _cpu(spec: Spec, evidence: Evidence) -> list[Finding]:
    """No worker was so busy that its own queueing shows in the latencies."""
    workers = evidence.health.workers
    where = max(workers, key=lambda worker: worker.cpu).worker if workers else ""
    busiest = max((worker.cpu for worker in workers), default=0.0)
    valid = busiest <= spec.validity.max_generator_cpu
    message = f"generator CPU {busiest:.0%} of a core{on_machine(evidence, where)}"
    if not valid:
        message += (
            f", allowed {spec.validity.max_generator_cpu:.0%}; latencies include the "
            "generator's own queueing; use --processes, or send less"
        )
    return [Finding("generator-cpu", valid, message, distorted(spec))]


def _lag(spec: Spec, evidence: Evidence) -> list[Finding]:
    """The generator's event loop was on time."""
    workers = evidence.health.workers
    where = max(workers, key=lambda worker: worker.loop_lag_p99).worker if workers else ""
    lag = max((worker.loop_lag_p99 for worker in workers), default=0.0)
    allowed = spec.validity.max_loop_lag
    valid = lag <= allowed
    message = f"loop lag p99 {format_seconds(lag, allowed)}{on_machine(evidence, where)}"
    if not valid:
        message += f", allowed {format_seconds(allowed)}; latencies are too long by this much"
    return [Finding("loop-lag", valid, message, distorted(spec))]


def _stall(spec: Spec, evidence: Evidence) -> list[Finding]:
    """No worker was blocked, and the machine was not suspended: nothing was measured in that time."""
    longest = max((worker.loop_lag_max for worker in evidence.health.workers), default=0.0)
    suspended = evidence.health.suspended
    stalled = max(longest, suspended)
    valid = stalled <= spec.validity.max_stall
    message = f"longest stall {stalled * 1000:,.0f} ms"
    if not valid:
        what = "the machine was suspended" if suspended >= longest else "a worker was blocked"
        allowed = f"allowed {spec.validity.max_stall:g} s"
        message = f"{what} for {stalled:.1f} s, {allowed}; nothing was sent or measured in that time"
    return [Finding("stall", valid, message, distorted(spec))]


def _lost_requests(spec: Spec, evidence: Evidence) -> list[Finding]:
    """Each request's outcome is known, and none failed on this machine."""
    unrecorded = evidence.health.unrecorded
    own = sum(int(part.counts.of_class(FailureClass.GENERATOR).sum()) for part in evidence.recording.parts())
    message = f"{quantity(unrecorded, 'request')} lost"
    if own:
        example = next(
            (e.message for e in evidence.recording.errors if e.failure is FailureClass.GENERATOR), ""
        )
        hint = f" ({example})" if example else ""
        failed = f"{quantity(own, 'request')} failed in the load generator itself{hint}"
        message = f"{failed}, left out of the counts; {message}"
    few = own <= spec.validity.max_generator_failures
    recorded = few and unrecorded <= spec.validity.max_unrecorded
    return [Finding("recording", recorded, message, limited_by_load(spec))]


def _scenario(spec: Spec, evidence: Evidence) -> list[Finding]:
    """The scenario's own code raised no more exceptions than are tolerated."""
    exceptions = evidence.health.exceptions
    count = sum(exceptions.values())
    refused = sum(times for text, times in exceptions.items() if NOT_ALLOWED in text)
    if evidence.health.forbidden and count == refused:  # another finding says so
        message = f"{quantity(count, 'exception')} in the scenario, all from refused connections"
        return [Finding("scenario", valid=True, message=message)]
    if count <= spec.validity.max_exceptions:
        return [Finding("scenario", valid=True, message=f"{count:,} exceptions in the scenario")]
    example = most_frequent(exceptions)
    raised = quantity(count, "exception")
    message = f"the scenario raised {raised}, most often: {example}; the load was not as planned"
    return [Finding("scenario", valid=False, message=message, affects=limited_by_load(spec))]


def _window(spec: Spec, evidence: Evidence) -> list[Finding]:
    """The window was measured to its end, and is long enough to grade."""
    measured, planned = evidence.recording.window_s, evidence.planned_window_s
    cut = measured < spec.validity.min_window * planned and evidence.ending is Ending.COMPLETE
    ended = evidence.ending in _SAYS_ENOUGH
    short = measured < spec.validity.min_slices and not ended
    message = f"{measured} of {planned:g} s measured"
    least = quantity(spec.validity.min_slices, "second")
    if short and measured >= planned:
        message = f"the window of {measured} s is shorter than the {least} that a verdict needs; "
        message += "raise workload.duration"
    elif cut or short:
        were = "was" if measured == 1 else "were"
        message = f"only {measured} of {planned:g} s of the window {were} measured"
        message += f"; a verdict needs {least}" if short else ""
    return [Finding("window", not (cut or short), message)]


def _clock(spec: Spec, evidence: Evidence) -> list[Finding]:
    """The wall clock did not jump: server samples are matched to the window by it."""
    jump = abs(evidence.health.clock_jump)
    valid = jump <= spec.validity.max_clock_jump or evidence.server is None
    message = f"wall-clock jump {jump:.3f} s"
    if not valid:
        message = f"the wall clock jumped by {jump:.3f} s, allowed {spec.validity.max_clock_jump:g} s"
    return [Finding("clock", valid, message, server_graded(spec), server_only=True)]


def _server(spec: Spec, server: ServerSide | None) -> list[Finding]:
    """The metric source's clock agrees with ours, and it scraped often enough."""
    if server is None:
        return []
    skew = abs(server.raw.clock_skew)
    message = f"clock skew {skew:.3f} s"
    valid = skew <= spec.validity.max_clock_skew
    if not valid:
        message += f", allowed {spec.validity.max_clock_skew:g} s; the server side may cover another window"
    gap = server.scrape_gap
    regular = gap.intervals <= spec.validity.max_scrape_gap
    gaps = f"longest scrape gap {gap.intervals:.1f} intervals"
    if not regular:
        gaps += (
            f", allowed {spec.validity.max_scrape_gap:g}: {gap.text}; what the server did in that time is "
            "missing, and a restart would go unnoticed"
        )
    return [
        Finding("clock-skew", valid, message, server_graded(spec), server_only=True),
        Finding(
            "scrape-gaps",
            regular,
            gaps,
            server_graded(spec),
            server_only=True,
            client_saw=gap.edge_s <= spec.validity.max_scrape_gap * gap.interval,
        ),
    ]


def _expected_responses(spec: Spec, evidence: Evidence) -> list[Finding]:
    """Return the finding on unexpected responses, about the endpoint with the largest share of them.

    The run is invalid if an endpoint has more of them than `max_unexpected` allows, and if it
    returned nothing but 3xx and 4xx: even if the scenario made those failures, no request did what
    it was meant to do.
    """
    found = tuple(responses_of(evidence.recording, spec.failures))
    bad = [item for item in found if _invalid(item, spec)]
    bad.sort(key=lambda item: (-item.unexpected_share, -item.total))
    if bad:
        more = f"; the same at {quantity(len(bad) - 1, 'more endpoint')}" if len(bad) > 1 else ""
        text = f"{_text(bad[0], spec)}{more}{_ended_early(evidence)}"
        return [Finding("unexpected-responses", valid=False, message=text, affects=_affected(spec, bad))]
    if evidence.ending is Ending.UNEXPECTED_RESPONSES:
        text = "the load was ended early: every response had an unexpected status"
        everything = frozenset(item.name for item in spec.objectives)
        return [Finding("unexpected-responses", valid=False, message=text, affects=everything)]
    count, total = sum(item.unexpected for item in found), sum(item.total for item in found)
    return [
        Finding("unexpected-responses", valid=True, message=f"{count:,} of {total:,} responses unexpected")
    ]


def _ended_early(evidence: Evidence) -> str:
    """Say that the load was ended for unexpected responses, and how much of the window was measured."""
    if evidence.ending is not Ending.UNEXPECTED_RESPONSES:
        return ""
    measured = f"{evidence.recording.window_s} of {evidence.planned_window_s:g} s"
    return f"; the load was ended early because of it, with {measured} of the window measured"


def response_warnings(spec: Spec, runs: Sequence[Evidence]) -> Iterator[RunWarning]:
    """Yield a warning for each endpoint with unexpected responses that are few enough for a valid run."""
    for run in runs:
        for item in responses_of(run.recording, spec.failures):
            if item.unexpected and not _invalid(item, spec):
                yield RunWarning("unexpected-responses", f"{_text(item, spec)}; they count as possibly bad")


def _invalid(item: EndpointResponses, spec: Spec) -> bool:
    return item.refused or item.unexpected_share > spec.validity.max_unexpected


def _affected(spec: Spec, bad: Iterable[EndpointResponses]) -> frozenset[str]:
    """Return the objectives that measured something else: those of these, and of all, endpoints."""
    endpoints = {item.endpoint for item in bad}
    return frozenset(o.name for o in spec.objectives if o.endpoint is None or o.endpoint in endpoints)


def _text(item: EndpointResponses, spec: Spec) -> str:
    """Say what came back and what to do about it."""
    if item.cut_short and item.cut_short == item.unexpected:
        were = "request was" if item.cut_short == 1 else "requests were"
        text = f"{item.endpoint}: {item.cut_short:,} of {item.total:,} {were} ended by the Locust file"
        return f"{text} before a response came; let the client time out instead"
    count = item.total if item.refused else item.unexpected
    statuses = [status for status, _ in item.statuses]
    several = ", ".join(map(str, statuses))
    listed = " and ".join(map(str, statuses)) if len(statuses) < 3 else several  # noqa: PLR2004 - a pair
    were = "was" if count == 1 else "were"
    text = f"{item.endpoint}: {count:,} of {item.total:,} responses {were} {listed}; {_remedy(statuses)}"
    if item.unexpected == 0:  # a written expectation refused them all
        return text
    if is_locust_file(spec.workload.scenario):
        return f"{text}, mark the response as a success, or write `failures: {{expected: [{several}]}}`"
    return f"{text}, or write `expect: {{status: {f'[{several}]' if len(statuses) > 1 else several}}}`"


def _remedy(statuses: Sequence[int]) -> str:
    if statuses and statuses[0] in _CREDENTIALS:
        return "check the credentials"
    if statuses and statuses[0] // 100 == _REDIRECT:
        return "request the path that the redirect leads to, or list it under failures.redirects"
    return "fix the path" if statuses and statuses[0] in (404, 410) else "fix the request"
