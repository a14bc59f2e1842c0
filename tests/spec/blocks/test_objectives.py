"""Objectives: names, limits, contradictions between levels, endpoints and sources."""

from fractions import Fraction

import pytest

from slocheck.spec.blocks.metric_source.sources import block_names
from tests.builders.good_spec import GOOD, Broken, good, problems_of
from tests.spec.broken.objectives import OBJECTIVES

WITHOUT_SOURCE = GOOD.replace(GOOD[GOOD.index("prometheus:") : GOOD.index("workload:")], "").replace(
    GOOD[GOOD.index("  queue:") : GOOD.index("gate:")], ""
)


@pytest.mark.parametrize("broken", [pytest.param(broken, id=name) for name, broken in OBJECTIVES.items()])
def test_a_faulty_objective_is_told_with_its_place(broken: Broken) -> None:
    """The message names the level, what is wrong with it, and what to write; nothing else is reported."""
    assert problems_of(broken.text) == [broken.message]


@pytest.mark.parametrize(
    ("name", "quantile"),
    [
        ("latency_p50", Fraction(1, 2)),
        ("latency_p1", Fraction(1, 100)),
        ("latency_p99.9", Fraction(999, 1000)),
        ("latency_p99.999", Fraction(99999, 100000)),
    ],
)
def test_percentiles_are_exact(name: str, quantile: Fraction) -> None:
    """p99.9 is 999/1000, not its nearest float."""
    spec = good("  error_rate:", f'  {name}: {{silver: "< 9s"}}\n  error_rate:')
    assert {o.name: o.indicator.quantile for o in spec.objectives}[name] == quantile


@pytest.mark.parametrize(
    ("limits", "fine"),
    [
        pytest.param('bronze: "< 200ms", silver: "< 200ms"', True, id="equal"),
        pytest.param('bronze: "<= 200ms", silver: "< 200ms"', True, id="strict is stricter"),
        pytest.param('bronze: "< 200ms", silver: "<= 200ms"', False, id="strict is looser in vain"),
        pytest.param('bronze: "< 0.2s", silver: "< 200ms"', True, id="equal in other units"),
        pytest.param('bronze: "< 200ms", gold: "< 200.000001ms"', False, id="a nanosecond looser"),
        pytest.param('critical: "< 200ms", target: "< 200ms"', True, id="critical on target"),
        pytest.param('critical: "< 100ms", gold: "< 200ms"', False, id="critical stricter than a tier"),
        pytest.param('target: "< 1ms", gold: "< 200ms"', True, id="target is free"),
    ],
)
def test_levels_may_not_contradict(limits: str, fine: bool) -> None:
    """A higher tier is never easier, and a met tier never breaches critical."""
    more = f"  latency_p50: {{{limits}}}\n  error_rate:"
    if fine:
        assert "latency_p50" in [objective.name for objective in good("  error_rate:", more).objectives]
    else:
        assert len(problems_of(GOOD.replace("  error_rate:", more))) == 1


def test_server_side_choices_need_a_source() -> None:
    """Without prometheus or scrape only the client can be graded."""
    text = WITHOUT_SOURCE.replace("error_rate: {silver", "error_rate: {source: both, silver")
    assert problems_of(text) == [
        (
            "15:24 objectives.error_rate.source: needs a metric source; "
            f"write a {block_names()} block, or source: client"
        )
    ]


def test_queries_need_prometheus_itself() -> None:
    """A scraped page takes no PromQL."""
    text = WITHOUT_SOURCE.replace("gate:", '  q: {indicator: {promql: up}, silver: "> 0"}\ngate:')
    text = text.replace("workload:", "scrape: [http://127.0.0.1:8000/metrics]\nworkload:")
    assert problems_of(text) == [
        (
            "21:18 objectives.q.indicator: is a PromQL query, so it needs a Prometheus server; "
            "write a prometheus block"
        )
    ]


def test_labels_have_no_use_on_the_client() -> None:
    """They would be ignored silently."""
    text = WITHOUT_SOURCE.replace("error_rate: {silver", "error_rate: {labels: {a: b}, silver")
    assert problems_of(text) == [
        (
            "15:24 objectives.error_rate.labels: has no use without server-side numbers; "
            "remove it, or configure a source"
        )
    ]


def test_a_gate_needs_an_objective() -> None:
    """An objective without limits is refused, never passed."""
    text = GOOD.replace("[bronze, silver, gold]", "[bronze, silver, gold, mythril]")
    assert problems_of(text.replace("gate: silver", "gate: mythril")) == [
        "26:7 gate: no objective has a limit for 'mythril'; write one, or gate on another tier"
    ]
