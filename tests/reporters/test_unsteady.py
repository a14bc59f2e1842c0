"""An unsteady window shows in every report."""

import html
import io
import json
from dataclasses import replace
from fractions import Fraction

import pytest
from junitparser import JUnitXml
from rich.console import Console

from slocheck.evidence.warnings import RunWarning
from slocheck.grading.assessment import Outcome, SteadyState
from slocheck.grading.report import Report
from slocheck.reporters import FORMATS
from slocheck.reporters.terminal.summary import render_summary
from tests.builders.reports import report

DRIFT = "unsteady: mean latency 305ms in the window's first 8 s, 103ms after"


def _unsteady(confidence: Fraction | None = Fraction(19, 20)) -> Report:
    plain = report(outcome=Outcome.UNDECIDED)
    graded = replace(
        plain.assessment,
        steadiness=(SteadyState(False, DRIFT, 20),),
        warnings=(RunWarning("unsteady", f"{DRIFT}; try workload.warmup: 20s"),),
        confidence=confidence,
    )
    return replace(plain, assessment=graded)


@pytest.mark.parametrize("name", ["html", "markdown", "json", "console"])
def test_the_drift_and_the_warmup_are_shown(name: str) -> None:
    """What was seen, and what to write."""
    if name == "console":
        out = io.StringIO()
        render_summary(_unsteady(), Console(file=out, width=80), {})
        text = out.getvalue()
    else:
        text = FORMATS[name].render(_unsteady())
    plain = html.unescape(text).replace("\\", "")
    assert "workload.warmup: 20s" in plain
    assert "mean latency 305ms in the window's first 8 s, 103ms after" in plain


def test_json_has_it_for_machines() -> None:
    """As a list of runs."""
    document = json.loads(FORMATS["json"].render(_unsteady()))
    assert document["steady_state"] == [{"steady": False, "message": DRIFT, "suggested_warmup_s": 20}]


@pytest.mark.parametrize(
    ("confidence", "errors"),
    [
        pytest.param(Fraction(19, 20), 1, id="it keeps met away"),
        pytest.param(None, 0, id="observed values alone: only said"),
    ],
)
def test_junit_has_a_case_for_it(confidence: Fraction | None, errors: int) -> None:
    """In error only where it changed a verdict."""
    text = FORMATS["junit"].render(_unsteady(confidence))
    (case,) = [
        case for suite in JUnitXml.fromstring(text.encode()) for case in suite if case.name == "steady"
    ]
    assert len(case.result) == errors
    assert DRIFT in (case.system_out or case.result[0].message)
