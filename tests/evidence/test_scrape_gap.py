"""The longest time without a scrape, of one process and of several that serve together."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from slocheck.evidence.scrape_gap import EVERY_TARGET, ScrapeTimes, longest_gap, usual_interval

BEGIN, END = 100.0, 130.0


def scraped(*good: float, failed: tuple[float, ...] = (), target: str = "api/a") -> ScrapeTimes:
    """Return a process that is scraped every ten seconds as a rule."""
    return ScrapeTimes(target, good, failed, 10.0)


REGULAR = scraped(95, 105, 115, 125, 135, target="api/b")


@pytest.mark.parametrize(
    ("times", "seconds", "failed"),
    [
        pytest.param(scraped(95, 105, 115, 125, 135), 10, 0, id="regular"),
        pytest.param(scraped(95, 135, failed=(105, 115, 125)), 30, 3, id="every scrape failed"),
        pytest.param(scraped(95, 135), 30, 0, id="the source was away"),
        pytest.param(scraped(95, 105, 135, failed=(115, 125)), 25, 2, id="from the middle to after the end"),
        pytest.param(scraped(95, 105, failed=(115, 125)), 25, 2, id="from the middle, and never again"),
        pytest.param(scraped(85, 115, 125, 135, failed=(95, 105)), 15, 1, id="from before the begin"),
        pytest.param(scraped(115, 125, 135), 10, 0, id="a pod that came later"),
        pytest.param(scraped(95, 105), 5, 0, id="a pod that is gone"),
        pytest.param(scraped(95, 105, failed=(108,)), 5, 0, id="one that was down before its removal"),
    ],
)
def test_the_gap_of_one_process_among_others(times: ScrapeTimes, seconds: float, failed: int) -> None:
    """It counts while the process is a target, not before it was added and not after it was removed."""
    gap = times.gap(BEGIN, END)
    assert (gap.seconds, gap.failed, gap.intervals) == (seconds, failed, seconds / 10)
    assert longest_gap([times, REGULAR], BEGIN, END).seconds == max(seconds, 10)


@pytest.mark.parametrize(
    ("members", "seconds", "target"),
    [
        pytest.param([scraped(95, 105)], 25, "api/a", id="nothing after the middle"),
        pytest.param([scraped(115, 125, 135)], 15, "api/a", id="nothing before the middle"),
        pytest.param([scraped()], 30, "api/a", id="nothing at all"),
        pytest.param([scraped(95, 105), scraped(105, target="api/b")], 25, EVERY_TARGET, id="all of them"),
        pytest.param(
            [scraped(95, 105), scraped(112, 122, 132, target="api/b")], 10, EVERY_TARGET, id="redeploy"
        ),
    ],
)
def test_one_of_them_is_scraped_at_each_moment(
    members: list[ScrapeTimes], seconds: float, target: str
) -> None:
    """The processes of a job together cover the period from its first moment to its last."""
    gap = longest_gap(members, BEGIN, END)
    assert (gap.seconds, gap.target) == (seconds, target)


def test_what_is_read_before_the_window_need_not_have_been_there() -> None:
    """A range that begins before the service did has no gap; the window has to be covered."""
    young = scraped(95, 105, 115, 125, 135)
    assert longest_gap([young], 40.0, END, whole_from=BEGIN).seconds == 10
    assert longest_gap([young], 40.0, END).seconds == 55


def test_a_gap_says_what_did_not_happen() -> None:
    """Process, time, and failed scrapes."""
    gap = scraped(95, 135, failed=(105, 115, 125)).gap(BEGIN, END)
    assert gap.text == "api/a was not scraped for 30.0 s (up was 0: 3 scrapes failed)"


@pytest.mark.parametrize(
    ("times", "interval"),
    [((), 0.0), ((1.0,), 0.0), ((0.0, 5.0, 45.0), 5.0), ((0.0, 5.0, 10.0, 15.0, 60.0, 65.0, 70.0), 5.0)],
)
def test_a_gap_does_not_pass_for_the_usual_interval(times: tuple[float, ...], interval: float) -> None:
    """With few moments, the shortest distance counts as usual."""
    assert usual_interval(times) == interval


moments = st.lists(st.floats(50, 180, allow_nan=False), max_size=20, unique=True).map(sorted).map(tuple)


@given(moments, st.floats(100, 129), st.floats(0.5, 30))
def test_lost_scrapes_never_shorten_the_gap(good: tuple[float, ...], begin: float, length: float) -> None:
    """A fault of the source, wherever it begins and ends, can only make the longest gap longer."""
    fewer = tuple(time for time in good if not begin <= time <= begin + length)
    whole, less = (longest_gap([scraped(*times)], BEGIN, END).seconds for times in (good, fewer))
    assert less >= whole
