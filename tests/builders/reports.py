"""Graded runs: spec text through the real loader, evidence through the real grader."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from functools import cache
from typing import Any
from unicodedata import category

from slocheck.evidence.model import Ending, LoadHealth
from slocheck.evidence.recording import FailureClass, Recording
from slocheck.evidence.series import PromqlResult, ServerSeries
from slocheck.evidence.warnings import RunWarning
from slocheck.grading.assess import assess
from slocheck.grading.assessment import Outcome
from slocheck.grading.report import Report
from slocheck.grading.run_record import run_record
from slocheck.plan.load_plan import thresholds_ns
from slocheck.plan.metric_plan import metric_plan
from slocheck.spec.loader import parse_spec
from slocheck.spec.model import Endpoint, Objective, Overrides, Spec
from slocheck.spec.overrides import with_overrides
from tests.builders.evidence import HEALTH, PROVENANCE, WORKER, make_evidence
from tests.builders.traffic import Request, make_traffic, recorded, scraped

HOSTILE = (
    "</script><script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "[bold red]x[/bold red] [/] [link=http://evil.example]y[/link]",
    "\x1b[2J\x1b]8;;http://evil.example\x07z\x1b]8;;\x07",
    "\u202egnp.exe\u2066 zero\u200bwidth",
    "| a | b |\n# heading ![i](http://evil.example/i.png) @everyone `code`",
    "::error file=x::boom\n##[error]boom",
    "]]>&<![CDATA[ \x00\x0b\ufffe {{ 7*7 }} {% raw %}",
    '=HYPERLINK("http://evil.example")',
    "lone \ud800 surrogate",
)
"""What a target, a label or a spec might hold; each is aimed at a different sink."""

SPEC_TEXT = """\
service: shop-api
target: {url: "http://127.0.0.1:8000", instances: 1}
prometheus: {url: "http://127.0.0.1:9090", preset: prom-client, selector: {job: shop-api}}
workload: {scenario: scenarios/browse.py, users: 10, spawn_rate: 10/s, warmup: 5s, duration: 40s}
tiers: [bronze, silver, gold]
objectives:
  latency_p95: {bronze: "< 500ms", silver: "< 200ms", gold: "< 100ms", critical: "< 500ms"}
  error_rate: {endpoint: "POST /checkout", bronze: "< 1%", silver: "< 0.1%"}
  availability: {source: client, silver: ">= 99%", gold: ">= 99.7%"}
  cache_hit_rate: {source: client, bronze: "> 80%", silver: "> 90%", gold: "> 95%"}
  latency_p99: {source: client, target: "< 300ms", gold: "< 250ms"}
gate: silver
confidence: 95%
"""
BUSY = replace(WORKER, cpu=0.99)
SLOWER_MS = 53.0
"""Median that puts the 95th percentile beyond 200 ms."""

BORDERLINE_MS = 46.0
"""Median that puts the 95th percentile so close to 200 ms that it might be chance."""


def parsed(text: str = SPEC_TEXT, *, path: str = "slo.yaml", users: int | None = None) -> Spec:
    """Return the spec of a text, with a flag for the number of users."""
    spec = parse_spec(text.encode(), path, environment={})
    return with_overrides(spec, Overrides(users=users))


def objectives() -> tuple[Objective, ...]:
    """Return the five objectives of the sample runs, one of each form."""
    return parsed().objectives


def spec(found: tuple[Objective, ...] = ()) -> Spec:
    """Return the spec of the sample runs, with these objectives or with the default ones."""
    return replace(parsed(), objectives=found or objectives())


def server_side(spec: Spec, requests: Sequence[Request], *, warmup: int, window: int) -> ServerSeries:
    """Return what a Prometheus has about these requests; the last of the dashboard's queries failed."""
    load = datetime.fromisoformat(PROVENANCE.started).timestamp()
    end = load + warmup + window
    plan = metric_plan(spec)
    assert plan is not None
    texts = {name: text.replace("$window", f"{window}s") for name, text in plan.dashboards.items()}
    found = [PromqlResult(text, (0.2213,)) for text in texts.values()][:-1]
    failed = [PromqlResult(text, error="HTTP 503 Service Unavailable") for text in texts.values()][-1:]
    return ServerSeries(
        kind="prometheus",
        preset=plan.mapping,
        load_start=load,
        start=load + warmup,
        end=end,
        scrape_interval=1.0,
        series=scraped(requests, start=load, end=end + 1),
        queries=plan.series_texts,
        dashboard=dict(zip(texts, [*found, *failed], strict=True)),
    )


def graded(
    text: str,
    recording: Recording,
    *,
    server: ServerSeries | None = None,
    health: LoadHealth = HEALTH,
    ending: Ending = Ending.COMPLETE,
    users: int | None = None,
    path: str = "slo.yaml",
    folder: str = "reports/run",
    **changes: Any,
) -> Report:
    """Grade a run against the spec of a text.

    Args:
        text: Of the spec.
        recording: Client side.
        server: Server side; None: a source that is configured delivered nothing.
        health: Of the load generator; all users ran.
        ending: Of the load; INTERRUPTED: by SIGINT.
        users: The flag ``--users``.
        path: Of the spec.
        folder: Of the run.
        **changes: Other fields of the evidence.
    """
    spec = parsed(text, path=path, users=users)
    planned = spec.workload.users
    fields = {
        "planned_window_s": spec.workload.duration,
        "ending": ending,
        "signal": "INT" if ending is Ending.INTERRUPTED else "",
        "health": replace(health, planned_users=planned, users=planned),
        "failures": spec.failures,
        "overrides": Overrides(users=users),
        "server": server,
        "server_error": "" if server else "Prometheus does not respond",
    }
    evidence = make_evidence(recording, **{**fields, **changes})
    assessment = assess(spec, evidence)
    return Report(spec, evidence, assessment, folder, run_record(spec, evidence, assessment, folder))


FAILED, TIMED_OUT = FailureClass.STATUS, FailureClass.TIMEOUT
BURST = [(second, 0, why) for second in (25, 26) for why in (FAILED, TIMED_OUT)]
"""Two bad seconds of the first endpoint."""


@cache
def report(outcome: Outcome = Outcome.FAIL) -> Report:
    """Return a run of 45 s with this ending, server side included."""
    failing = [(second, 1, FAILED) for second in range(6, 45, 4)]
    match outcome:
        case Outcome.FAIL:
            return _sample(failing=failing)
        case Outcome.PASS:
            return _sample(text=SPEC_TEXT.replace("gate: silver", "gate: bronze"), failing=failing)
        case Outcome.UNDECIDED:
            return _sample(median_ms=BORDERLINE_MS, failing=failing[:3])
        case Outcome.INVALID:
            return _sample(health=replace(HEALTH, workers=(BUSY,)))
        case Outcome.INTERRUPTED:
            return _sample(window=30, failing=failing, ending=Ending.INTERRUPTED)


@cache
def timeouts() -> Report:
    """Return a run in which the server never saw ten of the requests that the client sent."""
    return _sample(failing=[(second, 1, TIMED_OUT) for second in range(6, 45, 4)])


def unsteady(*, confidence: bool = True) -> Report:
    """Return a run that was slow in its window's last four seconds."""
    text = SPEC_TEXT if confidence else SPEC_TEXT.replace("confidence: 95%", "confidence: none")
    return _sample(text=text, median_ms=20.0, slow=dict.fromkeys(range(41, 45), 2.0))


def unbounded() -> Report:
    """Return a run in which enough requests failed that its 95th percentile has no finite value."""
    return _sample(failing=[(second, 0, TIMED_OUT) for second in range(45) for _ in range(10)])


def target_lost() -> Report:
    """Return a run whose target died in its last second, graded on its median latency alone."""
    head, _, _ = SPEC_TEXT.partition("  latency_p95:")
    text = (
        f'{head}  latency_p50: {{source: client, silver: "< 500ms"}}\ngate: silver\nconfidence: 95%\n'
        "validity: {steady: false}\n"
    )
    refused = [(44, 0, FailureClass.REFUSED)] * 50
    requests = [asked for asked in make_traffic(failing=refused) if asked.second < 44 or asked.failure]
    return graded(text, recorded(requests, warmup=5, window=40), ending=Ending.TARGET_DOWN)


def _sample(
    *,
    text: str = SPEC_TEXT,
    median_ms: float = SLOWER_MS,
    window: int = 40,
    slow: Mapping[int, float] | None = None,
    failing: Sequence[tuple[int, int, FailureClass]] = (),
    **more: Any,
) -> Report:
    requests = make_traffic(median_ms=median_ms, seconds=5 + window, slow=slow, failing=[*BURST, *failing])
    asked = parsed(text)
    found = recorded(requests, warmup=5, window=window, thresholds=thresholds_ns(asked))
    server = server_side(asked, requests, warmup=5, window=window)
    return graded(text, found, server=server, users=20, **more)


def of_recording(recording: Recording) -> Report:
    """Return the report on a recording of any form; Prometheus delivered nothing."""
    return graded(
        SPEC_TEXT,
        recording,
        planned_window_s=float(recording.window_s),
    )


def writable(text: str) -> str:
    """Return a text without the invisible characters that a spec refuses."""
    return "".join(" " if category(char) in {"Cc", "Cf", "Cs", "Cn"} else char for char in text).strip()


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


@cache
def hostile_report(text: str) -> Report:
    """Return a run in which everything that comes from elsewhere is `text`."""
    written = _quoted(writable(text))
    endpoint, foreign = Endpoint("GET", writable(text)), Endpoint("POST", text)
    asked = _quoted(str(endpoint))
    spec_text = f"""\
service: {_quoted(writable(text)[:100])}
target: {{url: "http://127.0.0.1:8000", instances: 1}}
prometheus: {{url: "http://127.0.0.1:9090", preset: prom-client, selector: {{job: {written}}}}}
workload: {{scenario: scenarios/browse.py, users: 10, spawn_rate: 10/s, warmup: 5s, duration: 12s}}
tiers: [bronze, silver, gold]
objectives:
  latency_p95: {{endpoint: {asked}, source: client, bronze: "< 500ms", silver: "< 10ms"}}
  error_rate: {{source: client, silver: "< 0.1%"}}
  custom: {{indicator: {{promql: {written}}}, silver: "< 100"}}
gate: silver
confidence: 95%
"""
    requests = make_traffic(endpoints=(endpoint, foreign), seconds=17, rate=20, failing=[(8, 0, FAILED)])
    base = recorded(requests, warmup=5, window=12)
    server = replace(
        server_side(parsed(spec_text), requests, warmup=5, window=12),
        queries=(text, f"http_requests_total{text}"),
        warnings=(RunWarning("foreign", text),),
        promql={"custom": PromqlResult(text, error=text)},
        dashboard={"latency_p95": PromqlResult(text, error=text)},
    )
    return graded(
        spec_text,
        replace(base, errors=tuple(replace(item, message=text) for item in base.errors)),
        server=server,
        health=replace(HEALTH, workers=(replace(WORKER, messages=(text,)),), exceptions={text: 1000}),
        path=f"{text}.yaml",
        folder=text,
        provenance=replace(
            PROVENANCE, command=f"slocheck run {text}", host=text, target=text, scenario=text, git_sha=text
        ),
    )
