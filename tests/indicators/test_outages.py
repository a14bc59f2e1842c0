"""Outages, and the verdict on a run in which the target was down for a while."""

import pytest

from slocheck.evidence.model import Ending
from slocheck.evidence.recording import FailureClass
from slocheck.grading.assess import assess
from slocheck.grading.assessment import Outcome
from slocheck.indicators.outages import requests_in_outages
from slocheck.spec.model import Spec
from tests.builders.evidence import make_evidence
from tests.builders.recordings import make_recording, make_slice
from tests.builders.specs import make_spec

MANY = "".join(
    f'  {name}: {{source: client, indicator: {kind}, silver: "{limit}"}}\n'
    for name, kind, limit in (
        ("up", "availability", "> 95%"),
        *((f"p{q}", f"latency_p{q}", "< 10s") for q in (10, 20, 30, 40, 50)),
    )
)


@pytest.mark.parametrize(
    ("sent", "unserved", "found"),
    [
        pytest.param([10] * 8, [0, 10, 10, 10, 10, 10, 0, 0], 50, id="five seconds"),
        pytest.param([10] * 8, [0, 10, 10, 10, 10, 0, 0, 0], 0, id="four seconds"),
        pytest.param([10] * 8, [0, 10, 10, 9, 10, 10, 10, 0], 0, id="one request was served meanwhile"),
        pytest.param([10, 10, 0, 0, 0, 10, 10], [0, 10, 0, 0, 0, 10, 0], 20, id="seconds without a request"),
        pytest.param([3] * 8, [3, 3, 3, 3, 3, 3, 0, 0], 0, id="too few requests"),
        pytest.param([0] * 8, [0] * 8, 0, id="nothing sent"),
        pytest.param([5] * 12, [5] * 5 + [0, 0] + [5] * 5, 50, id="two"),
    ],
)
def test_outages_are_long_and_total(sent: list[int], unserved: list[int], found: int) -> None:
    """Seconds in a row in which not one request was served."""
    assert requests_in_outages(sent, unserved) == found


def outcome(
    spec: Spec, up_s: int, down_s: int, *, failed: int = 50, ending: Ending = Ending.COMPLETE
) -> Outcome:
    """Grade a run with seconds in which `failed` of 50 requests fail."""
    good = [make_slice(second, {20: 50}) for second in range(up_s)]
    bad = [
        make_slice(second, {20: 50 - failed}, failures={FailureClass.REFUSED: failed}, statuses={0: failed})
        for second in range(up_s, up_s + down_s)
    ]
    return assess(spec, make_evidence(make_recording([*good, *bad]), ending=ending)).outcome


def test_a_target_that_was_down_breaks_its_availability() -> None:
    """Down for 31 % of the run, with five other objectives: proven, whatever the confidence."""
    spec = make_spec(MANY, more="confidence: 95%\n")
    assert outcome(spec, 31, 14) is Outcome.FAIL
    assert outcome(spec, 22, 10, ending=Ending.TARGET_DOWN) is Outcome.FAIL
    assert outcome(spec, 7, 5) is Outcome.FAIL
    assert outcome(spec, 31, 14, failed=30) is Outcome.UNDECIDED
    errors = make_spec('  error_rate: {silver: "< 20%"}\n', more="confidence: 95%\n")
    assert outcome(errors, 31, 14) is Outcome.FAIL
    loose = make_spec('  availability: {silver: "> 60%"}\n', more="confidence: 95%\n")
    assert outcome(loose, 31, 14) is Outcome.UNDECIDED


@pytest.mark.parametrize(
    ("bursts", "window_s", "down_s", "found"),
    [
        pytest.param("1s", 60, 5, Outcome.FAIL, id="far longer"),
        pytest.param("10s", 240, 22, Outcome.UNDECIDED, id="it may have been two"),
        pytest.param("10s", 240, 23, Outcome.FAIL, id="it lasted longer than two"),
        pytest.param("30s", 60, 14, Outcome.UNDECIDED, id="shorter"),
    ],
)
def test_an_outage_that_stated_bursts_explain_proves_nothing(
    bursts: str, window_s: int, down_s: int, found: Outcome
) -> None:
    """The spec says that such bursts come, so one in a window, or two in a row, prove nothing."""
    objective = '  up: {source: client, indicator: availability, silver: "> 95%"}\n'
    spec = make_spec(objective, more=f"confidence: {{level: 95%, bursts: {bursts}}}\n")
    assert outcome(spec, window_s - down_s, down_s) is found
