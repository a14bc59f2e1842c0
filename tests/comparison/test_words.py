"""What a comparison says in words: the same in every report, with foreign text escaped."""

import io
from dataclasses import replace

import pytest
from rich.console import Console

from slocheck.comparison.compare import compare
from slocheck.comparison.model import Comparison
from slocheck.comparison.words import change_lines, regression_sentence, summary
from slocheck.grading.assessment import Outcome
from slocheck.grading.regression import with_regressions
from slocheck.grading.report import Report
from slocheck.reporters import FORMATS
from slocheck.reporters.decision import decision_text
from slocheck.reporters.terminal.summary import render_summary
from tests.builders.records import latency, record, runs, share
from tests.builders.reports import HOSTILE, report

STEADY = runs(0.1, 0.101, 0.099, 0.1, 0.102)
SLOWER = runs(0.2, first=30)


def failed(comparison: Comparison) -> Report:
    """Return a run that passes except for a comparison."""
    passed = report(Outcome.PASS)
    assessment = with_regressions(passed.assessment, comparison)
    return replace(passed, assessment=assessment, comparison=comparison)


@pytest.mark.parametrize(
    ("comparison", "said"),
    [
        pytest.param(
            compare(SLOWER, STEADY[:1]),
            "since run 20260102T030005Z-abcdef: latency_p95 of GET /items 100ms -> 200ms "
            "(+100.0%, +94.4% to +105.8%); one run does not prove a change",
            id="one run",
        ),
        pytest.param(
            compare(SLOWER, STEADY),
            "since 5 earlier runs: worse, latency_p95 of GET /items 100ms -> 200ms "
            "(+99.2%, +88.1% to +110.9%)",
            id="worse",
        ),
        pytest.param(
            compare(runs(0.1, first=30), STEADY),
            "since 5 earlier runs: no change is proven; the largest is latency_p95 of GET /items "
            "100ms -> 100ms (-0.4%, -5.9% to +5.5%)",
            id="as before",
        ),
        pytest.param(
            compare([record(30, share(0.02))], [record(number, share(0.001)) for number in range(5)]),
            "since 5 earlier runs: worse, error_rate 0.1% -> 2% (+1.9 points, +1.51 to +2.33 points)",
            id="a share",
        ),
        pytest.param(
            compare([record(30, replace(latency(0.1), observed=None))], STEADY[:1]),
            "since run 20260102T030005Z-abcdef: latency_p95 of GET /items 100ms -> no value; "
            "one run does not prove a change",
            id="no value",
        ),
        pytest.param(
            compare([record(30, objectives=())], STEADY[:1]),
            "since run 20260102T030005Z-abcdef: no objective to compare",
            id="no objective",
        ),
    ],
)
def test_the_one_line_says_what_matters_most(comparison: Comparison, said: str) -> None:
    """What is proven first, else the largest change that was seen."""
    assert summary(comparison) == said


def test_a_regression_is_said_where_the_verdict_is() -> None:
    """Headline, last line, JUnit and Markdown: a run fails for one reason, and all say that one."""
    run = failed(compare(SLOWER, STEADY))
    sentence = regression_sentence(compare(SLOWER, STEADY))
    assert run.assessment.headline == sentence
    assert decision_text(run) == sentence.removesuffix(".")
    console = Console(file=io.StringIO(), width=200)
    render_summary(run, console, {})
    assert console.file.getvalue().count("100ms -> 200ms") == 1  # type: ignore[attr-defined]  # a StringIO
    junit = FORMATS["junit"].render(run)
    assert 'name="regression"' in junit
    assert junit.count("<failure") == 1 + FORMATS["junit"].render(report(Outcome.PASS)).count("<failure")
    assert "Change since 5 earlier runs" in FORMATS["markdown"].render(run)
    assert change_lines(compare(SLOWER, STEADY))[0].endswith(": worse")


def test_a_baseline_that_holds_is_a_passed_case() -> None:
    """A comparison that cannot gate is not a test case."""
    holds = FORMATS["junit"].render(failed(compare(runs(0.1, first=30), STEADY)))
    assert 'name="regression"' in holds
    assert "within the margin" in holds
    assert 'name="regression"' not in FORMATS["junit"].render(failed(compare(SLOWER, STEADY[:4])))


@pytest.mark.parametrize("text", HOSTILE)
def test_names_of_other_runs_are_foreign(text: str) -> None:
    """Endpoints, hosts and names of earlier runs come from files; each report escapes them."""
    strange = replace(latency(0.1), name=text, endpoint=text)
    old = [replace(record(number, strange, host=text), run_id=text) for number in range(5)]
    compared = failed(compare([record(30, strange)], old))
    for name in ("html", "markdown", "json", "junit"):
        rendered = FORMATS[name].render(compared)
        assert "\x1b" not in rendered
        assert name == "json" or "<script>alert(1)" not in rendered
        assert not any(line.startswith("::") for line in rendered.splitlines())
