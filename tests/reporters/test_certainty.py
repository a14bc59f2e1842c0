"""Every report says how certain a verdict is, in the same words."""

import html
import io
import json
import re
from collections.abc import Iterator
from dataclasses import replace

import pytest
from rich.console import Console

from slocheck.grading.assessment import Cause, Outcome, SideResult, Verdict
from slocheck.grading.report import Report
from slocheck.reporters import FORMATS
from slocheck.reporters.terminal.summary import render_summary
from slocheck.reporters.text import sample_size_text
from tests.builders.reports import report


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
    pytest.param("a run at least 9.5 times longer would decide", id="factor"),
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
    assert available["confidence_interval"]["needed_duration_factor"] == pytest.approx(35.9, abs=0.1)


def open_sides() -> Iterator[SideResult]:
    """Yield the undecided sides of all sample runs, as they were graded."""
    for outcome in Outcome:
        for result in report(outcome).assessment.objectives:
            for level in result.levels:
                yield from (side for side in level.sides if side.verdict is Verdict.UNDECIDED)


def test_what_would_decide_is_said_once() -> None:
    """In the reason or in the numbers behind it, and never in both."""
    told = "would decide"
    texts = [(side.reason, sample_size_text(side)) for side in open_sides()]
    assert any(told in reason for reason, _ in texts)
    assert any(told in numbers for _, numbers in texts)
    assert not any(told in reason and told in numbers for reason, numbers in texts)


def test_the_effective_sample_size_is_said_once() -> None:
    """A reason that names it is not followed by the same number again."""
    for side in open_sides():
        assert "effective sample size" not in side.reason
        assert "effective sample size" not in sample_size_text(replace(side, cause=Cause.CORRELATED))
    assert any("effective sample size" in sample_size_text(side) for side in open_sides())


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
