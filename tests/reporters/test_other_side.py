"""A side's numbers beside a verdict that they do not bear out: a report says which side decides, and why."""

import html
import io
from dataclasses import replace

import pytest
from rich.console import Console

from slocheck.grading.assessment import Cause, LevelResult, Outcome, SideResult, Verdict
from slocheck.grading.report import Report
from slocheck.grading.sides import combine
from slocheck.reporters import FORMATS
from slocheck.reporters.decision import other_side_text
from slocheck.reporters.terminal.summary import render_summary
from slocheck.spec.model import IndicatorKind
from tests.builders.reports import report

MET, BREACHED, UNDECIDED = Verdict.MET, Verdict.BREACHED, Verdict.UNDECIDED
BUCKET = "the limit 0.2 s lies inside the server's bucket (0.1 s, 0.25 s]; add a bucket boundary at 0.2 s"


def level_of(client: Verdict, server: SideResult, kind: IndicatorKind) -> LevelResult:
    """Return a level of the sample run with these sides, put together as they are in a run."""
    level = report(Outcome.PASS).assessment.objectives[0].shown
    sides = (replace(level.sides[0], verdict=client), server)
    verdict, reason = combine(kind, sides)
    return replace(level, sides=sides, verdict=verdict, reason=reason)


def server(verdict: Verdict, **more: object) -> SideResult:
    """Return the sample run's server side with another verdict."""
    side = report(Outcome.PASS).assessment.objectives[0].shown.sides[1]
    return replace(side, verdict=verdict, observed=MET, total=12, bucket_limited=False, **more)  # type: ignore[arg-type]


VARYING = server(UNDECIDED, cause=Cause.VARYING, reason="the rate varies too much for a verdict; run longer")
INSIDE = replace(server(UNDECIDED, reason=BUCKET), bucket_limited=True)


@pytest.mark.parametrize(
    ("kind", "client", "beside", "texts"),
    [
        pytest.param(IndicatorKind.LATENCY, MET, server(MET), ("", ""), id="both say the same"),
        pytest.param(
            IndicatorKind.RPS_PER_INSTANCE,
            MET,
            VARYING,
            ("", "decided by the client's count: the server's 12 scrapes do not show what was offered"),
            id="a rate of which the server knows too little",
        ),
        pytest.param(
            IndicatorKind.LATENCY,
            MET,
            INSIDE,
            ("", f"decided by the client's count: {BUCKET.partition(';')[0]}"),
            id="inside a bucket",
        ),
        pytest.param(
            IndicatorKind.ERROR_RATE,
            BREACHED,
            server(MET),
            ("", "decided by the client's count: both sides have to keep a limit"),
            id="breached by the client alone",
        ),
        pytest.param(
            IndicatorKind.ERROR_RATE,
            UNDECIDED,
            server(BREACHED),
            ("decided by the server's count: both sides have to keep a limit", ""),
            id="breached by the server alone",
        ),
        pytest.param(
            IndicatorKind.ERROR_RATE,
            MET,
            server(UNDECIDED, reason="too close"),
            ("left open by the server's count: both sides have to keep a limit", ""),
            id="left open by the server",
        ),
        pytest.param(
            IndicatorKind.LATENCY, MET, replace(INSIDE, display=None), ("", ""), id="nothing is shown of it"
        ),
    ],
)
def test_who_decides_is_said_beside_the_side_that_does_not(
    kind: IndicatorKind, client: Verdict, beside: SideResult, texts: tuple[str, str]
) -> None:
    """In one clause, for every way in which two sides make one verdict."""
    level = level_of(client, beside, kind)
    assert tuple(other_side_text(level, side) for side in level.sides) == texts


def test_a_limit_that_follows_from_another_says_so() -> None:
    """No side decided it by itself."""
    level = level_of(UNDECIDED, server(UNDECIDED), IndicatorKind.LATENCY)
    level = replace(level, verdict=MET, reason="gold < 100ms is met")
    found = {other_side_text(level, side) for side in level.sides}
    assert found == {"follows from another limit: gold < 100ms is met"}


def shown(name: str, found: Report) -> str:
    """Render a report as text without escapes."""
    if name == "console":
        out = io.StringIO()
        render_summary(found, Console(file=out, width=80), {}, verbose=True)
        return " ".join(out.getvalue().split())
    return html.unescape(FORMATS[name].render(found)).replace("\\", "")


@pytest.mark.parametrize("name", ["console", "markdown", "junit", "html", "json"])
def test_every_report_with_an_interval_says_it(name: str) -> None:
    """Beside the interval, and in JSON as the level's reason."""
    found = report(Outcome.PASS)
    first = found.assessment.objectives[0]
    level = level_of(MET, VARYING, IndicatorKind.RPS_PER_INSTANCE)
    result = replace(first, levels=tuple(level if one is first.shown else one for one in first.levels))
    results = (result, *found.assessment.objectives[1:])
    text = shown(name, replace(found, assessment=replace(found.assessment, objectives=results)))
    clause = "decided by the client's count: the server's 12 scrapes do not show what was offered"
    assert clause in text
