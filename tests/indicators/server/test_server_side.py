"""A run's series are parsed once, however many objectives and limits are graded on them."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import replace

import pytest

from slocheck.evidence.series import RawSeries, parse_boundary
from slocheck.grading.assess import assess
from slocheck.grading.validity.checks import check_run
from slocheck.indicators.measured_run import measured
from slocheck.indicators.server import server_side
from slocheck.indicators.server.growth import counters, scrape_targets
from slocheck.indicators.server.growth.counters import Growth
from slocheck.indicators.server.growth.scrape_targets import CleanSeries, ScrapeTarget
from slocheck.indicators.server.server_side import ServerSide
from slocheck.plan.series_queries import UP
from slocheck.plan.usage import CONTAINER_CPU
from tests.benchmarks.server_side import evidence, spec
from tests.builders.server.histories import PRESET, make_history
from tests.builders.server.series import server_series


def test_an_assessment_parses_each_series_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Eighteen limits, one cleaning a series, one search for targets, one growth a series and period."""
    cleaned: Counter[int] = Counter()
    grown: Counter[tuple[object, ...]] = Counter()
    searched = []

    def clean(series: RawSeries, types: Mapping[str, str]) -> CleanSeries:
        cleaned[id(series)] += 1
        return scrape_targets.clean(series, types)

    def growth(
        series: CleanSeries, target: ScrapeTarget, *, begin: float, end: float, load_start: float, whole: bool
    ) -> Growth:
        grown[id(series), begin, end, whole] += 1
        return counters.growth(series, target, begin=begin, end=end, load_start=load_start, whole=whole)

    def targets(series: tuple[CleanSeries, ...]) -> dict[str, ScrapeTarget]:
        searched.append(len(series))
        return scrape_targets.scrape_targets(series)

    monkeypatch.setattr(server_side, "clean", clean)
    monkeypatch.setattr(server_side, "growth", growth)
    monkeypatch.setattr(server_side, "scrape_targets", targets)
    run = evidence(instances=2, routes=3)
    assert run.server is not None
    assess(spec(), run)
    assert set(cleaned.values()) == {1}
    assert len(cleaned) == len(run.server.series)
    assert set(grown.values()) == {1}
    assert searched == [len(run.server.series)]


def test_an_assessment_parses_each_boundary_once() -> None:
    """However many series have it, and limits look for it."""
    run = evidence(instances=2, routes=3)
    assert run.server is not None
    parse_boundary.cache_clear()
    assess(spec(), run)
    written = {one.labels["le"] for one in run.server.series if "le" in one.labels}
    assert parse_boundary.cache_info().misses <= len({*written, ""})


@pytest.mark.parametrize("seed", range(12))
@pytest.mark.parametrize("warm_up", [0.0, 7.0])
def test_what_is_remembered_does_not_change_a_result(seed: int, warm_up: float) -> None:
    """A limit's sample is the same whether it is asked first or after all others."""
    series = make_history(seed).series
    server = replace(series, start=series.load_start + warm_up)
    run = replace(evidence(1, 1), server=server)
    graded = spec()
    shared = measured(run)
    asked = [(objective, limit) for objective in graded.objectives for limit in objective.limits.values()]
    for objective, limit in (*asked, *reversed(asked)):
        alone = measured(run).server_sample(objective, limit, graded)
        assert shared.server_sample(objective, limit, graded) == alone


def test_a_run_without_series_has_no_server_side() -> None:
    """The reason is what the source said."""
    run = measured(replace(evidence(1, 1), server=None, server_error="Prometheus went away"))
    graded = spec()
    sample = run.server_sample(graded.objectives[0], graded.objectives[0].limits["gold"], graded)
    assert (sample.reason, sample.source_failed) == ("Prometheus went away", True)  # type: ignore[union-attr]


def _halves(value: str | None) -> tuple[RawSeries, ...]:
    """Return a series of one label set, the second half of its samples with the label `e` too."""
    extra = {} if value is None else {"e": value}
    return (
        RawSeries("a_total", {"x": "1"}, (1.0, 2.0), (5.0, 6.0)),
        RawSeries("a_total", {**extra, "x": "1"}, (3.0, 4.0), (7.0, 9.0)),
    )


@pytest.mark.parametrize("value", [pytest.param("", id="empty"), pytest.param(None, id="absent")])
def test_an_empty_label_and_an_absent_one_are_one_series(value: str | None) -> None:
    """A series that gains an empty label goes on: nothing of it is counted twice, nothing is a new series."""
    (one,) = scrape_targets.one_each(_halves(value))
    assert one == RawSeries("a_total", {"x": "1"}, (1.0, 2.0, 3.0, 4.0), (5.0, 6.0, 7.0, 9.0))


def test_labels_with_values_and_other_metrics_stay_apart() -> None:
    """Series are joined only if they differ in nothing but empty labels."""
    apart = (*_halves("500"), RawSeries("b_total", {"x": "1"}, (1.0,), (1.0,)))
    assert scrape_targets.one_each(apart) == apart


@pytest.mark.parametrize("odd", [float("nan"), float("inf"), -1.0])
def test_a_series_is_cleaned_of_what_cannot_be(odd: float) -> None:
    """Samples come in order, one a moment, the last one given; a counter is finite and never below 0."""
    series = RawSeries("a_total", {}, (3.0, 1.0, 2.0, 1.0), (5.0, 1.0, odd, 2.0))
    found = scrape_targets.clean(series)
    assert (found.times, found.values) == ((1.0, 3.0), (2.0, 5.0))


def test_a_gauge_may_be_below_0() -> None:
    """Only a counter cannot."""
    assert scrape_targets.clean(RawSeries("celsius", {}, (1.0,), (-3.0,))).values == (-3.0,)


def _ups(scrapes: dict[float, float], instance: str = "a") -> RawSeries:
    return RawSeries(UP, {"job": "api", "instance": instance}, tuple(scrapes), tuple(scrapes.values()))


def test_the_gap_of_the_process_that_has_the_longest_is_named() -> None:
    """Another one was scraped all the time."""
    regular = dict.fromkeys((95.0, 105.0, 115.0, 125.0, 135.0), 1.0)
    series = server_series(_ups(regular), _ups({95.0: 1, 115.0: 0, 135.0: 1}, "b"), interval=10.0)
    assert ServerSide(series).scrape_gap.target == "api/b"


def test_a_renamed_job_covers_the_load_with_the_one_before_it() -> None:
    """Both count requests, so one may continue where the other ends."""
    old = RawSeries(
        PRESET.counter or "", {"job": "api", "instance": "a"}, (95.0, 105.0, 112.0), (0.0, 1.0, 2.0)
    )
    new = RawSeries(
        PRESET.counter or "", {"job": "api-v2", "instance": "b"}, (115.0, 125.0, 135.0), (0.0, 1.0, 2.0)
    )
    assert ServerSide(server_series(old, new, interval=10.0)).scrape_gap.seconds == 10
    assert ServerSide(server_series(old, interval=10.0)).scrape_gap.seconds == 18


def test_containers_that_are_scraped_less_often_leave_no_gap() -> None:
    """Their usage is only shown."""
    api = _ups(dict.fromkeys((95.0, 105.0, 115.0, 125.0, 135.0), 1.0))
    labels = {"job": "cadvisor", "instance": "node"}
    usage = RawSeries(CONTAINER_CPU, labels, (40.0, 100.0, 160.0), (0.0, 1.0, 2.0))
    assert ServerSide(server_series(api, usage, interval=10.0)).scrape_gap.intervals == 1


def test_failed_scrapes_make_the_run_invalid_and_are_said() -> None:
    """The finding has the process, the time and the failed scrapes."""
    times = {95.0: 1.0, **dict.fromkeys((105.0, 115.0, 125.0, 129.0), 0.0), 135.0: 1.0}
    run = replace(evidence(1, 1), server=server_series(_ups(times), interval=5.0))
    (found,) = (one for one in check_run(spec(), measured(run)) if one.code == "scrape-gaps")
    assert not found.valid
    assert "api/a was not scraped for 30.0 s (up was 0: 4 scrapes failed)" in found.message
