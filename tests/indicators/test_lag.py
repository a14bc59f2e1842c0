"""Lagging pages: by how much, when they have counted all, and that nothing of the warm-up is graded."""

from dataclasses import replace
from fractions import Fraction

import pytest

from slocheck.evidence.series import RawSeries, ServerSeries
from slocheck.indicators.lag import FEW_REQUESTS, measured_lag, server_side, settlement
from slocheck.indicators.samples import Rate, Share
from slocheck.indicators.server.client_counts import ClientCounts
from slocheck.plan.series_queries import UP
from tests.builders.server.lagging_histories import METRICS, make_lagging_history
from tests.builders.server.series import ERRORS, P95, SOURCE, counts, raw_series, sample_of, server_series, up
from tests.builders.specs import make_spec

HISTORIES = 80
EVERY_SECOND = tuple(float(time) for time in range(95, 137))


def test_the_truth_lies_within_the_bounds_of_every_page_that_is_behind() -> None:
    """Flushed each 1 s or 5 s, cached for 10 s, named or seen, with own times or without."""
    decided = 0
    for seed in range(HISTORIES):
        history = make_lagging_history(seed)
        for spec, bad in (
            (ERRORS, lambda r: r.status == 500),
            (P95, lambda r: r.seconds > 0.5 or r.status == 500),
        ):
            sample = sample_of(spec, history.series, history.client)
            assert isinstance(sample, Share)
            truth = Fraction(sum(map(bad, history.requests)), len(history.requests))
            assert sample.low <= truth <= sample.high, f"history {seed}: {spec.objectives[0].name}"
            assert history.background or sample.low == sample.high, f"history {seed}"
            decided += sample.low == sample.high
    assert decided > HISTORIES, "others use most of the services"


@pytest.mark.parametrize("seed", range(20))
def test_a_cold_start_is_not_cut_into_the_window(seed: int) -> None:
    """Every request of the warm-up takes 7 s, none of the window does: nothing of it is graded."""
    history = make_lagging_history(seed, cold=True)
    sample = sample_of(P95, history.series, history.client)
    assert isinstance(sample, Share)
    assert sample.low == 0
    assert history.background or sample.high == 0


@pytest.mark.parametrize("seed", range(40))
def test_a_lag_that_no_sample_shows_is_kept_out_of_the_window(seed: int) -> None:
    """If it is shorter than the scrape interval and unknown, a cold start is not graded."""
    history = make_lagging_history(seed, cold=True, hidden=True)
    sample = sample_of(P95, history.series, history.client)
    assert isinstance(sample, Share)
    assert sample.low == sample.high == 0


@pytest.mark.parametrize(
    ("early", "waited"),
    [
        pytest.param(0, 0.0, id="none of the warm-up"),
        pytest.param(FEW_REQUESTS, 0.0, id="those that were in flight"),
        pytest.param(FEW_REQUESTS + 1, 1.0, id="more than were in flight"),
    ],
)
def test_a_known_page_that_is_behind_shows_it_by_what_it_counts(early: int, waited: float) -> None:
    """A shipped preset names the lag; a window with more requests than were sent in it contradicts that."""
    counted = {at: 20.0 * min(max(0, at - 100), 30) for at in EVERY_SECOND}
    points = {at: count - early * (100 < at < 130) for at, count in counted.items()}
    raw = server_series(
        raw_series("http_requests_total", points, status_code="200"), up(*points), start=110.0, interval=1.0
    )
    raw = replace(raw, load_start=100.0, whole_from=131.0)
    assert server_side(raw, ClientCounts(600, 0, 400, 20.0)).hidden_lag == waited


def test_a_run_that_ended_in_its_warm_up_has_no_lag_to_keep_out() -> None:
    """There is no window, so nothing is divided by its length."""
    counted = {at: 20.0 * min(max(0, at - 100), 5) for at in EVERY_SECOND}
    raw = server_series(
        raw_series("http_requests_total", counted, status_code="200"), up(*counted), start=120.0, interval=1.0
    )
    raw = replace(raw, load_start=100.0, end=105.0, whole_from=131.0)
    assert server_side(raw, ClientCounts(100, 0, 0, 0.0, latencies={1000: 100})).hidden_lag == 0.0


def stepwise(period: int, rate: int, *, until: float = 136.0) -> dict[float, float]:
    """Return a counter of a load from 100 to 130 on a page that adds something each `period` seconds."""
    return {
        time: float(rate * min(max(0, time // period * period - 100), 30))
        for time in EVERY_SECOND
        if time <= until
    }


@pytest.mark.parametrize(
    ("points", "named", "lag"),
    [
        pytest.param(stepwise(1, 20), 0.0, 0, id="never behind"),
        pytest.param(stepwise(1, 20), 5.0, 5, id="the preset names it"),
        pytest.param(stepwise(5, 20), 0.0, 6, id="flushed each 5 s"),
        pytest.param(stepwise(5, 1), 0.0, 0, id="so few requests that it may be chance"),
        pytest.param(
            {
                time: 20.0 * min(max(0, time - 100 if time < 110 else max(10, time - 120)), 30)
                for time in EVERY_SECOND
            },
            0.0,
            0,
            id="one stall",
        ),
    ],
)
def test_the_lag_is_what_the_page_shows_again_and_again(
    points: dict[float, float], named: float, lag: float
) -> None:
    """A page that adds something at every fifth scrape is up to 5 s behind, and a scrape."""
    raw = server_series(
        raw_series("http_requests_total", points, status_code="200"), up(*EVERY_SECOND), interval=1.0
    )
    assert measured_lag(lagging(raw, named), METRICS) == lag


def lagging(raw: ServerSeries, named: float) -> ServerSeries:
    """Return the series with a preset that names a lag."""
    return replace(raw, preset=replace(raw.preset, lag=named))


@pytest.mark.parametrize(
    ("points", "sent", "named", "whole"),
    [
        pytest.param(stepwise(1, 20, until=131), 600, 0.0, True, id="all is counted"),
        pytest.param(stepwise(5, 20, until=129), 600, 0.0, None, id="no page after the load"),
        pytest.param(stepwise(1, 20, until=130), 603, 0.0, False, id="three are missing"),
        pytest.param(stepwise(1, 20, until=132), 603, 0.0, True, id="and do not come"),
        pytest.param(stepwise(1, 20, until=132), 603, 5.0, False, id="but might, says the preset"),
        pytest.param(stepwise(5, 20, until=134), 603, 0.0, False, id="or the longest flush"),
        pytest.param(stepwise(5, 20, until=136), 603, 0.0, True, id="after which they do not come"),
    ],
)
def test_waiting_ends_when_nothing_can_be_missing(
    points: dict[float, float], sent: int, named: float, whole: bool | None
) -> None:
    """Counts that agree, or no growth for longer than the page needs."""
    raw = server_series(
        raw_series("http_requests_total", points, status_code="200"), up(*points), interval=1.0
    )
    found = settlement(lagging(raw, named), frozenset({"http_requests_total"}), sent=sent, limit=63.0)
    assert found.whole is bool(whole)
    assert (found.reached is None) == (whole is None)


@pytest.mark.parametrize(("failed", "whole"), [(2, False), (3, True)])
def test_a_target_that_is_down_is_not_waited_for(failed: int, whole: bool) -> None:
    """After some failed scrapes since the load nothing more can come; no page was read after it."""
    scrapes = {float(time): 1.0 for time in range(95, 128)}
    ups = scrapes | {130.0 + number: 0.0 for number in range(failed)}
    raw = server_series(
        raw_series("http_requests_total", {time: time for time in scrapes}, status_code="200"),
        RawSeries(UP, {"job": "api", "instance": "a"}, tuple(ups), tuple(ups.values())),
        interval=1.0,
    )
    found = settlement(raw, frozenset({"http_requests_total"}), sent=600, limit=63.0)
    assert (found.whole, found.reached) == (whole, None)


def test_a_page_that_goes_on_growing_is_not_whole() -> None:
    """It says how far it was, and what to write."""
    times = tuple(float(time) for time in range(95, 195))
    points = {time: 2.0 * max(0, time - 100) for time in times}
    raw = server_series(
        raw_series("http_requests_total", points, status_code="200"), up(*times), interval=1.0
    )
    found = settlement(raw, frozenset({"http_requests_total"}), sent=600, limit=63.0)
    assert not found.whole
    assert "still growing 64 s after the load, at 188 of 600 requests: name the page's lag" in found.reason


def test_a_rate_of_a_page_that_is_behind_has_bounds() -> None:
    """What was counted between two scrapes was served in that time, give or take the lag."""
    spec = make_spec('  rps_per_instance: {bronze: ">= 10/s"}\n', more=SOURCE, gate="bronze")
    raw = server_series(
        raw_series("http_requests_total", stepwise(5, 20), status_code="200"), up(*EVERY_SECOND), interval=1.0
    )
    sample = sample_of(spec, replace(lagging(raw, 5.0), lag=5.0), counts(600))
    assert isinstance(sample, Rate)
    assert sample.low < 20 < sample.high
