"""Unexpected responses: a few are a warning, many make the run invalid."""

from dataclasses import replace
from fractions import Fraction

import pytest

from slocheck.errors import UsageError
from slocheck.evidence.merge import OTHER_ENDPOINT
from slocheck.evidence.model import Ending, Evidence
from slocheck.evidence.recording import EndpointRecording, FailureClass, Recording, SliceCounts
from slocheck.evidence.series import ENDED_EARLY
from slocheck.grading.assess import assess
from slocheck.grading.assessment import Assessment, Outcome
from slocheck.grading.interim.early_stopping import decides
from slocheck.reporters.decision import reason_text
from slocheck.spec.model import Confidence, Endpoint, Spec
from tests.builders.evidence import make_evidence
from tests.builders.recordings import THRESHOLDS, make_slice
from tests.builders.specs import make_spec

ITEMS, ORDERS = Endpoint("GET", "/items"), Endpoint("GET", "/ordres")
UNEXPECTED, EXPECTATION = FailureClass.UNEXPECTED, FailureClass.EXPECTATION
SPEC = make_spec()
DECLARATIVE = replace(SPEC, workload=replace(SPEC.workload, scenario="orders.yaml"))


def second(
    t: int, *, ok: int = 0, more: dict[int, int] | None = None, failure: FailureClass = UNEXPECTED
) -> SliceCounts:
    """Return a second with these numbers of 200s and of other statuses, which count as `failure`."""
    others = more or {}
    failures = {failure: sum(others.values())} if others else {}
    return make_slice(t, {20: ok}, failures=failures, statuses={200: ok, **others})


def run_of(
    endpoints: dict[Endpoint, list[SliceCounts]], *, warmup_s: int = 0, ending: Ending = Ending.COMPLETE
) -> Evidence:
    """Return the evidence of a run with these endpoints' seconds."""
    recorded = tuple(EndpointRecording.of(endpoint, tuple(parts)) for endpoint, parts in endpoints.items())
    length = max(len(parts) for parts in endpoints.values()) - warmup_s
    return make_evidence(Recording(THRESHOLDS, recorded, (), warmup_s, length), ending=ending)


def finding(assessment: Assessment) -> tuple[bool, str]:
    """Return whether the check passed, and its message."""
    (found,) = [item for item in assessment.findings if item.code == "unexpected-responses"]
    return found.valid, found.message


def assessed(parts: list[SliceCounts], spec: Spec = SPEC) -> Assessment:
    """Grade a minute of one good endpoint and of GET /ordres as given."""
    good = [second(t, ok=100) for t in range(60)]
    return assess(spec, run_of({ITEMS: good, ORDERS: parts}))


PATH = "request the path that the redirect leads to, or list it under failures.redirects"


@pytest.mark.parametrize(
    ("more", "listed", "cure", "expect"),
    [
        pytest.param({404: 4}, "404", "fix the path", "404", id="a typo"),
        pytest.param({401: 4}, "401", "check the credentials", "401", id="no login"),
        pytest.param({301: 4}, "301", PATH, "301", id="a redirect to a login"),
        pytest.param({405: 4}, "405", "fix the request", "405", id="the wrong method"),
        pytest.param({404: 3, 410: 1}, "404 and 410", "fix the path", "[404, 410]", id="two statuses"),
    ],
)
def test_an_endpoint_that_sends_nothing_else_makes_the_run_invalid(
    more: dict[int, int], listed: str, cure: str, expect: str
) -> None:
    """Exit 4, with endpoint, count, status and what to do, however good the other endpoint is."""
    found = assessed([second(t, more=more) for t in range(60)], DECLARATIVE)
    message = (
        f"GET /ordres: 240 of 240 responses were {listed}; {cure}, or write `expect: {{status: {expect}}}`"
    )
    assert (found.outcome, found.exit_code) == (Outcome.INVALID, 4)
    assert finding(found) == (False, message)
    assert found.headline == f"The measurement is invalid: {message}."


def test_a_written_expectation_that_refuses_them_all_makes_the_run_invalid_too() -> None:
    """They are failures then, but no request did what it was meant to do."""
    found = assessed([second(t, more={404: 4}, failure=EXPECTATION) for t in range(60)], DECLARATIVE)
    assert found.exit_code == 4
    assert finding(found) == (False, "GET /ordres: 240 of 240 responses were 404; fix the path")


def test_a_locust_file_is_told_what_it_can_write() -> None:
    """A Locust file has no ``expect``."""
    valid, message = finding(assessed([second(t, more={404: 4}) for t in range(60)]))
    assert not valid
    assert message.endswith(
        "fix the path, mark the response as a success, or write `failures: {expected: [404]}`"
    )


@pytest.mark.parametrize(
    ("block", "unexpected", "valid"),
    [
        pytest.param("", 60, True, id="1 % is allowed"),
        pytest.param("", 61, False, id="more is not"),
        pytest.param('validity: {max_unexpected: "5%"}\n', 300, True, id="5 % allowed"),
        pytest.param('validity: {max_unexpected: "0%"}\n', 1, False, id="none allowed"),
    ],
)
def test_the_share_of_an_endpoints_responses_decides(block: str, unexpected: int, *, valid: bool) -> None:
    """6,000 responses of one endpoint; below the bound there is a warning, beyond it the run is invalid."""
    spec = make_spec('  error_rate: {silver: "< 10%"}\n', more=block)
    counts = [unexpected // 60 + (t < unexpected % 60) for t in range(60)]
    found = assessed([second(t, ok=100 - n, more={404: n} if n else {}) for t, n in enumerate(counts)], spec)
    assert finding(found)[0] is valid
    assert found.outcome is (Outcome.PASS if valid else Outcome.INVALID)
    warned = [item.text for item in found.warnings if item.code == "unexpected-responses"]
    assert len(warned) == valid
    if valid:
        assert f"GET /ordres: {unexpected} of 6,000 responses were 404" in warned[0]


def test_what_measured_something_else_cannot_breach() -> None:
    """No request per second was served, but that is not the target's fault; another endpoint's breach is."""
    served = make_spec('  rps_per_instance: {silver: ">= 400/s"}\n')
    assert assessed([second(t, more={404: 400}) for t in range(60)], served).outcome is Outcome.INVALID
    own = make_spec('  items: {indicator: latency_p95, endpoint: GET /items, silver: "< 10ms"}\n')
    assert assessed([second(t, more={404: 400}) for t in range(60)], own).outcome is Outcome.FAIL


@pytest.mark.parametrize(
    ("part", "valid"),
    [
        pytest.param(
            {"more": {429: 4}, "failure": FailureClass.STATUS}, True, id="429 is the target's doing"
        ),
        pytest.param({"more": {404: 3, 500: 1}, "failure": EXPECTATION}, True, id="one was dealt with"),
        pytest.param({"more": {404: 3, 0: 1}, "failure": EXPECTATION}, True, id="one without a response"),
        pytest.param({"ok": 1, "more": {404: 3}, "failure": EXPECTATION}, True, id="one was accepted"),
        pytest.param({"more": {404: 3, 302: 1}, "failure": EXPECTATION}, False, id="3xx and 4xx alone"),
    ],
)
def test_failures_that_a_scenario_expects_are_the_targets_unless_all_were_refused(
    part: dict[str, object], *, valid: bool
) -> None:
    """A written expectation that fails is a failure; if nothing was ever accepted, the run is invalid."""
    parts = [second(t, **part) for t in range(60)]  # type: ignore[arg-type]
    assert finding(assessed(parts))[0] is valid


def test_a_login_that_was_refused_in_the_warm_up_counts() -> None:
    """An endpoint without a response in the window is judged by those of the warm-up."""
    good = [second(t, ok=100) for t in range(70)]
    run = run_of({ITEMS: good, Endpoint("POST", "/login"): [second(0, more={401: 2})]}, warmup_s=10)
    valid, message = finding(assess(SPEC, run))
    assert not valid
    assert message.startswith("POST /login: 2 of 2 responses were 401; check the credentials")


def test_requests_that_the_file_ended_are_possibly_bad_and_too_many_are_invalid() -> None:
    """Six in 6,000 widen the bounds with a warning; two in a hundred are a run that measured too little."""
    few = assessed([second(t, ok=100, more={0: 1} if t % 10 == 0 else {}) for t in range(60)])
    assert finding(few) == (True, "6 of 12,006 responses unexpected")
    valid, message = finding(assessed([second(t, ok=98, more={0: 2}) for t in range(60)]))
    assert not valid
    assert message == (
        "GET /ordres: 120 of 6,000 requests were ended by the Locust file before a response came; "
        "let the client time out instead"
    )


def test_unexpected_responses_of_the_warm_up_alone_are_forgiven() -> None:
    """The window's responses decide if it has any."""
    parts = [second(t, more={404: 100}) if t < 10 else second(t, ok=100) for t in range(70)]
    assert finding(assess(SPEC, run_of({ITEMS: parts}, warmup_s=10))) == (
        True,
        "0 of 6,000 responses unexpected",
    )


def test_a_run_that_ended_early_for_them_is_invalid_whatever_came_later() -> None:
    """The window is empty, and no other finding is reported about it."""
    run = run_of(
        {ITEMS: [second(t, ok=1) for t in range(10)]}, warmup_s=10, ending=Ending.UNEXPECTED_RESPONSES
    )
    found = assess(SPEC, run)
    assert (found.outcome, found.exit_code) == (Outcome.INVALID, 4)
    assert [item.code for item in found.findings if not item.valid] == ["unexpected-responses"]


def test_an_early_end_is_said_once() -> None:
    """The finding says how much was measured, and no objective also asks for a longer run."""
    parts = [second(t, more={404: 4}) for t in range(9)]
    run = replace(run_of({ORDERS: parts}, ending=Ending.UNEXPECTED_RESPONSES), planned_window_s=10.0)
    sure = Confidence(Fraction(19, 20))
    found = assess(replace(SPEC, confidence=sure), run)
    assert finding(found)[1].endswith(
        "; the load was ended early because of it, with 9 of 10 s of the window measured"
    )
    both = make_spec(more='scrape: ["http://127.0.0.1:8000/metrics"]\n')
    of_both = assess(replace(both, confidence=sure), replace(run, server_error=ENDED_EARLY))
    for each in (found, of_both):
        levels = [result.shown for result in each.objectives]
        assert {reason_text(level, each.outcome) for level in levels} == {""}


@pytest.mark.parametrize(
    ("measured", "planned", "begins"),
    [
        (8, 8.0, "the window of 8 s is shorter than the 10 seconds that a verdict needs; raise"),
        (8, 20.0, "only 8 of 20 s of the window were measured; a verdict needs 10 seconds"),
        (19, 20.0, "only 19 of 20 s of the window were measured"),
    ],
)
def test_a_window_that_cannot_be_graded_says_so_first(measured: int, planned: float, begins: str) -> None:
    """The message begins with what is wrong, which the last line quotes."""
    run = replace(run_of({ITEMS: [second(t, ok=100) for t in range(measured)]}), planned_window_s=planned)
    (message,) = [item.message for item in assess(SPEC, run).findings if not item.valid]
    assert message.startswith(begins)


def test_no_interim_analysis_decides_a_run_that_measured_something_else() -> None:
    """With --until-decided such a run goes on, neither met nor breached."""
    good = run_of({ITEMS: [second(t, ok=100) for t in range(60)]})
    wrong = run_of({ITEMS: [second(t, ok=50, more={404: 50}) for t in range(60)]})
    assert [decides(0.2, SPEC, run) for run in (good, wrong)] == [True, False]


def test_requests_that_lost_their_names_are_warned_of() -> None:
    """Too many names are shown as one, and the report says so."""
    good = [second(t, ok=100) for t in range(60)]
    assessment = assess(SPEC, run_of({ITEMS: good, OTHER_ENDPOINT: good}))
    (warning,) = [item for item in assessment.warnings if item.code == "merged-names"]
    assert "more than 500 different names, so 6,000 requests" in warning.text


def test_another_rule_needs_another_run() -> None:
    """What was counted as unexpected cannot be expected afterwards."""
    run = run_of({ITEMS: [second(t, ok=100) for t in range(60)]})
    with pytest.raises(UsageError, match=r"failures\.expected: \[\], the spec says \['404'\]"):
        assess(make_spec(more="failures: {expected: [404]}\n"), run)
