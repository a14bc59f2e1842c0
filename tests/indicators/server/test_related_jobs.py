"""What other jobs show: the cache's counters, replicas."""

from dataclasses import replace
from fractions import Fraction

import pytest

from slocheck.evidence.series import RawSeries, ServerSeries
from slocheck.indicators.samples import NoData, Rate, Share
from slocheck.indicators.server.client_counts import ClientCounts
from slocheck.indicators.server.growth.selections import EVERYTHING
from slocheck.indicators.server.sample import instances_of, server_sample
from slocheck.indicators.server.server_side import ServerSide
from slocheck.plan.metric_plan import metric_plan
from slocheck.plan.series_queries import series_queries
from slocheck.spec.loader import parse_spec
from slocheck.spec.model import Spec
from tests.builders.server.histories import PRESET
from tests.builders.specs import make_spec

TIMES = (80.0, 90.0, 100.0, 110.0, 120.0, 130.0, 140.0)
REDIS = {"job": "redis", "instance": "r"}
HITS, MISSES = "redis_keyspace_hits_total", "redis_keyspace_misses_total"
HEAD = 'prometheus: {url: "http://127.0.0.1:9090", preset: prom-client, selector: {job: api}'
CACHE = f"cache: {{hits: {HITS}, misses: {MISSES}, selector: {{job: redis}}}}"
REPLICAS = "replicas: {selector: {deployment: api}}"
GAUGE = "kube_deployment_status_replicas_available"


def _spec(objective: str, beside: str) -> Spec:
    text = make_spec(objective, more=f"{HEAD}, {beside}}}\n").text
    counted = text.replace('8000"}', '8000", instances: prometheus}')
    return parse_spec(counted.encode(), "slo.yaml", environment={})


def _sample(spec: Spec, *series: RawSeries) -> object:
    server = ServerSide(ServerSeries("prometheus", PRESET, 100.0, 100.0, 130.0, series, 10.0))
    objective = spec.objectives[0]
    client = ClientCounts(300, 0, 300, 30.0)
    return server_sample(objective, objective.limits["silver"], spec=spec, server=server, client=client)


def _redis(metric: str, *values: float, labels: dict[str, str] | None = None) -> RawSeries:
    return RawSeries(metric, labels or REDIS, TIMES, values)


HIT_RATE = _spec('  cache_hit_rate: {silver: "> 50%"}\n', CACHE)


def test_the_cache_of_another_job_is_counted_exactly() -> None:
    """Only the series that the selector pins; a note says that others may use the cache."""
    other = _redis(HITS, *(0.0, *(9e6,) * 6), labels={"job": "another", "instance": "r"})
    sample = _sample(
        HIT_RATE, _redis(HITS, 50, 50, 50, 80, 110, 140, 140), _redis(MISSES, 7, 7, 7, 8, 9, 17, 17), other
    )
    assert isinstance(sample, Share)
    assert (sample.total, sample.low, sample.high) == (100, Fraction(10, 100), Fraction(10, 100))
    assert sample.notes == ("the cache counts the lookups of all its clients, not of this service alone",)


def test_hits_and_misses_are_paired_by_the_scrape_that_showed_them() -> None:
    """A series of misses that appears later has its first growth in its own slice, not in the first one."""
    page = RawSeries("up", REDIS, TIMES, (1.0,) * len(TIMES))
    misses = RawSeries(MISSES, REDIS, TIMES[4:], (30.0, 60.0, 60.0))
    sample = _sample(HIT_RATE, page, _redis(HITS, 50, 50, 50, 80, 80, 80, 80), misses)
    assert isinstance(sample, Share)
    assert sample.slices is not None
    assert (sample.slices.n, sample.slices.bad) == ((0, 30, 30, 30), (0, 0, 30, 30))


def test_look_ups_before_the_load_are_told() -> None:
    """Whoever else uses the cache is in the counters, too."""
    sample = _sample(
        HIT_RATE, _redis(HITS, 0, 30, 40, 80, 110, 140, 140), _redis(MISSES, 7, 7, 7, 8, 9, 17, 17)
    )
    assert isinstance(sample, Share)
    assert sample.notes[1] == "30 lookups came before the load: others use this cache"


@pytest.mark.parametrize(
    ("hits", "reason"),
    [
        pytest.param((50, 50, 50, 80, 3, 40, 40), "incomplete (reset)", id="the cache restarted"),
        pytest.param((50,) * 7, "counted no lookups in the window", id="nobody asked it"),
    ],
)
def test_what_the_counters_do_not_tell_is_no_data(hits: tuple[float, ...], reason: str) -> None:
    """Nothing is guessed, and 0 of 0 is not 100 %."""
    sample = _sample(HIT_RATE, _redis(HITS, *hits), _redis(MISSES, *(7.0,) * 7))
    assert isinstance(sample, NoData)
    assert reason in sample.reason


RPS = _spec('  rps_per_instance: {silver: ">= 1/s"}\n', REPLICAS)


def _traffic(instance: str) -> tuple[RawSeries, RawSeries]:
    labels = {"job": "api", "instance": instance}
    values = (0.0, 0.0, 0.0, 50.0, 100.0, 150.0, 150.0)
    return (
        RawSeries("http_requests_total", {**labels, "status_code": "200"}, TIMES, values),
        RawSeries("up", labels, TIMES, (1.0,) * 7),
    )


def test_replicas_count_as_instances_and_a_difference_is_said() -> None:
    """Three were there, two served: a third of the rate each, and the reader is told."""
    gauge = RawSeries(GAUGE, {"deployment": "api"}, TIMES, (3.0,) * 7)
    stray = RawSeries(GAUGE, {"deployment": "other"}, TIMES, (50.0,) * 7)
    sample = _sample(RPS, *_traffic("a"), *_traffic("b"), gauge, stray)
    assert isinstance(sample, Rate)
    assert sample.low == sample.high == Fraction(300, 30) / 3
    assert sample.notes == ("3 replicas were available, 2 instances show traffic",)


def test_replicas_that_agree_need_no_word() -> None:
    """A gauge that changes counts by its mean over the window."""
    gauge = RawSeries(GAUGE, {"deployment": "api"}, TIMES, (9.0, 9.0, 2.0, 2.0, 2.0, 2.0, 9.0))
    sample = _sample(RPS, *_traffic("a"), *_traffic("b"), gauge)
    assert isinstance(sample, Rate)
    assert sample.low == Fraction(300, 30) / 2
    assert sample.notes == ()


def test_a_gauge_without_a_sample_is_no_data() -> None:
    """A wrong selector does not count as one instance."""
    sample = _sample(RPS, *_traffic("a"))
    assert isinstance(sample, NoData)
    assert "replicas.selector" in sample.reason
    server = ServerSeries("prometheus", PRESET, 100.0, 100.0, 130.0, _traffic("a"), 10.0)
    assert isinstance(instances_of(RPS, ServerSide(server)), NoData)


def test_each_job_is_asked_by_its_own_labels() -> None:
    """The service's selector pins nothing of the others."""
    asked = {query.metric: query.matchers[0].value for query in series_queries(HIT_RATE, PRESET)}
    assert (asked[HITS], asked[MISSES]) == ("redis", "redis")
    assert {query.metric for query in series_queries(RPS, PRESET)} >= {GAUGE, "http_requests_total"}


@pytest.mark.parametrize(
    ("types", "restarted"),
    [
        pytest.param({"hits": "counter", "misses": "counter"}, True, id="counters"),
        pytest.param({}, False, id="unknown"),
    ],
)
def test_counters_without_total_are_known_by_their_type(types: dict[str, str], restarted: bool) -> None:
    """The misses fell: the hits, which have caught up since, began again at 0 as well."""
    series = (_redis("hits", 50, 50, 50, 80, 110, 140, 140), _redis("misses", 7, 7, 7, 8, 2, 3, 3))
    raw = ServerSeries("prometheus", PRESET, 100.0, 100.0, 130.0, series, 10.0, types=types)
    assert bool(ServerSide(raw).window_count("hits", EVERYTHING).flags) is restarted


def test_a_gauge_is_not_a_counter_whatever_its_name() -> None:
    """Replicas that become fewer are not a restart of the process that reports them."""
    gauge = _redis("replicas_total", 3, 3, 3, 2, 2, 1, 1)
    for types, seen in (({"replicas_total": "gauge"}, ()), ({}, ("redis/r",))):
        raw = ServerSeries("prometheus", PRESET, 100.0, 100.0, 130.0, (gauge,), 10.0, types=types)
        assert ("redis/r" in " ".join(ServerSide(raw).events)) is bool(seen)


def test_a_plan_knows_what_its_metrics_are_for() -> None:
    """The cache's metrics are counters and the replicas' a gauge; of others the declared type counts."""
    named = "cache: {hits: hits, misses: misses, selector: {job: redis}}, " + REPLICAS
    plan = metric_plan(_spec('  cache_hit_rate: {silver: "> 50%"}\n', named))
    assert plan is not None
    metrics = ("hits", "misses", GAUGE, "jobs", "level", "a_total", "b")
    declared = {"jobs": "counter", "level": "gauge", "a": "counter", "b": "untyped", "hits": "gauge"}
    assert plan.types_of(metrics, declared) == {
        "hits": "counter",
        "misses": "counter",
        GAUGE: "gauge",
        "jobs": "counter",
        "level": "gauge",
        "a_total": "counter",
    }


COUNTED = _spec('  rps_per_instance: {silver: ">= 1/s"}\n', "timeout: 9s")


def _named(one: RawSeries, **labels: str) -> RawSeries:
    """Return a series with other labels; an empty one is removed."""
    return replace(one, labels={key: value for key, value in {**one.labels, **labels}.items() if value})


@pytest.mark.parametrize(
    ("series", "reason"),
    [
        pytest.param(
            (_named(_traffic("a")[0], instance=""), _traffic("a")[1], _traffic("b")[1]),
            "http_requests_total has no label instance, and 2 targets are scraped",
            id="added up over instances",
        ),
        pytest.param(
            (
                _named(_traffic("fed")[0], exported_instance="a"),
                _named(_traffic("fed")[0], exported_instance="b"),
                _traffic("fed")[1],
            ),
            "http_requests_total has several values of exported_instance (a, b)",
            id="read from another Prometheus under one name",
        ),
    ],
)
def test_instances_that_share_a_name_are_not_counted_as_one(
    series: tuple[RawSeries, ...], reason: str
) -> None:
    """What several serve together is not what one serves; with their number written it is known."""
    sample = _sample(COUNTED, *series)
    assert isinstance(sample, NoData)
    assert sample.reason == f"{reason}: how many instances served is not known; write it as target.instances"
    written = replace(COUNTED, target=replace(COUNTED.target, instances=2))
    assert isinstance(_sample(written, *series), Rate)


def test_a_written_number_that_is_too_small_is_told() -> None:
    """Two processes show traffic, so each serves half of what the report says of one."""
    for number, notes in ((1, ("target.instances is 1, but 2 instances show traffic",)), (2, ()), (3, ())):
        spec = replace(COUNTED, target=replace(COUNTED.target, instances=number))
        sample = _sample(spec, *_traffic("a"), *_traffic("b"))
        assert isinstance(sample, Rate)
        assert sample.notes == notes


def test_a_single_target_without_its_name_is_one_instance() -> None:
    """Relabelling dropped the label from its series, and nothing else is scraped."""
    sample = _sample(COUNTED, _named(_traffic("a")[0], instance=""), _traffic("a")[1])
    assert isinstance(sample, Rate)
    assert sample.low == Fraction(150, 30)
