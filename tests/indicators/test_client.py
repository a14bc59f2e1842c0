"""The client side's samples: exact if counted, as bounds if not."""

from fractions import Fraction
from math import inf, isinf

import pytest
from hypothesis import given
from hypothesis import strategies as st

from slocheck.evidence.recording import FailureClass, Recording
from slocheck.indicators.client import ClientSide, client_sample
from slocheck.indicators.samples import NoData, Rate, Share
from slocheck.spec.model import Spec
from tests.builders.recordings import make_recording, make_slice, steady
from tests.builders.specs import make_spec


def _sample(
    spec: Spec, recording: Recording, instances: Fraction | NoData = Fraction(1)
) -> Share | Rate | NoData:
    """Return the sample of the first objective at its first limit."""
    objective = spec.objectives[0]
    limit = next(iter(objective.limits.values()))
    return client_sample(
        objective, limit, spec=spec, client=ClientSide(recording), instances=lambda: instances
    )


def _share(spec: Spec, recording: Recording) -> Share:
    sample = _sample(spec, recording)
    assert isinstance(sample, Share), sample
    return sample


P95 = make_spec('  latency_p95: {silver: "< 200ms"}\n')


@pytest.mark.parametrize(
    ("ms", "bad"),
    [
        pytest.param(199.999999, 0, id="just under"),
        pytest.param(200.0, 100, id="on the limit: strict"),
        pytest.param(200.000001, 100, id="just over"),
    ],
)
def test_a_latency_on_the_limit_is_bad(ms: float, bad: int) -> None:
    """The limit `< 200ms` is counted to the nanosecond."""
    sample = _share(P95, steady(10, {ms: 10}))
    assert sample.low == sample.high == Fraction(bad, 100)


def test_a_failed_request_is_bad_for_latency() -> None:
    """However fast it failed, and the percentile among failures is unbounded."""
    sample = _share(P95, steady(10, {1: 9}, failures={FailureClass.RESET: 1}))
    assert sample.low == Fraction(1, 10)
    assert sample.display.high is not None
    assert isinf(sample.display.high)


def test_a_limit_that_was_not_counted_comes_as_bounds() -> None:
    """A later spec's limit is read off the histogram, whose bucket straddles it."""
    spec = make_spec('  latency_p95: {silver: "< 150ms"}\n')
    sample = _share(spec, steady(10, {150.0: 5, 149.9: 5, 10.0: 90}))
    assert sample.low <= Fraction(5, 100) <= sample.high
    assert sample.low < sample.high
    assert sample.notes


def test_only_the_window_counts() -> None:
    """Slow requests of the warm-up and of the drain are left out."""
    slices = [make_slice(t, {400.0 if t < 5 or t >= 15 else 10.0: 10}) for t in range(20)]
    sample = _share(P95, make_recording(slices, warmup_s=5, window_s=10))
    assert (sample.total, sample.high) == (100, Fraction(0))
    assert sample.slices is not None
    assert len(sample.slices.n) == 10


def test_seconds_without_a_request_are_slices_too() -> None:
    """A gap in the traffic is not closed up."""
    sample = _share(P95, make_recording([make_slice(0, {1: 1}), make_slice(9, {1: 1})], window_s=10))
    assert sample.slices is not None
    assert sample.slices.n == (1, 0, 0, 0, 0, 0, 0, 0, 0, 1)


@pytest.mark.parametrize(
    ("objective", "value"),
    [
        pytest.param('  error_rate: {silver: "< 1%"}\n', 0.2, id="errors"),
        pytest.param('  availability: {silver: "> 1%"}\n', 0.9, id="availability"),
    ],
)
def test_shares_of_failed_and_unserved_requests(objective: str, value: float) -> None:
    """A 500 is an error and was served; a refused connection is neither."""
    recording = steady(
        10,
        {1: 8},
        failures={FailureClass.STATUS: 1, FailureClass.REFUSED: 1},
        statuses={200: 8, 500: 1, 0: 1},
    )
    assert _share(make_spec(objective), recording).display.low == pytest.approx(value)


def test_the_generators_own_failures_are_no_word_on_the_target() -> None:
    """They are taken out of the total, not counted as good or bad, even if they have a status."""
    for statuses in ({200: 9, 0: 1}, {200: 10}):
        recording = steady(10, {1: 9}, failures={FailureClass.GENERATOR: 1}, statuses=statuses)
        for objective in ('error_rate: {silver: "< 1%"}', 'availability: {silver: "> 99%"}'):
            sample = _share(make_spec(f"  {objective}\n"), recording)
            assert (sample.total, sample.low, sample.high) == (90, Fraction(0), Fraction(0))


def test_cache_hits_are_a_share_of_the_responses_that_told() -> None:
    """Responses without the header count for nothing."""
    spec = make_spec('  cache_hit_rate: {silver: "> 90%"}\n')
    sample = _share(spec, steady(10, {1: 50}, cache=(9, 1)))
    assert (sample.total, sample.display.low) == (100, 0.9)


def test_a_request_that_failed_may_have_been_a_miss() -> None:
    """A target that times out on each miss does not get a better hit rate that way."""
    spec = make_spec('  cache_hit_rate: {silver: "> 90%"}\n')
    failures = {FailureClass.TIMEOUT: 2}
    sample = _share(spec, steady(10, {1: 10}, cache=(10, 0), failures=failures))
    assert (sample.total, sample.low, sample.high) == (120, Fraction(0), Fraction(1, 6))
    assert (sample.display.low, sample.notes) == (1.0, ("20 failed requests may have been cache misses",))


def test_no_cache_header_is_no_data() -> None:
    """Nothing over nothing is not 100 %."""
    sample = _sample(make_spec('  cache_hit_rate: {silver: "> 90%"}\n'), steady(10, {1: 50}))
    assert isinstance(sample, NoData)
    assert "x-cache" in sample.reason


def test_the_rate_counts_successes_per_instance() -> None:
    """Failures were offered but not served."""
    spec = make_spec('  rps_per_instance: {silver: ">= 100/s"}\n')
    sample = _sample(spec, steady(10, {1: 90}, failures={FailureClass.RESET: 10}), Fraction(2))
    assert isinstance(sample, Rate)
    assert (sample.low, sample.offered) == (Fraction(45), Fraction(50))


def test_an_endpoint_that_nobody_asked_says_what_was_meant() -> None:
    """A misspelt endpoint means no data, with a suggestion, never a pass."""
    spec = make_spec('  x: {indicator: latency_p95, endpoint: "GET /item/{id}", silver: "< 1s"}\n')
    sample = _sample(spec, steady(10, {1: 1}))
    assert isinstance(sample, NoData)
    assert "did you mean 'GET /items/{id}'" in sample.reason


def test_an_empty_window_is_no_data() -> None:
    """All was sent during the warm-up."""
    sample = _sample(P95, make_recording([make_slice(0, {1: 5})], warmup_s=5, window_s=10))
    assert sample == NoData("no request was sent in the window")


@given(
    st.lists(st.integers(0, 2_000_000_000), min_size=1, max_size=200),
    st.integers(0, 5),
    st.sampled_from(["50", "95", "99", "99.9"]),
)
def test_the_percentile_shown_never_contradicts_the_count(
    latencies: list[int], failed: int, percentile: str
) -> None:
    """If the displayed percentile is surely below the limit so are enough requests, and the reverse."""
    spec = make_spec(f'  latency_p{percentile}: {{silver: "< 200ms"}}\n')
    counts: dict[float, int] = {}
    for ns in latencies:
        counts[ns / 1e6] = counts.get(ns / 1e6, 0) + 1
    sample = _share(spec, steady(1, counts, failures={FailureClass.RESET: failed}))
    quantile = spec.objectives[0].indicator.quantile
    assert quantile is not None
    good_enough = (1 - sample.high) * sample.total >= -(-quantile * sample.total // 1)
    assert sample.display.low is not None
    assert sample.display.high is not None
    if sample.display.high < 0.2:
        assert good_enough
    if sample.display.low >= 0.2 or sample.display.low == inf:
        assert not good_enough


@pytest.mark.parametrize(
    ("limit", "edges_ms"),
    [
        pytest.param("100ms", [10, 20, 50], id="down to a tenth"),
        pytest.param("99ms", [10, 20, 50], id="no lower than a tenth"),
        pytest.param("101ms", [20, 50, 100], id="a tenth itself is not reached"),
        pytest.param("1ms", [], id="nothing below"),
    ],
)
def test_references_lie_near_the_limit(limit: str, edges_ms: list[int]) -> None:
    """The clustering of a tail is taken from latencies of its own kind."""
    spec = make_spec(f'  latency_p95: {{silver: "< {limit}"}}\n')
    # a request on each edge, so that the counts tell the edges apart
    recording = steady(10, dict.fromkeys((1, 2, 5, 10, 20, 50, 100, 200, 500, 1000), 1))
    slices = _share(spec, recording).slices
    assert slices is not None
    counts = [10 - (1, 2, 5, 10, 20, 50, 100, 200, 500, 1000).index(ms) for ms in edges_ms]
    assert [reference[0] for reference in slices.references] == counts


def _unexpected(ok: int, unexpected: int, failed: int) -> Recording:
    """Return ten seconds with so many successes of 20 ms, unexpected responses and failures each."""
    failures = {FailureClass.UNEXPECTED: unexpected, FailureClass.TIMEOUT: failed}
    return steady(10, {20: ok}, failures=failures, statuses={200: ok, 404: unexpected, 0: failed})


@pytest.mark.parametrize(
    ("objective", "low", "high"),
    [
        pytest.param('  error_rate: {silver: "< 1%"}\n', Fraction(1, 10), Fraction(3, 10), id="error rate"),
        pytest.param('  latency_p95: {silver: "< 200ms"}\n', Fraction(1, 10), Fraction(3, 10), id="counted"),
        pytest.param('  latency_p95: {silver: "< 199ms"}\n', Fraction(1, 10), Fraction(3, 10), id="read off"),
        pytest.param(
            '  availability: {silver: "> 99%"}\n', Fraction(1, 10), Fraction(1, 10), id="availability"
        ),
    ],
)
def test_unexpected_responses_are_possibly_bad_and_were_served(
    objective: str, low: Fraction, high: Fraction
) -> None:
    """7 of 10 are fine, one failed, two had a status that neither spec nor scenario names."""
    sample = _share(make_spec(objective), _unexpected(7, 2, 1))
    assert (sample.total, sample.low, sample.high) == (100, low, high)
    assert sample.slices is not None
    assert (sample.slices.bad_upper is None) == (low == high)
    assert ("20 responses have an unexpected status" in " ".join(sample.notes)) == (low != high)


def test_a_percentile_ranks_unexpected_responses_first_and_last() -> None:
    """The median of 5 fine and 5 unexpected responses is anything up to what the fine ones took."""
    median = make_spec('  latency_p50: {silver: "< 200ms"}\n')
    sample = _share(median, _unexpected(5, 5, 0))
    assert sample.display.low == 0
    assert sample.display.high == pytest.approx(0.02, rel=0.01)
    assert isinf(_share(median, _unexpected(4, 6, 0)).display.high or 0)


def test_unexpected_responses_were_offered_and_not_served() -> None:
    """Requests per second and instance count successes; what was offered counts all."""
    sample = _sample(make_spec('  rps_per_instance: {silver: ">= 7/s"}\n'), _unexpected(7, 2, 1))
    assert isinstance(sample, Rate)
    assert [sample.low, sample.high, sample.offered] == [7, 7, 10]
