"""A machine that target and generator share, without CPU time to spare, may have caused any breach."""

from dataclasses import replace

import pytest

from slocheck.evidence.model import SharedMachine
from slocheck.grading.assess import assess
from slocheck.grading.assessment import Outcome
from tests.builders.evidence import HEALTH, make_evidence
from tests.builders.recordings import steady
from tests.builders.specs import make_spec

SPEC = make_spec()  # gate silver: p95 below 200 ms


@pytest.mark.parametrize(
    ("ms", "shared", "outcome", "text"),
    [
        pytest.param(260, None, Outcome.FAIL, "", id="not known"),
        pytest.param(260, SharedMachine(45, 2, 0.1), Outcome.FAIL, "", id="two bad seconds in 45"),
        pytest.param(
            260, SharedMachine(45, 30, 0.62), Outcome.INVALID, "used 62% of it; end them", id="others"
        ),
        pytest.param(
            260, SharedMachine(45, 45, 0.05), Outcome.INVALID, "too slow for this load", id="a slow machine"
        ),
        pytest.param(190, SharedMachine(45, 45, 0.62), Outcome.PASS, "", id="met all the same"),
    ],
)
def test_a_breach_on_a_busy_machine_is_not_the_targets(
    ms: float, shared: SharedMachine | None, outcome: Outcome, text: str
) -> None:
    """Invalid, with how busy it was and with what; what is met stays met, as an idle machine is no slower."""
    evidence = make_evidence(steady(60, {ms: 100}), health=replace(HEALTH, shared=shared))
    assessment = assess(SPEC, evidence)
    assert assessment.outcome is outcome
    named = [one for one in assessment.findings if one.code == "busy-machine"]
    assert bool(named) is bool(text)
    for one in named:
        assert text in one.message
        assert one.message in assessment.headline
