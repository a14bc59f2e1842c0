"""Builders of graded runs for the reporters' tests: a plain one, a hostile one, a long one."""

from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction

from slocheck.documents.position import Position
from slocheck.documents.units import Comparison
from slocheck.evidence.model import Ending, Evidence, LoadHealth, Provenance
from slocheck.evidence.recording import Recording
from slocheck.evidence.series import PromqlAnswer, RawSeries, ServerSeries
from slocheck.evidence.warnings import RunWarning
from slocheck.grading.assessment import (
    Assessment,
    Bounds,
    Finding,
    Gap,
    LevelResult,
    ObjectiveResult,
    Outcome,
    Side,
    SideResult,
    SteadyState,
    Verdict,
)
from slocheck.grading.report import Report
from slocheck.indicators.samples import Display
from slocheck.spec.model import (
    Endpoint,
    Indicator,
    IndicatorKind,
    Limit,
    Objective,
    Overrides,
    Preset,
    SourceChoice,
    Spec,
    Target,
    Workload,
)
from tests.builders.noisy_recordings import ENDPOINTS, recording

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
"""What a target, a label or a spec might hold; each is aimed at another sink."""

SPEC_TEXT = """\
service: shop-api
objectives:
  latency_p95: {bronze: "< 500ms", silver: "< 200ms", gold: "< 100ms", critical: "< 500ms"}
  error_rate: {bronze: "< 1%", silver: "< 0.1%"}
  availability: {silver: ">= 99%", gold: ">= 99.99%"}
  cache_hit_rate: {bronze: "> 80%", silver: "> 90%", gold: "> 95%"}
  latency_p99: {target: "< 500ms"}
"""


def limit(comparison: str, value: Fraction, text: str, line: int) -> Limit:
    """A limit at a line of slo.yaml."""
    return Limit(Comparison(comparison), value, f"{comparison} {text}", Position(line, 17))


def latency_limits(line: int) -> dict[str, Limit]:
    """The usual latency tiers."""
    return {
        "bronze": limit("<", Fraction(1, 2), "500ms", line),
        "silver": limit("<", Fraction(1, 5), "200ms", line),
        "gold": limit("<", Fraction(1, 10), "100ms", line),
        "critical": limit("<", Fraction(1, 2), "500ms", line),
    }


def objectives() -> tuple[Objective, ...]:
    """Five objectives, one of each form."""
    percent = Fraction(1, 100)
    both = SourceChoice.BOTH
    return (
        Objective(
            "latency_p95",
            Indicator(IndicatorKind.LATENCY, Fraction(19, 20)),
            latency_limits(3),
            Position(3, 3),
            source=both,
        ),
        Objective(
            "error_rate",
            Indicator(IndicatorKind.ERROR_RATE),
            {"bronze": limit("<", percent, "1%", 4), "silver": limit("<", percent / 10, "0.1%", 4)},
            Position(4, 3),
            endpoint=ENDPOINTS[1],
        ),
        Objective(
            "availability",
            Indicator(IndicatorKind.AVAILABILITY),
            {
                "silver": limit(">=", 99 * percent, "99%", 5),
                "gold": limit(">=", Fraction(9999, 10_000), "99.99%", 5),
            },
            Position(5, 3),
        ),
        Objective(
            "cache_hit_rate",
            Indicator(IndicatorKind.CACHE_HIT_RATE),
            {
                "bronze": limit(">", 80 * percent, "80%", 6),
                "silver": limit(">", 90 * percent, "90%", 6),
                "gold": limit(">", 95 * percent, "95%", 6),
            },
            Position(6, 3),
        ),
        Objective(
            "latency_p99",
            Indicator(IndicatorKind.LATENCY, Fraction(99, 100)),
            {
                "target": limit("<", Fraction(1, 2), "500ms", 7),
                "gold": limit("<", Fraction(1, 4), "250ms", 7),
            },
            Position(7, 3),
        ),
    )


def spec(found: tuple[Objective, ...] = (), *, text: str = SPEC_TEXT) -> Spec:
    """A spec with these objectives, or with the usual five."""
    return Spec(
        path="slo.yaml",
        text=text,
        service="shop-api",
        target=Target("http://127.0.0.1:8000"),
        workload=Workload("scenarios/browse.py", 20, 10.0, 5.0, 40.0, Position(1, 1)),
        tiers=("bronze", "silver", "gold"),
        objectives=found or objectives(),
        gate="silver",
        confidence=Fraction(19, 20),
    )


PROVENANCE = Provenance(
    run_id="20260101T120000Z-0a1b2c",
    command="slocheck run slo.yaml",
    started="2026-01-01T12:00:00.000Z",
    ended="2026-01-01T12:00:45.250Z",
    slocheck="0.1.0",
    versions={"python": "3.11.2", "locust": "2.47.0"},
    host="loader",
    cores=2,
    git_sha="3f2c1ab9d8e7f6a5b4c3d2e1f0a9b8c7d6e5f4a3",
    git_dirty=True,
    spec_sha256="ab" * 32,
    scenario_sha256="cd" * 32,
    scenario="scenarios/browse.py",
    target="http://127.0.0.1:8000",
    seed=42,
)

SERVER = ServerSeries(
    kind="scrape",
    preset=Preset(
        "prom-client", "http_request_duration_seconds", "http_requests_total", "method", "route", "s", "s"
    ),
    load_start=1_767_268_800.0,
    start=1_767_268_805.0,
    end=1_767_268_845.0,
    scrape_interval=1.0,
    series=(
        RawSeries(
            "process_cpu_seconds_total",
            {"instance": "127.0.0.1:8000"},
            (1_767_268_805.0, 1_767_268_825.0, 1_767_268_845.0),
            (10.0, 20.0, 42.0),
        ),
        RawSeries(
            "process_resident_memory_bytes",
            {"instance": "127.0.0.1:8000"},
            (1_767_268_805.0, 1_767_268_845.0),
            (60e6, 64e6),
        ),
    ),
    queries=('http_request_duration_seconds_bucket{job="shop-api"}', 'http_requests_total{job="shop-api"}'),
    dashboard={
        "latency_p95": PromqlAnswer(
            "histogram_quantile(0.95, sum by (le) (rate(http_request_duration_seconds_bucket[40s])))",
            (0.2425,),
        ),
        "error_rate": PromqlAnswer(
            'sum(rate(http_requests_total{s=~"5.."}[40s])) / sum(rate(http_requests_total[40s]))',
            error="the query returns no data",
        ),
    },
)


def evidence(found: Recording | None = None, *, ending: Ending = Ending.COMPLETE) -> Evidence:
    """Evidence of a whole run."""
    found = found or recording()
    return Evidence(
        schema_version=1,
        provenance=PROVENANCE,
        overrides=Overrides(users=20),
        planned_warmup_s=float(found.warmup_s),
        planned_window_s=float(found.window_s),
        ending=ending,
        signal="INT" if ending is Ending.INTERRUPTED else "",
        recording=found,
        health=LoadHealth(20, 20, ()),
        failed_statuses=("5xx",),
        server=SERVER,
    )


def side(
    verdict: Verdict,
    low: float,
    high: float | None = None,
    *,
    who: Side = Side.CLIENT,
    bad: int | None = None,
    total: int = 4180,
    reason: str = "",
    bounds: Bounds | None = None,
) -> SideResult:
    """One side's result."""
    display = Display(low, low if high is None else high)
    return SideResult(who, verdict, display, total, bad, bad, reason=reason, bounds=bounds)


MET, BREACHED, UNDECIDED = Verdict.MET, Verdict.BREACHED, Verdict.UNDECIDED


def results(found: Sequence[Objective], gate: str = "silver") -> tuple[ObjectiveResult, ...]:
    """Verdicts on the usual five: two breached, one undecided beyond the gate, one met, one target missed."""
    latency, errors, available, cache, tail = found
    graded = (
        _result(
            latency,
            [MET, BREACHED, BREACHED, MET],
            side(BREACHED, 0.2621, 0.2629, bad=271, bounds=Bounds(0.0591, 0.0712, 3890.0)),
            side(UNDECIDED, 0.1, 0.25, who=Side.SERVER, total=4178, reason="the limit lies inside a bucket"),
        ),
        _result(
            errors, [MET, BREACHED], side(BREACHED, 16 / 4180, bad=16, bounds=Bounds(0.0021, 0.0065, 1500.0))
        ),
        _result(
            available,
            [MET, UNDECIDED],
            side(
                UNDECIDED,
                4176 / 4180,
                bad=4,
                reason="needs about 29,956 requests without a bad one, had 4,180",
                bounds=Bounds(0.0, 0.0004, 4180.0, needed_factor=7.2),
            ),
        ),
        _result(
            cache,
            [MET, MET, UNDECIDED],
            side(MET, 0.9142, bad=358, bounds=Bounds(0.08, 0.092, 4000.0, None, 1.7)),
        ),
        _result(tail, [BREACHED, BREACHED], side(BREACHED, 0.612, 0.6135, bad=80)),
    )
    needed = ("bronze", gate, "critical")
    return tuple(
        replace(item, levels=tuple(replace(one, needed=one.level in needed) for one in item.levels))
        for item in graded
    )


def _result(objective: Objective, verdicts: Sequence[Verdict], *sides: SideResult) -> ObjectiveResult:
    levels = tuple(
        LevelResult(
            name,
            bound,
            verdict,
            sides[0].reason if verdict is UNDECIDED else "",
            tuple(
                replace(item, verdict=verdict) if number == 0 else item for number, item in enumerate(sides)
            ),
            needed=True,
        )
        for (name, bound), verdict in zip(objective.limits.items(), verdicts, strict=True)
    )
    return ObjectiveResult(objective, levels)


CODES = {
    Outcome.PASS: 0,
    Outcome.FAIL: 1,
    Outcome.UNDECIDED: 3,
    Outcome.INVALID: 4,
    Outcome.INTERRUPTED: 130,
}


def _opened(result: ObjectiveResult) -> ObjectiveResult:
    """The same result with each breach in doubt."""
    why = "too close to the limit to tell from chance; a run about 3.1 times longer would decide"
    levels = (
        replace(
            item,
            verdict=UNDECIDED,
            reason=why,
            sides=tuple(replace(one, verdict=UNDECIDED, reason=why) for one in item.sides),
        )
        if item.verdict is BREACHED
        else item
        for item in result.levels
    )
    return replace(result, levels=tuple(levels))


def assessment(found: Sequence[Objective], *, outcome: Outcome = Outcome.FAIL) -> Assessment:
    """The assessment that goes with `results`; a run that passes was asked for bronze."""
    valid = outcome is not Outcome.INVALID
    finished = outcome in (Outcome.PASS, Outcome.FAIL, Outcome.UNDECIDED)
    verdict = UNDECIDED if outcome is Outcome.UNDECIDED else BREACHED
    gate = "bronze" if outcome is Outcome.PASS else "silver"
    graded = results(found, gate)
    if outcome is Outcome.UNDECIDED:
        graded = tuple(_opened(item) for item in graded)
    message = f"{verdict} at silver {found[0].limits['silver'].text}"
    return Assessment(
        outcome=outcome,
        exit_code=CODES[outcome],
        tier="bronze" if finished else None,
        gate=gate,
        next_tier="silver" if finished else "bronze",
        gaps=(
            Gap(found[0].name, "silver", verdict, Fraction(31, 500), message),
            Gap("error_rate", "silver", verdict, Fraction(28, 10_000), f"{verdict} at silver < 0.1%"),
        ),
        objectives=graded,
        findings=(
            Finding("users", True, "20 of 20 users ran throughout the window"),
            Finding("generator-cpu", valid, f"generator CPU {41 if valid else 99}% of a core"),
        ),
        warnings=(RunWarning("missed-target", "latency_p99 misses its target < 500ms"),),
        confidence=Fraction(19, 20),
        headline="Every objective of bronze is met."
        if outcome is Outcome.PASS
        else f"{found[0].name} is {message}.",
        steadiness=(SteadyState(True, "mean latency 105ms in the window's first 8 s, 103ms after"),),
    )


def report(*, outcome: Outcome = Outcome.FAIL, found: Recording | None = None) -> Report:
    """A plain run that missed its gate, or ended as `outcome` says."""
    ending = Ending.INTERRUPTED if outcome is Outcome.INTERRUPTED else Ending.COMPLETE
    the_spec = spec()
    return Report(
        the_spec,
        evidence(found, ending=ending),
        assessment(the_spec.objectives, outcome=outcome),
        "reports/run",
    )


def hostile_report(text: str) -> Report:
    """A run in which everything that comes from elsewhere is `text`."""
    endpoint = Endpoint("GET", text)
    first, *rest = objectives()
    indicator = Indicator(IndicatorKind.PROMQL, promql=text)
    limits = {name: replace(bound, text=f"< {text}") for name, bound in first.limits.items()}
    odd = replace(first, name=f"p95{text}", limits=limits, endpoint=endpoint)
    custom = replace(rest[-1], name="custom", indicator=indicator)
    found = (odd, *rest[:-1], custom)
    the_spec = replace(spec(found, text=f"# {text}\n" * 7), service=text, path=f"{text}.yaml")
    base = recording(endpoints=(endpoint, ENDPOINTS[1]), window=12)
    errors = tuple(replace(item, message=text) for item in base.errors)
    the_evidence = evidence(replace(base, errors=errors))
    provenance = replace(
        PROVENANCE, command=f"slocheck run {text}", host=text, target=text, scenario=text, git_sha=text
    )
    graded = assessment(found)
    source_failed, warned = Finding(text, False, text), RunWarning(text, text)
    server = replace(
        SERVER,
        queries=(text, f"http_requests_total{text}"),
        warnings=(warned,),
        dashboard={odd.name: PromqlAnswer(text, error=text)},
    )
    return Report(
        the_spec,
        replace(the_evidence, provenance=provenance, server=server),
        replace(graded, findings=(*graded.findings, source_failed), warnings=(warned,), headline=text),
        text,
    )
