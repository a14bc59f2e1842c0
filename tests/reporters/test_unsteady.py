"""An unsteady window shows in every report."""

import html
import io
import json

import pytest
from junitparser import JUnitXml
from rich.console import Console

from slocheck.reporters import FORMATS
from slocheck.reporters.terminal.summary import render_summary
from tests.builders.reports import unsteady

DRIFT = (
    "unsteady: mean latency 59.6ms in the window's last 4 s, 29.2ms before; "
    "share of bad requests for latency_p95 < 200ms 3.59% in the window's last 4 s, 0.484% before"
)
EFFECT = "not counted as met, because the window's last part alone does not show it: latency_p95"


@pytest.mark.parametrize("name", ["html", "markdown", "json", "console"])
def test_the_drift_and_its_effect_are_shown(name: str) -> None:
    """What was seen, and which verdict depends on it."""
    if name == "console":
        out = io.StringIO()
        render_summary(unsteady(), Console(file=out, width=80), {})
        text = " ".join(out.getvalue().split())
    else:
        text = FORMATS[name].render(unsteady())
    plain = html.unescape(text).replace("\\", "")
    assert EFFECT in plain
    assert DRIFT.removeprefix("unsteady: ") in plain


def test_json_has_it_for_machines() -> None:
    """It is shown as a list of runs."""
    document = json.loads(FORMATS["json"].render(unsteady()))
    assert document["steady_states"] == [
        {"steady": False, "message": DRIFT, "suggested_warmup_s": None, "withheld": ["latency_p95"]}
    ]


@pytest.mark.parametrize(
    ("confidence", "errors"),
    [
        pytest.param(True, 1, id="it keeps met away"),
        pytest.param(False, 0, id="observed values alone: only said"),
    ],
)
def test_junit_has_a_case_for_it(errors: int, *, confidence: bool) -> None:
    """An error only if it changed a verdict."""
    text = FORMATS["junit"].render(unsteady(confidence=confidence))
    (case,) = [
        case for suite in JUnitXml.fromstring(text.encode()) for case in suite if case.name == "steady"
    ]
    assert len(case.result) == errors
    assert DRIFT in (case.system_out or case.result[0].message)
