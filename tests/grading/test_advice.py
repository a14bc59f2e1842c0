"""What to change to prove the next tier."""

import pytest

from slocheck.grading.advice import advice
from slocheck.grading.assess import assess
from tests.builders.evidence import make_evidence
from tests.builders.recordings import steady
from tests.builders.specs import make_spec

RATE = '  rps_per_instance: {bronze: ">= 50/s", silver: ">= 200/s"}\n'
ERRORS = '  error_rate: {bronze: "< 1%", silver: "< 0.01%"}\n'
RARE = '  error_rate: {{bronze: "< 1%", silver: "< {}"}}\n'
CONFIDENT = "confidence: 95%\n"
LATENCY = '  latency_p95: {bronze: "< 500ms", silver: "< 10ms"}\n'


SERVER = '  {name}: {{source: prometheus, silver: "{limit}"}}\n'
NO_ERRORS = SERVER.format(name="error_rate", limit="< 1%")
TWO_MORE = SERVER.format(name="availability", limit="> 99%") + SERVER.format(name="latency_p95", limit="< 1s")
SCRAPE = 'scrape: ["http://127.0.0.1:8000/metrics"]\n'


@pytest.mark.parametrize(
    ("objectives", "more", "line"),
    [
        pytest.param(RATE, "", "silver needs: 22 users", id="twice the load and a tenth"),
        pytest.param(LATENCY, "", "silver needs: a better latency_p95", id="a breach"),
        pytest.param(
            ERRORS,
            "confidence: 95%\n",
            "silver needs: a window of 8m30s",
            id="longer",
        ),
        pytest.param(RARE.format("0.000059%"), CONFIDENT, "silver needs: a window of 23h51m", id="a day"),
        pytest.param(
            RARE.format("0.000058%"), CONFIDENT, "silver needs: a verdict on error_rate", id="more than a day"
        ),
        pytest.param(RATE + LATENCY, "", "silver needs: 22 users, a better latency_p95", id="both"),
        pytest.param(
            '  rps_per_instance: {bronze: ">= 50/s", silver: ">= 100/s"}\n',
            "confidence: 95%\n",
            "silver needs: 11 users",
            id="as much as the limit: more of it, and not a longer run",
        ),
        pytest.param(NO_ERRORS, SCRAPE, "silver needs: a verdict on error_rate", id="no data"),
        pytest.param(
            NO_ERRORS + TWO_MORE,
            SCRAPE,
            "silver needs: a verdict on error_rate, availability and 1 more",
            id="no data for several",
        ),
        pytest.param(
            '  latency_p95: {silver: "< 500ms"}\n',
            "",
            "every tier is met; there is nothing left to prove",
            id="the top",
        ),
    ],
)
def test_one_line_says_what_to_change(objectives: str, more: str, line: str) -> None:
    """A minute of 100 requests a second at 20 ms, by 10 users."""
    spec = make_spec(objectives, more=more)
    assert advice(assess(spec, make_evidence(steady(60, {20: 100}))), spec) == line


def test_the_advice_for_a_longer_run_holds() -> None:
    """A run of the advised length, otherwise the same, proves the tier."""
    spec = make_spec(ERRORS, more="confidence: 95%\n")
    assert assess(spec, make_evidence(steady(510, {20: 100}))).tier == "silver"


def test_a_load_in_arrivals_is_advised_in_arrivals() -> None:
    """Twice the peak rate and a tenth, in whole arrivals."""
    spec = make_spec(RATE, load="rate: 10/s")
    assert advice(assess(spec, make_evidence(steady(60, {20: 100}))), spec) == "silver needs: 22/s offered"
