"""Every report says how certain a verdict is, in the same words."""

import html
import io
import json
import re
from dataclasses import replace

import pytest
from rich.console import Console

from slocheck.grading.assessment import Bounds, Cause, Outcome, SideResult, Tolerance, Verdict
from slocheck.grading.report import Report
from slocheck.reporters import FORMATS
from slocheck.reporters.terminal.summary import render_summary
from slocheck.reporters.text import sample_size_text
from tests.builders.reports import report, side


def _shown(name: str, found: Report) -> str:
    if name == "console":
        out = io.StringIO()
        render_summary(found, Console(file=out, width=80), {}, verbose=True)
        return " ".join(out.getvalue().split())
    return html.unescape(FORMATS[name].render(found)).replace("\\", "")


OPEN = [
    pytest.param("+0.044 points", id="margin"),
    pytest.param("3 of 2,083 bad", id="n"),
    pytest.param("95% CI 0.0172-0.518%", id="interval"),
    pytest.param("effective sample size 1,816", id="effective n"),
    pytest.param("a run at least 19 times longer would decide", id="factor"),
]


@pytest.mark.parametrize("name", ["console", "markdown", "junit", "html"])
@pytest.mark.parametrize("text", OPEN)
def test_an_open_verdict_says_what_is_known_and_what_would_decide(name: str, text: str) -> None:
    """Margin, n, interval, effective n, and how much longer."""
    shown = _shown(name, report(outcome=Outcome.UNDECIDED))
    assert text in shown


@pytest.mark.parametrize("name", ["console", "markdown", "junit", "html"])
@pytest.mark.parametrize(
    "text",
    [
        pytest.param("344 to 358 of 4,174 missed", id="n"),
        pytest.param("95% CI 90.2-92.8%", id="interval"),
        pytest.param("+1.7 points", id="margin"),
        pytest.param("effective sample size 3,253", id="effective n"),
        pytest.param("holds for bursts of up to 16ms, 4s in total", id="tolerance"),
    ],
)
def test_a_met_limit_says_how_certain_it_is(name: str, text: str) -> None:
    """A pass shows its certainty, too."""
    assert text in _shown(name, report(outcome=Outcome.FAIL))


def test_json_has_the_same_as_numbers() -> None:
    """In base units; the difference from the limit is positive above it."""
    document = json.loads(FORMATS["json"].render(report()))
    by_name = {item["name"]: item for item in document["objectives"]}
    latency, cache, available = (
        by_name[name]["levels"][1]["sides"][0] for name in ("latency_p95", "cache_hit_rate", "availability")
    )
    assert latency["value_minus_limit"] == pytest.approx(0.2299 - 0.2, abs=1e-4)
    assert latency["total"] == 4174
    assert latency["confidence_interval"]["effective_sample_size"] == pytest.approx(3397.4, abs=0.1)
    assert cache["confidence_interval"]["tolerated_design_effect"] == pytest.approx(1.7, abs=0.05)
    assert available["confidence_interval"]["needed_duration_factor"] == pytest.approx(70.8, abs=0.1)


@pytest.mark.parametrize(
    ("found", "told"),
    [
        pytest.param(
            replace(side(Verdict.UNDECIDED, 0.1), cause=Cause.TOO_CLOSE),
            0,
            id="said already",
        ),
        pytest.param(side(Verdict.UNDECIDED, 0.1, reason="too few"), 1, id="not said yet"),
        pytest.param(side(Verdict.MET, 0.1), 0, id="nothing is open"),
    ],
)
def test_how_much_longer_is_said_once(found: SideResult, told: int) -> None:
    """The reason may say it already."""
    open_side = replace(found, bounds=Bounds(0.1, 0.2, 100.0, needed_duration_factor=3.1))
    assert sample_size_text(open_side).count("would decide") == told


@pytest.mark.parametrize(
    ("cause", "text"),
    [
        pytest.param(Cause.CORRELATED, "", id="said by the reason"),
        pytest.param(Cause.TOO_CLOSE, "effective sample size 100", id="not said yet"),
    ],
)
def test_the_effective_sample_size_is_said_once(cause: Cause, text: str) -> None:
    """A reason that names it is not followed by the same number again."""
    found = replace(side(Verdict.UNDECIDED, 0.1), bounds=Bounds(0.1, 0.2, 100.0), cause=cause)
    assert sample_size_text(found) == text


def test_a_long_reason_is_cut_and_the_numbers_are_not() -> None:
    """The statistics are on lines of their own."""
    found = report(outcome=Outcome.UNDECIDED)
    first = next(item for item in found.assessment.objectives if item.verdict is Verdict.UNDECIDED)
    long = replace(first, levels=tuple(replace(level, reason="x" * 999) for level in first.levels))
    results = tuple(long if item is first else item for item in found.assessment.objectives)
    shown = _shown("console", replace(found, assessment=replace(found.assessment, objectives=results)))
    assert re.search(r" x{299}… ", shown)
    assert re.search(
        r"latency_p95 \(slo.yaml:7\), client 197ms: .*95% CI .*effective sample size [\d,]+ ", shown
    )


@pytest.mark.parametrize(
    ("burst_s", "outage_s", "text"),
    [
        pytest.param(0.0651, 0.3, "holds for bursts of up to 65ms, 300ms in total", id="short"),
        pytest.param(1.999, 15.0, "holds for bursts of up to 1.9s, 15s in total", id="rounded down"),
        pytest.param(4000.0, 4500.0, "holds for bursts of up to 1h6m40s, 1h15m in total", id="long"),
    ],
)
def test_what_met_rests_on_is_said_in_time(burst_s: float, outage_s: float, text: str) -> None:
    """In two digits, never more than it is."""
    bounds = Bounds(0.0, 0.01, 100.0, tolerance=Tolerance(10.0, burst_s, outage_s))
    assert text in sample_size_text(replace(side(Verdict.MET, 0.1), bounds=bounds))
