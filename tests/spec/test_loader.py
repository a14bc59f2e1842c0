"""The loader: a good spec in full, and each problem with its place, what was found, what to write."""

from dataclasses import fields, replace
from fractions import Fraction
from pathlib import Path

import pytest

from slocheck.documents.position import Position
from slocheck.documents.units import ComparisonOperator
from slocheck.errors import SpecError, UsageError
from slocheck.spec.blocks.metric_source.preset import shipped_preset
from slocheck.spec.blocks.metric_source.prometheus import PrometheusSource
from slocheck.spec.blocks.metric_source.scrape import ScrapeSource
from slocheck.spec.blocks.metric_source.sources import block_names
from slocheck.spec.blocks.validity import VALIDITY_KEYS
from slocheck.spec.loader import load_spec, parse_spec
from slocheck.spec.model import (
    AUTO,
    CacheRule,
    Confidence,
    Endpoint,
    FailureRule,
    Indicator,
    IndicatorKind,
    Limit,
    Reduce,
    SourceChoice,
    Target,
    Workload,
)
from slocheck.spec.model.validity import ValidityLimits
from tests.builders.good_spec import GOOD, Broken, good, problems_of
from tests.spec.broken.objectives import OBJECTIVES
from tests.spec.broken.values import LOADS, SHAPES, VALUES, WORKLOADS

PROMETHEUS = GOOD[GOOD.index("prometheus:") : GOOD.index("workload:")]
QUERY = GOOD[GOOD.index("  queue:") : GOOD.index("gate:")]


def test_a_good_spec_becomes_typed_values_in_base_units() -> None:
    """Every block of the spec is read with exact values and its position."""
    spec = good()
    assert spec.text == GOOD
    assert spec.service == "shop-api"
    assert spec.target == Target("http://127.0.0.1:8000", 2)
    assert spec.metric_source == PrometheusSource(
        url="http://127.0.0.1:9090",
        preset=shipped_preset("prom-client"),
        selector={"job": "shop-api"},
        position=Position(5, 1),
    )
    assert spec.workload == Workload("scenarios/browse.py", 100, 50.0, 5.0, 30.0, Position(10, 1))
    assert (spec.tiers, spec.gate) == (("bronze", "silver", "gold"), "silver")
    assert spec.confidence == Confidence(Fraction(19, 20))
    assert spec.failures == FailureRule(("5xx", "429"))
    assert spec.cache == CacheRule(("x-cache",))


def test_objectives_keep_order_limits_and_places() -> None:
    """Limits are exact fractions; tiers come loosest first, then target and critical."""
    objectives = {objective.name: objective for objective in good().objectives}
    assert list(objectives)[:2] == ["latency_p95", "latency_p99"]
    assert objectives["latency_p95"].limits["gold"] == Limit(
        ComparisonOperator.LT, Fraction(1, 10), "< 100ms", Position(18, 61)
    )
    assert list(objectives["latency_p99"].limits) == ["target", "critical"]
    assert objectives["availability"].limits["silver"].value == Fraction(999, 1000)
    assert objectives["rps_per_instance"].limits["silver"].value == 500
    checkout = objectives["checkout"]
    assert checkout.indicator == Indicator(IndicatorKind.LATENCY, Fraction(999, 1000))
    assert checkout.endpoint == Endpoint("POST", "/checkout")
    queue = objectives["queue"].indicator
    assert queue == Indicator(IndicatorKind.PROMQL, promql="max(queue_depth)", over=Reduce.MAX)


def test_source_defaults_to_both_where_one_is_configured() -> None:
    """Queries are graded on Prometheus, everything else on both sides; without a source on the client."""
    sources = {objective.name: objective.source for objective in good().objectives}
    assert sources.pop("queue") is SourceChoice.PROMETHEUS
    assert set(sources.values()) == {SourceChoice.BOTH}
    alone = parse_spec(GOOD.replace(PROMETHEUS, "").replace(QUERY, "").encode(), "slo.yaml")
    assert {objective.source for objective in alone.objectives} == {SourceChoice.CLIENT}


@pytest.mark.parametrize(
    "broken",
    [pytest.param(broken, id=name) for name, broken in (SHAPES | VALUES | WORKLOADS | LOADS).items()],
)
def test_a_fault_is_told_with_its_place(broken: Broken) -> None:
    """The first message names line and column of the value at problem, what it is, and what to write."""
    assert broken.message in problems_of(broken.text)


@pytest.mark.parametrize(
    "broken",
    [pytest.param(broken, id=name) for name, broken in (SHAPES | VALUES | WORKLOADS | OBJECTIVES).items()],
)
def test_a_fault_is_placed_on_what_was_changed(broken: Broken) -> None:
    """Line and column point into the broken text, or to the start of the mapping that lacks a key."""
    line, column = map(int, broken.message.split(" ", 1)[0].split(":"))
    lines = broken.text.splitlines(keepends=True)
    place = sum(map(len, lines[: line - 1])) + column - 1
    begin = GOOD.index(broken.old)
    on_that_line = broken.text.count("\n", 0, begin) + 1 == line
    assert (line, column) == (1, 1) or on_that_line or begin <= place <= begin + len(broken.new)


def test_all_faults_are_told_at_once_in_the_order_of_lines() -> None:
    """Whoever fixes a spec wants to see the whole list, not one problem per run."""
    text = GOOD.replace("users: 100", "users: none").replace('"< 0.1%"', '"< 0.1"').replace("95%", "95")
    assert [problem.split(" ")[0] for problem in problems_of(text)] == ["12:10", "20:24", "27:13"]


def test_many_faults_are_cut() -> None:
    """The first hundred messages are shown, and how many are left."""
    found = problems_of("".join(f"key{number}: 1\n" for number in range(500)))
    assert len(found) == 101
    assert "more problems" in found[-1]


@pytest.mark.parametrize(
    ("written", "instances"),
    [pytest.param("1", 1, id="a number"), pytest.param("prometheus", None, id="counted")],
)
def test_instances_are_a_number_or_counted(written: str, instances: int | None) -> None:
    """`prometheus` means that the server's series show it."""
    assert good("instances: 2", f"instances: {written}").target.instances == instances


def test_counting_instances_needs_a_source() -> None:
    """Without series nothing can be counted."""
    text = GOOD.replace(PROMETHEUS, "").replace(QUERY, "").replace("instances: 2", "instances: prometheus")
    assert problems_of(text) == [
        (
            "4:14 target.instances: needs a metric source to count in; "
            f"write a {block_names()} block, or a number"
        )
    ]


@pytest.mark.parametrize(
    ("users", "warmup", "rate"),
    [
        pytest.param(100, "5s", 40.0, id="all in half of the warm-up"),
        pytest.param(100, "0s", 100.0, id="all at once without a warm-up"),
        pytest.param(2, "60s", 1.0, id="never less than one a second"),
    ],
)
def test_spawn_rate_has_a_default(users: int, warmup: str, rate: float) -> None:
    """All users run before the window begins."""
    text = GOOD.replace("  spawn_rate: 50/s\n", "").replace("users: 100", f"users: {users}")
    spec = parse_spec(text.replace("warmup: 5s", f"warmup: {warmup}").encode(), "slo.yaml")
    assert spec.workload.spawn_rate == rate


def test_a_scrape_is_a_list_or_a_mapping() -> None:
    """The short form has the defaults of the long one."""
    base = GOOD.replace(QUERY, "")
    short = parse_spec(base.replace(PROMETHEUS, "scrape: [http://h/metrics]\n").encode(), "slo.yaml")
    long = parse_spec(
        base.replace(PROMETHEUS, "scrape: {urls: [http://h/metrics], interval: 2s}\n").encode(), "slo.yaml"
    )
    source = ScrapeSource(urls=("http://h/metrics",), preset=AUTO, position=Position(5, 1))
    assert short.metric_source == source
    assert long.metric_source == replace(source, interval=2.0)


@pytest.mark.parametrize("level", ["90%", "95%", "99%", "99.9%"])
def test_a_confidence_may_be_conditional(level: str) -> None:
    """Every level holds if bursts are bounded."""
    spec = good("confidence: 95%", f"confidence: {{level: {level}, bursts: 500ms}}")
    assert spec.confidence == Confidence(Fraction(level.removesuffix("%")) / 100, Fraction(1, 2))


def test_confidence_none_grades_the_observed_values() -> None:
    """`none` has to be asked for, and the default is 95%."""
    assert good("confidence: 95%", "confidence: none").confidence is None
    assert good("confidence: 95%\n", "").confidence == Confidence(Fraction(19, 20))


def test_yaml_traps_stay_text() -> None:
    """A service called `no` is not False, and a label 1.10 keeps its zero."""
    assert good("service: shop-api", "service: no").service == "no"
    source = good("{job: shop-api}", "{job: on, version: 1.10}").metric_source
    assert source is not None
    assert source.selector == {"job": "on", "version": "1.10"}


def test_files_end_in_one_exception() -> None:
    """A path may be missing, a folder, too large, or have unreadable names."""
    with pytest.raises(UsageError, match="run `slocheck init`"):
        load_spec("no/such/slo.yaml")
    with pytest.raises(UsageError, match="is a directory"):
        load_spec(Path(__file__).parent)
    with pytest.raises(UsageError, match="cannot be read"):
        load_spec("a\0b")
    with pytest.raises(SpecError, match="at most 262,144 are read"):
        load_spec("/dev/zero")


def test_load_spec_reads_the_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The environment is the file's only outside source, and only for URLs."""
    path = tmp_path / "slo.yaml"
    path.write_text(GOOD.replace("http://127.0.0.1:8000", "${SHOP_URL}"))
    monkeypatch.setenv("SHOP_URL", "http://127.0.0.2:81/")
    spec = load_spec(path)
    assert spec.target.url == "http://127.0.0.2:81"
    assert "${SHOP_URL}" in spec.text


def test_every_validity_limit_can_be_written_with_its_unit() -> None:
    """The block has a key for each limit of the model, and shares of a core may be over 100%."""
    assert {key.name for key in VALIDITY_KEYS} == {field.name for field in fields(ValidityLimits)}
    block = (
        "validity: {min_sent: 50%, max_generator_cpu: 150%, max_loop_lag: 50ms, max_stall: 3s, "
        "max_schedule_lag: 20ms, max_lag_share: 20%, max_exceptions: 5, max_generator_failures: 6, "
        "min_window: 90%, max_unexpected: 4%, "
        "max_unrecorded: 2, max_clock_skew: 1m, max_clock_jump: 2s, min_slices: 3, "
        "max_scrape_gap: 2.5, steady: false}"
    )
    written = good("validity: {min_sent: 99%, min_slices: 10}", block).validity
    assert written == ValidityLimits(
        0.5, 1.5, 0.05, 3.0, 0.02, 0.2, 5, 6, 0.9, 2, 60.0, 2.0, 3, 2.5, steady=False, max_unexpected=0.04
    )
