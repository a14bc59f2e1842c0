"""Several runs as one sample."""

from dataclasses import replace
from fractions import Fraction

import pytest

from slocheck.evidence.recording import FailureClass, Recording
from slocheck.grading.assess import assess
from slocheck.grading.assessment import Outcome
from slocheck.indicators.pooling import pool, pool_recordings, pooled
from slocheck.indicators.samples import Display, NoData, Rate, Sample, Scalar, Share, Slices, shortfall
from tests.builders.evidence import make_evidence
from tests.builders.recordings import MS, make_recording, make_slice, steady
from tests.builders.specs import make_spec


def _share(bad: int, total: int, slices: int = 2) -> Share:
    part = Slices(
        (total // slices,) * slices, (bad // slices,) * slices, references=((bad // slices,) * slices,)
    )
    return Share(total, Fraction(bad, total), Fraction(bad, total), Display(0.1, 0.2), part)


def test_shares_are_weighed_by_their_size() -> None:
    """A run of 300 with 6 bad and one of 100 with none: 6 of 400; the runs stay apart."""
    together = pool([_share(6, 300, 3), _share(0, 100)])
    assert isinstance(together, Share)
    assert (together.total, together.low) == (400, Fraction(6, 400))
    assert together.slices == Slices(
        (100, 100, 100, 50, 50), (2, 2, 2, 0, 0), references=((2, 2, 2, 0, 0),), runs=(3, 2)
    )


@pytest.mark.parametrize(
    ("second", "limited"),
    [
        pytest.param(
            replace(_share(0, 100), high=Fraction(1, 2)), False, id="requests that are in no counter"
        ),
        pytest.param(_share(0, 100), True, id="nothing in doubt"),
        pytest.param(
            replace(_share(0, 100), high=Fraction(1, 2), bucket_limited=True), True, id="its bucket"
        ),
    ],
)
def test_a_pool_is_bucket_limited_only_where_no_run_has_another_doubt(
    second: Share, *, limited: bool
) -> None:
    """Otherwise the client would decide what it cannot know, and a limit would falsely be met."""
    first = replace(_share(0, 100), high=Fraction(1), bucket_limited=True)
    together = pool([first, second])
    assert isinstance(together, Share)
    assert together.bucket_limited is limited


@pytest.mark.parametrize(
    ("ratio", "shown"),
    [
        pytest.param(True, Display(0.25, 0.25), id="a ratio of all requests"),
        pytest.param(False, Display(0.0, 0.5), id="between the percentiles"),
    ],
)
def test_what_is_shown_of_a_pool_is_what_it_is_judged_by(shown: Display, *, ratio: bool) -> None:
    """Half of 100 requests and none of 100 others are a quarter of all."""
    runs = [replace(_share(bad, 100), display=Display(bad / 100, bad / 100)) for bad in (50, 0)]
    together = pool(runs, ratio=ratio)
    assert isinstance(together, Share)
    assert together.display == shown


def test_rates_are_weighed_by_their_length() -> None:
    """Two seconds at 10 and one at 40 are 20 a second."""
    slow = Rate(Fraction(10), Fraction(10), Fraction(10), Fraction(10), shortfall([10, 10]))
    fast = Rate(Fraction(40), Fraction(40), Fraction(40), Fraction(50), shortfall([40], [50]))
    together = pool([slow, fast])
    assert isinstance(together, Rate)
    assert (together.low, together.ceiling) == (Fraction(20), Fraction(70, 3))
    assert together.slices == Slices((10, 10, 50), (0, 0, 10), runs=(2, 1))


@pytest.mark.parametrize(
    "samples",
    [
        pytest.param([_share(0, 100), NoData("gone")], id="one run without data"),
        pytest.param([Scalar(Fraction(1)), Scalar(Fraction(2))], id="values of a query"),
    ],
)
def test_what_cannot_be_pooled_is_no_data(samples: list[Sample]) -> None:
    """Never an average of what is not there."""
    assert isinstance(pool(samples), NoData)


def test_windows_are_put_end_to_end_without_their_warm_ups() -> None:
    """Ten and twenty seconds of window make thirty; nothing of a warm-up is in them."""
    first = make_recording([make_slice(t, {900.0 if t < 5 else 20.0: 10}) for t in range(15)], warmup_s=5)
    together = pool_recordings([first, steady(20, {30: 10})])
    seconds = [part.second for item in together.endpoints for part in item.slices]
    assert (together.warmup_s, together.window_s, seconds) == (0, 30, list(range(30)))
    assert max(part.max_ns for item in together.endpoints for part in item.slices) == 30_000_000


@pytest.mark.parametrize(
    ("second", "common", "over"),
    [
        pytest.param((10, 100), (10, 100), [12, 4], id="the same"),
        pytest.param((10, 50, 100), (10, 100), [12, 4], id="one more"),
        pytest.param((5, 100), (100,), [4], id="as many, but others"),
        pytest.param((200,), (), [], id="none in common"),
    ],
)
def test_thresholds_that_every_run_counted_are_pooled(
    second: tuple[int, ...], common: tuple[int, ...], over: list[int]
) -> None:
    """Specs with other limits count against others; columns are matched by threshold, not by position."""

    def recorded(thresholds_ms: tuple[int, ...]) -> Recording:
        thresholds = tuple(edge * MS for edge in thresholds_ms)
        parts = [make_slice(t, {8: 1, 20: 2, 150: 1}, thresholds=thresholds) for t in range(2)]
        return replace(make_recording(parts), thresholds_ns=thresholds)

    together = pool_recordings([recorded((10, 100)), recorded(second)])
    assert together.thresholds_ns == tuple(edge * MS for edge in common)
    assert together.scope().total.over.tolist() == [over]


def test_three_runs_prove_what_one_cannot() -> None:
    """6,000 flawless requests do not prove 0.01 %; eight such runs do."""
    spec = make_spec('  error_rate: {silver: "< 0.01%"}\n', more="confidence: 95%\n")
    run = make_evidence(steady(60, {20: 100}))
    assert assess(spec, run).outcome is Outcome.UNDECIDED
    assert assess(spec, *[run] * 8).outcome is Outcome.PASS
    assert pooled([run] * 8).planned_window_s == 480


def test_one_invalid_run_makes_the_pool_invalid() -> None:
    """A pool is as good as its worst run, and says which one that is."""
    graded = assess(make_spec(), make_evidence(), make_evidence(planned_window_s=61.0))
    assert graded.outcome is Outcome.INVALID
    assert [check.message for check in graded.findings if not check.valid] == [
        "run 2: only 60 of 61 s of the window were measured"
    ]


def test_a_pool_of_closed_loops_is_one() -> None:
    """None of them shows what could have been served."""
    slices = shortfall([90, 100])
    closed = Rate(Fraction(95), Fraction(95), Fraction(95), Fraction(100), slices, closed=True)
    together = pool([closed, closed, closed])
    assert isinstance(together, Rate)
    assert together.closed


SLOW, FLAT = steady(120, {5: 50, 300: 50}), steady(120, {5: 100})
RESET_ONCE = make_recording(
    [
        make_slice(t, {5: 99}, failures={FailureClass.RESET: 1}) if t == 60 else make_slice(t, {5: 100})
        for t in range(120)
    ]
)


@pytest.mark.parametrize(
    ("recordings", "outcome"),
    [
        pytest.param([FLAT] * 5, Outcome.PASS, id="none near the limit"),
        pytest.param([FLAT] * 4 + [RESET_ONCE], Outcome.PASS, id="one request near it, in one of them"),
        pytest.param([SLOW] * 4 + [FLAT], Outcome.FAIL, id="all near it but one"),
    ],
)
def test_runs_are_pooled_whether_or_not_each_came_near_the_limit(
    recordings: list[Recording], outcome: Outcome
) -> None:
    """What lower limits say is kept for all of them, and counts if it counts for one."""
    spec = make_spec('  latency_p95: {silver: "< 200ms"}\n', more="confidence: 95%\n")
    assert assess(spec, *map(make_evidence, recordings)).outcome is outcome
