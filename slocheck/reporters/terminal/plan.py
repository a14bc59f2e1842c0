"""The plan before the run: what will be sent, and what that can prove."""

from collections.abc import Iterator, Mapping, Sequence
from fractions import Fraction

from rich.console import Console
from rich.table import Table
from rich.text import Text

from slocheck.documents.units import format_duration
from slocheck.grading.plan_check import PlanCheck, check_plan
from slocheck.masking import mask, secrets_of, strip_url
from slocheck.plan.forecast import Forecast, ProofNeed
from slocheck.plan.metric_plan import metric_plan
from slocheck.reporters.escape import for_terminal
from slocheck.reporters.terminal.layout import say
from slocheck.reporters.terminal.workload import load_text, plot
from slocheck.scenario.model import Scenario
from slocheck.spec.model import Endpoint, Spec, Workload
from slocheck.spec.model.load_profile import length
from slocheck.statistics.sequential import FIRST_ANALYSIS_S, analysis_plan

MAX_ENDPOINTS = 20
MAX_UNPROVEN = 8
INDEPENDENCE = (
    "These numbers are for independent requests. Requests close in time are correlated, so a real run needs "
    "more; its report gives the effective sample size."
)


def show_plan(
    spec: Spec, scenario: Scenario | None, console: Console, *, until_decided: bool = False, starts: str = ""
) -> None:
    """Print what a run of `spec` would do; nothing is sent. `starts`: what is sent before the schedule."""
    check = check_plan(spec, scenario, until_decided=until_decided)
    metrics, workload = metric_plan(spec), spec.workload
    secrets = (*secrets_of(spec), *(scenario.secrets if scenario else ()))
    _print(
        console,
        secrets,
        f"target    {strip_url(spec.target.url)}",
        f"scenario  {workload.scenario}",
        *([f"before    {starts}"] if starts else ()),
        *_load(workload),
        *(_interim(workload) if until_decided else ()),
        *_requests(check.forecast),
        f"gate      {spec.gate}",
        *(f"query     {text}" for text in (metrics.series_texts if metrics else ())),
    )
    console.print(_needs_table(spec, check))
    _print(console, secrets, *check.notices, *_too_short(spec, check), *_unproven(check), INDEPENDENCE)


def _print(console: Console, secrets: Sequence[str], *lines: str) -> None:
    for line in lines:
        say(console, Text(for_terminal(mask(line, secrets))))


def plan_lines(spec: Spec, scenario: Scenario | None, *, until_decided: bool = False) -> Iterator[str]:
    """Yield the plan in short, shown before a run: the load, and which limits it cannot prove."""
    check = check_plan(spec, scenario, until_decided=until_decided)
    yield from _load(spec.workload)
    if until_decided:
        yield from _interim(spec.workload)
    yield from _requests(check.forecast, limit=0)
    yield from check.notices
    yield from _too_short(spec, check)
    yield from (item.reason for item in check.unproven if item.counts)
    beyond = sorted({item.level for item in check.unproven if not item.counts}, key=spec.tiers.index)
    if beyond:
        yield f"not enough to prove {', '.join(beyond)}; `slocheck run --dry-run` says what is needed"


def _unproven(check: PlanCheck) -> Iterator[str]:
    """Yield what the plan cannot prove; a long list is cut."""
    yield from (item.reason for item in check.unproven[:MAX_UNPROVEN])
    if len(check.unproven) > MAX_UNPROVEN:
        yield f"and {len(check.unproven) - MAX_UNPROVEN} more limits that this plan cannot prove"


def _too_short(spec: Spec, check: PlanCheck) -> Iterator[str]:
    """Say that a window is too short for any verdict."""
    seconds, least = spec.workload.duration, check.min_window_s
    if seconds < least:
        yield f"a window of {_time(seconds)} is too short for any verdict; it needs {_time(least)}"


def _interim(workload: Workload) -> Iterator[str]:
    """Say when the interim analyses take place that may end the run."""
    moments = analysis_plan(workload.duration).moments_s[:-1]
    if moments:
        yield f"interim   analyses after {', '.join(map(_time, moments))}; each may end the run"
    else:
        first = _time(FIRST_ANALYSIS_S)
        yield f"interim   none: the first analysis would be after {first}, so the whole window is measured"


def _load(workload: Workload) -> Iterator[str]:
    """Yield the load model, the load profile as a small plot, and the phases."""
    yield f"load      {load_text(workload)}"
    stages = workload.rate or workload.stages
    if len(stages) > 1:
        yield f"          {plot(stages)}  0 to {_time(length(stages))}"
    yield (
        f"phases    {_time(workload.warmup)} warm-up (not graded), {_time(workload.duration)} window, "
        f"at most {_time(workload.drain)} drain"
    )


def _requests(planned: Forecast, *, limit: int = MAX_ENDPOINTS) -> Iterator[str]:
    """Yield how many requests are expected in the window, and to which endpoints."""
    total = planned.to(None)
    if total is None:
        yield "requests  unknown: in the closed model the target's speed decides; workload.rate would set it"
        return
    if planned.requests is None:
        yield f"requests  about {round(total):,} tasks in the window, at least one request each"
        return
    yield f"requests  about {round(total):,} in the window"
    for endpoint, count in _most(planned.requests, limit):
        yield f"          {round(count):>12,}  {endpoint}"
    if 0 < limit < len(planned.requests):
        yield f"          and {len(planned.requests) - limit} more endpoints"


def _most(requests: Mapping[Endpoint, float], limit: int) -> list[tuple[Endpoint, float]]:
    return sorted(requests.items(), key=lambda item: (-item[1], str(item[0])))[:limit]


def _time(seconds: float) -> str:
    return format_duration(Fraction(seconds))


def _needs_table(spec: Spec, check: PlanCheck) -> Table:
    """Tabulate how many requests prove each limit if none is bad."""
    table = Table(
        title="needs: requests that prove a limit if none is bad; window: how long sending them takes",
        title_justify="left",
        box=None,
    )
    table.add_column("objective", no_wrap=True, overflow="fold")
    for name in ("level", "limit"):
        table.add_column(name)
    for name in ("needs", "sends", "window", "enough"):
        table.add_column(name, justify="right")
    if spec.confidence is None:
        table.caption = "confidence: none grades the observed values, whatever the number of requests"
    for need, window_s in zip(check.needs, check.windows_s, strict=True):
        known = need.requests is not None and need.expected is not None
        table.add_row(
            *(Text(for_terminal(text)) for text in (need.objective, need.level, need.limit)),
            f"{need.requests:,}" if need.requests is not None else "-",
            f"{round(need.expected or 0):,}" if known else "-",
            _window(need, window_s),
            ("yes" if need.provable else "no") if known else "-",
        )
    return table


def _window(need: ProofNeed, window_s: int | None) -> str:
    """Return the window that a limit needs; the rate if the number of requests is unknown."""
    if window_s is not None:
        return _time(window_s)
    return f"{need.per_second:,.1f}/s" if need.per_second is not None else "-"
