"""What a Locust file did not do: its exceptions come before any advice, and what never ran is named."""

import html
import io
from dataclasses import replace
from typing import Any

import pytest
from rich.console import Console

from slocheck.evidence.forbidden import ForbiddenConnection, forbidden_text
from slocheck.evidence.model import FileResult
from slocheck.grading.assess import assess
from slocheck.grading.assessment import Outcome
from slocheck.grading.report import Report
from slocheck.reporters import FORMATS
from slocheck.reporters.terminal.summary import render_summary
from tests.builders.evidence import HEALTH, make_evidence
from tests.builders.recordings import steady
from tests.builders.reports import graded
from tests.builders.specs import make_spec

SPEC = make_spec()
QUIET_SPEC = """\
service: shop
target: {url: "http://127.0.0.1:9"}
workload: {scenario: shop.py, users: 4, duration: 60s}
tiers: [gold]
objectives: {error_rate: {gold: "< 5%"}, latency_p95: {gold: "< 300ms"}}
gate: gold
"""


def console(report: Report) -> str:
    """Return what is printed without a terminal."""
    out = io.StringIO()
    render_summary(report, Console(file=out, width=80), {})
    return out.getvalue()


def plain(text: str) -> str:
    """Return a report's text without the escapes of its format."""
    return html.unescape(text).replace("\\", "").replace("\N{ZERO WIDTH SPACE}", "")


def test_users_that_an_exception_took_are_not_helped_by_a_longer_warm_up() -> None:
    """The advice is for users that were slow to start; what the scenario did to others is named instead."""
    few = replace(HEALTH, users=HEALTH.planned_users - 5)
    raising = replace(few, exceptions={"ValueError: no account (shop.py:7)": 5, "KeyError: 'x'": 1})
    leaving = replace(few, gone="a user ended itself: StopUser in shop.py:9")
    tolerant = replace(SPEC, validity=replace(SPEC.validity, max_exceptions=6))
    found = []
    for spec, health in ((SPEC, few), (tolerant, raising), (SPEC, raising), (SPEC, leaving)):
        findings = assess(spec, make_evidence(health=health)).findings
        (finding,) = [item for item in findings if item.code == "users"]
        assert not finding.valid
        found.append(finding.message.rpartition("; ")[2])
    assert found == [
        "a longer warm-up helps",
        "the scenario raised ValueError: no account (shop.py:7)",
        "fix the exceptions that the scenario raises",
        "a user ended itself: StopUser in shop.py:9",
    ]


REFUSED = ForbiddenConnection("login.example", "192.0.2.1", 443, 3)


@pytest.mark.parametrize(
    ("health", "cause"),
    [
        pytest.param({"file": FileResult(exit_code=3, exit_place="shop.py:9")}, "shop.py:9", id="exit code"),
        pytest.param({"exceptions": {"ValueError: x (shop.py:7)": 40}, "users": 1}, "shop.py:7", id="raises"),
        pytest.param(
            {
                "forbidden": (REFUSED,),
                "exceptions": {f"ForbiddenConnectionError: {forbidden_text([REFUSED])} (shop.py:7)": 3},
                "users": 1,
            },
            "--allow-target login.example",
            id="a refused host",
        ),
    ],
)
@pytest.mark.parametrize("format_name", ["console", "markdown", "junit"])
def test_one_cause_is_said_once(health: dict[str, Any], cause: str, format_name: str) -> None:
    """Findings that follow from it name it by code, and do not quote it again."""
    found = graded(QUIET_SPEC, steady(60, {100: 100}))
    evidence = replace(found.evidence, health=replace(found.evidence.health, **health))
    report = replace(found, evidence=evidence, assessment=assess(found.spec, evidence))
    text = console(report) if format_name == "console" else FORMATS[format_name].render(report)
    assert plain(text).count(cause) == 1, text


@pytest.mark.parametrize(
    ("health", "why"),
    [
        pytest.param({}, "its weight is too small for this many users or arrivals", id="too rare"),
        pytest.param({"gone": "StopUser"}, "its users failed or left, or the run ended", id="left"),
    ],
)
def test_a_user_class_that_never_ran_is_a_warning(health: dict[str, Any], why: str) -> None:
    """The verdict stands, but not for what that class does."""
    assessment = assess(SPEC, make_evidence(health=replace(HEALTH, idle_classes=("Buyer",), **health)))
    assert assessment.outcome is Outcome.PASS
    (warning,) = [item for item in assessment.warnings if item.code == "class-never-ran"]
    assert warning.text.startswith(f"Buyer never ran a task and was not measured: {why}")
