"""The plan before the run: what will be sent, and what that can prove."""

from collections.abc import Iterator, Mapping, Sequence
from fractions import Fraction
from functools import partial
from math import ceil

from rich.console import Console
from rich.table import Table
from rich.text import Text

from slocheck.documents.units import format_duration
from slocheck.masking import strip_url
from slocheck.plan.load_plan import Forecast, ProofNeed, forecast, obstacles, proof_needs
from slocheck.plan.metric_plan import metric_plan
from slocheck.reporters.escape import for_terminal
from slocheck.reporters.terminal.workload import load_text, plot
from slocheck.scenario.model import Scenario
from slocheck.scenario.request_mix import requests_per_arrival
from slocheck.spec.model import EXTRA_LEVELS, Endpoint, Spec, Workload
from slocheck.spec.model.load_profile import length
from slocheck.statistics.proportion import MIN_SLICES, alpha_for
from slocheck.statistics.sample_size import INTERIM_ANALYSES, requests_needed, spending

MAX_ENDPOINTS = 20
MAX_LACKING = 8


def show_plan(
    spec: Spec, scenario: Scenario | None, console: Console, *, until_decided: bool = False
) -> None:
    """Print what a run of `spec` would do; nothing is sent."""
    planned, asked = _forecast(spec, scenario), metric_plan(spec)
    workload = spec.workload
    lines = [
        f"target    {strip_url(spec.target.url)}",
        f"scenario  {workload.scenario}",
        *_load(workload),
        *(_looks(workload) if until_decided else ()),
        *_requests(planned),
        f"gate      {spec.gate}",
        *(f"query     {text}" for text in (asked.series_texts if asked else ())),
    ]
    for line in lines:
        console.print(Text(for_terminal(line)), soft_wrap=True)
    needs = _needs(spec, planned, until_decided=until_decided)
    console.print(_needs_table(spec, needs))
    for text in (*_too_short(spec), *_first(_lacking(spec, planned, needs), spec)):
        console.print(Text(for_terminal(text)), soft_wrap=True)
    console.print(
        "Counts are for independent requests. Neighbours in a queue are alike, so a real run needs more; "
        "its report says how many its requests were worth.",
        soft_wrap=True,
    )


def plan_lines(spec: Spec, scenario: Scenario | None, *, until_decided: bool = False) -> Iterator[str]:
    """Yield the plan in short, for the head of a run: the load, and which proofs it is too small for."""
    planned = _forecast(spec, scenario)
    yield from _load(spec.workload)
    if until_decided:
        yield from _looks(spec.workload)
    yield from _requests(planned, limit=0)
    yield from _too_short(spec)
    asked = asked_levels(spec)
    lacking = _lacking(spec, planned, _needs(spec, planned, until_decided=until_decided))
    yield from (text for level, text in lacking if level in asked)
    beyond = sorted({level for level, _ in lacking if level not in asked}, key=spec.tiers.index)
    if beyond:
        yield f"not enough to prove {', '.join(beyond)}: `slocheck run --dry-run` says what would be"


def _lacking(spec: Spec, planned: Forecast, needs: Sequence[ProofNeed]) -> list[tuple[str, str]]:
    """Return the level of each limit that the plan cannot prove, and what it lacks."""
    lacking = sorted((need for need in needs if not need.provable), key=lambda need: -(need.requests or 0))
    short = [(need.level, shortfall(need, spec)) for need in lacking]
    return [*short, *obstacles(spec, planned)]


def _first(lacking: Sequence[tuple[str, str]], spec: Spec) -> Iterator[str]:
    """Yield what the plan lacks, what the gate asks for before the rest, and not all of a long list."""
    asked = asked_levels(spec)
    ordered = sorted(lacking, key=lambda item: item[0] not in asked)
    yield from (text for _, text in ordered[:MAX_LACKING])
    if len(ordered) > MAX_LACKING:
        yield f"and {len(ordered) - MAX_LACKING} limits more that this plan cannot prove: see the table"


def asked_levels(spec: Spec) -> frozenset[str]:
    """Return the levels that decide over the gate or warn beside it."""
    return frozenset({*spec.tiers[: spec.tiers.index(spec.gate) + 1], *EXTRA_LEVELS})


def _too_short(spec: Spec) -> Iterator[str]:
    """Say that a window is too short for any verdict."""
    seconds, least = spec.workload.duration, spec.validity.min_slices
    if spec.confidence is not None:
        least = max(least, MIN_SLICES)
    if seconds < least:
        yield f"a window of {_time(seconds)} is too short to decide anything: it takes {least} s or more"


def _looks(workload: Workload) -> Iterator[str]:
    """Say when a run that ends as soon as it is decided is looked at."""
    times = ", ".join(_time(round(share * workload.duration)) for share in INTERIM_ANALYSES[:-1])
    yield f"looks     after {times} and at the end of the window; each may spend a part of the error rate"


def shortfall(need: ProofNeed, spec: Spec) -> str:
    """Say what a limit takes that the plan does not send."""
    text = (
        f"{need.level} {need.objective} needs about {need.requests:,} requests without a bad one; "
        f"this plan sends about {round(need.expected or 0):,}"
    )
    if need.window_s is None or not need.expected:
        return text
    rate = need.expected / spec.workload.duration
    return f"{text}: {_needed_window(need.window_s, spec)} at {rate:,.4g}/s"


def _needed_window(seconds: float, spec: Spec) -> str:
    """Return the window that a limit takes; under `MIN_SLICES` seconds no confidence is reached."""
    return _time(max(ceil(seconds), MIN_SLICES if spec.confidence is not None else 1))


def _forecast(spec: Spec, scenario: Scenario | None) -> Forecast:
    return forecast(spec, requests_per_arrival(scenario) if scenario is not None else None)


def _needs(spec: Spec, planned: Forecast, *, until_decided: bool) -> tuple[ProofNeed, ...]:
    """Return what each limit takes; with several looks the last one has a part of the error rate left."""
    if spec.confidence is None:
        return proof_needs(spec, lambda _: 1, planned)
    alpha = alpha_for(spec.confidence) * (spending(len(INTERIM_ANALYSES) - 1) if until_decided else 1)
    return proof_needs(spec, partial(requests_needed, alpha=alpha), planned)


def _load(workload: Workload) -> Iterator[str]:
    """Yield the load's model, its course as a small plot, and the phases."""
    yield f"load      {load_text(workload)}"
    stages = workload.rate or workload.stages
    if len(stages) > 1:
        yield f"          {plot(stages)}  0 to {_time(length(stages))}"
    yield (
        f"phases    {_time(workload.warmup)} warm-up (not graded), {_time(workload.duration)} window, "
        f"at most {_time(workload.drain)} drain"
    )


def _requests(planned: Forecast, *, limit: int = MAX_ENDPOINTS) -> Iterator[str]:
    """Yield how many requests are expected in the window, and of which endpoints."""
    total = planned.to(None)
    if total is None:
        yield "requests  as many as the target's answers allow; a rate would fix their number"
        return
    if planned.requests is None:
        yield f"requests  about {round(total):,} tasks in the window, at least one request each"
        return
    yield f"requests  about {round(total):,} in the window"
    for endpoint, count in _most(planned.requests, limit):
        yield f"          {round(count):>12,}  {endpoint}"
    if 0 < limit < len(planned.requests):
        yield f"          and {len(planned.requests) - limit} endpoints more"


def _most(requests: Mapping[Endpoint, float], limit: int) -> list[tuple[Endpoint, float]]:
    return sorted(requests.items(), key=lambda item: (-item[1], str(item[0])))[:limit]


def _time(seconds: float) -> str:
    return format_duration(Fraction(seconds))


def _needs_table(spec: Spec, needs: Sequence[ProofNeed]) -> Table:
    """Tabulate how many requests without a bad one prove each limit."""
    table = Table(
        title="needs: requests without a bad one that prove a limit; window: how long it takes to send them",
        title_justify="left",
        box=None,
    )
    table.add_column("objective", no_wrap=True, overflow="fold")
    for name in ("level", "limit"):
        table.add_column(name)
    for name in ("needs", "sends", "window", "enough"):
        table.add_column(name, justify="right")
    if spec.confidence is None:
        table.caption = "confidence: none grades the observed values; no number of requests is demanded"
    for need in needs:
        table.add_row(
            *(Text(for_terminal(text)) for text in (need.objective, need.level, need.limit)),
            f"{need.requests:,}" if need.requests is not None else "-",
            f"{round(need.expected):,}" if need.expected is not None and need.requests is not None else "-",
            _window(need, spec),
            "-" if need.requests is None or need.expected is None else "yes" if need.provable else "no",
        )
    return table


def _window(need: ProofNeed, spec: Spec) -> str:
    """Return the window that a limit takes, or the rate where nobody knows how many requests come."""
    if need.window_s is not None:
        return _needed_window(need.window_s, spec)
    return f"{need.per_second:,.1f}/s" if need.per_second is not None else "-"
