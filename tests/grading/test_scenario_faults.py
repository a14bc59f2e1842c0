"""What a Locust file did not do: its exceptions come before any advice, and what never ran is named."""

from dataclasses import replace

from slocheck.grading.assess import assess
from slocheck.grading.assessment import Outcome
from tests.builders.evidence import HEALTH, make_evidence
from tests.builders.specs import make_spec

SPEC = make_spec()


def test_users_that_an_exception_took_are_not_helped_by_a_longer_warm_up() -> None:
    """The advice is for users that were slow to start; what the scenario did to others is named instead."""
    few = replace(HEALTH, users=HEALTH.planned_users - 5)
    raising = replace(few, exceptions={"ValueError: no account (shop.py:7)": 5, "KeyError: 'x'": 1})
    leaving = replace(few, gone="a user ended itself: StopUser in shop.py:9")
    found = []
    for health in (few, raising, leaving):
        findings = assess(SPEC, make_evidence(health=health)).findings
        (finding,) = [item for item in findings if item.code == "users"]
        assert not finding.valid
        found.append(finding.message.rpartition("; ")[2])
    assert found == [
        "a longer warm-up helps",
        "the scenario raised ValueError: no account (shop.py:7)",
        "a user ended itself: StopUser in shop.py:9",
    ]


def test_a_user_class_that_never_ran_is_a_warning() -> None:
    """The verdict stands, but not for what that class does."""
    assessment = assess(SPEC, make_evidence(health=replace(HEALTH, idle_classes=("Buyer",))))
    assert assessment.outcome is Outcome.PASS
    (warning,) = [item for item in assessment.warnings if item.code == "class-never-ran"]
    assert warning.text.startswith("Buyer never ran a task")
