"""A rate in the closed model: what could have been served while users waited is unknown."""

import pytest

from slocheck.grading.assess import assess
from slocheck.grading.assessment import Verdict
from slocheck.indicators.measured_run import measured
from slocheck.indicators.samples import Rate
from tests.builders.evidence import make_evidence
from tests.builders.recordings import make_recording, make_slice
from tests.builders.specs import make_spec

STOPPED = make_evidence(make_recording([make_slice(t, {5: 0 if 20 <= t < 24 else 100}) for t in range(60)]))
"""A minute at 100/s in which nothing is sent or served for four seconds."""

USERS, RATE = "users: 10", "rate: 100/s"


def verdict(least: int, load: str) -> Verdict:
    """Grade the minute against a limit."""
    text = f'  rps_per_instance: {{silver: ">= {least}/s"}}\n'
    spec = make_spec(text, more="confidence: 95%\n", load=load)
    return assess(spec, STOPPED).objectives[0].levels[0].verdict


@pytest.mark.parametrize(
    ("least", "load", "expected"),
    [
        pytest.param(90, USERS, Verdict.UNDECIDED, id="just below the mean, in the closed model"),
        pytest.param(40, USERS, Verdict.MET, id="far below it"),
        pytest.param(95, USERS, Verdict.UNDECIDED, id="above it: more users might be served"),
        pytest.param(40, RATE, Verdict.MET, id="far below it, in the open model"),
    ],
)
def test_a_stop_that_users_wait_for_is_not_hidden(least: int, load: str, expected: Verdict) -> None:
    """The usual pace says what could have been served, and slow phases of twelve seconds are assumed."""
    assert verdict(least, load) is expected


@pytest.mark.parametrize(("load", "closed", "missed"), [(USERS, True, 400), (RATE, False, 0)])
def test_the_spec_says_whether_users_wait(load: str, closed: bool, missed: int) -> None:
    """In the open model what was sent is what was offered."""
    spec = make_spec('  rps_per_instance: {silver: ">= 90/s"}\n', load=load)
    objective = spec.objectives[0]
    sample = measured(STOPPED).client_sample(objective, objective.limits["silver"], spec)
    assert isinstance(sample, Rate)
    assert sample.slices is not None
    assert (sample.closed, sum(sample.slices.bad)) == (closed, missed)
