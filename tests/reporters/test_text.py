"""The shared wording: values never contradict verdicts, and every report says the same."""

from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction
from math import inf

import pytest
from hypothesis import given
from hypothesis import strategies as st

from slocheck.documents.units import ComparisonOperator
from slocheck.grading.assessment import LevelResult, Outcome, Verdict
from slocheck.grading.report import Report
from slocheck.indicators.samples import Display
from slocheck.reporters.text import (
    clock_text,
    ends_text,
    gap_between_sides,
    indicator_text,
    interval_text,
    limits_of,
    margin_text,
    range_text,
    rough_duration,
    sides_text,
    unit_name,
    value_text,
)
from slocheck.spec.model import Confidence, IndicatorKind, Objective
from tests.builders.reports import objectives, report, timeouts

LATENCY, ERRORS, AVAILABLE, CACHE, _ = objectives()
SURE = Confidence(Fraction(19, 20))


@pytest.mark.parametrize(
    ("objective", "low", "high", "expected"),
    [
        pytest.param(LATENCY, 0.2621, 0.2629, "262ms", id="bounds of one bucket are one number"),
        pytest.param(
            LATENCY, 0.1999, 0.2003, "199.9ms to 200.3ms", id="a limit between the bounds keeps both"
        ),
        pytest.param(LATENCY, 0.20000001, 0.20000001, "200.00001ms", id="just over a limit is not the limit"),
        pytest.param(LATENCY, 0.2, 0.2, "200ms", id="on the limit"),
        pytest.param(LATENCY, 0.1, 0.25, "100ms to 250ms", id="a server bucket"),
        pytest.param(LATENCY, 5.0, inf, "at least 5s", id="past the last bucket"),
        pytest.param(LATENCY, 0.0, inf, "unknown", id="above zero is every value"),
        pytest.param(LATENCY, 0.0, 0.01, "at most 10ms", id="within the first bucket"),
        pytest.param(LATENCY, inf, inf, "unbounded", id="too many failed"),
        pytest.param(AVAILABLE, 0.999999, 0.999999, "99.9999%", id="nearly all is not all"),
        pytest.param(ERRORS, 0.0, 0.0, "0%", id="none"),
    ],
)
def test_value_text(objective: Objective, low: float, high: float, expected: str) -> None:
    """Rounded for people, but never across or onto a limit."""
    assert value_text(objective, Display(low, high)) == expected


@pytest.mark.parametrize("display", [None, Display(None, None)])
def test_no_data_is_said_in_words(display: Display | None) -> None:
    """What was not measured has no number."""
    assert value_text(LATENCY, display) == "no data"


@given(st.floats(min_value=1e-6, max_value=20, allow_nan=False), st.floats(min_value=0, max_value=0.02))
def test_a_single_number_is_on_the_bounds_side_of_each_limit(low: float, width: float) -> None:
    """Whatever the bounds, the text parses back to the same side of every limit."""
    high = low * (1 + width)
    text = value_text(LATENCY, Display(low, high))
    if " to " in text:
        return
    number = Fraction(text.rstrip("mus")) * {"ms": Fraction(1, 1000), "us": Fraction(1, 10**6)}.get(
        text.lstrip("0123456789."), Fraction(1)
    )
    for bound in limits_of(LATENCY):
        exact = Fraction(f"{low:.15g}"), Fraction(f"{high:.15g}")
        assert any((number > bound) - (number < bound) == (end > bound) - (end < bound) for end in exact)


@pytest.mark.parametrize(
    ("objective", "value", "expected"),
    [
        pytest.param(LATENCY, 0.262, "+62ms", id="too slow"),
        pytest.param(LATENCY, 0.15, "-50ms", id="fast enough"),
        pytest.param(ERRORS, 0.0062, "+0.52 points", id="percentages differ by points"),
        pytest.param(CACHE, 0.855, "-4.5 points", id="below a floor"),
    ],
)
def test_margin_text(objective: Objective, value: float, expected: str) -> None:
    """The distance is signed and has a unit."""
    assert margin_text(objective, objective.limits["silver"], Display(value, value)) == expected


def test_margin_of_the_unknown_is_empty() -> None:
    """There is no margin for infinity, no data, or a value that may be on either side of the limit."""
    assert margin_text(LATENCY, LATENCY.limits["silver"], Display(0.1, 0.25)) == ""
    limit = LATENCY.limits["silver"]
    assert margin_text(LATENCY, limit, None) == ""
    assert margin_text(LATENCY, limit, Display(inf, inf)) == ""


@pytest.mark.parametrize(
    ("objective", "low", "high", "expected"),
    [
        pytest.param(ERRORS, 0.002, 0.006, "0.2-0.6%", id="a share"),
        pytest.param(ERRORS, 2.2e-308, 0.006, "0-0.6%", id="nearly zero is shown as zero"),
        pytest.param(AVAILABLE, 0.5, 1 - 1e-15, "0-50%", id="a good share near zero"),
        pytest.param(AVAILABLE, 0.001, 0.002, "99.8-99.9%", id="the good share"),
        pytest.param(
            LATENCY,
            0.03,
            0.04,
            "3-4% of requests >= 200ms (budget 5%)",
            id="a percentile",
        ),
        pytest.param(
            LATENCY,
            0.04,
            0.0500002,
            "4% to just over 5% of requests >= 200ms (budget 5%)",
            id="an end at the budget",
        ),
        pytest.param(
            LATENCY,
            1e-158,
            0.04,
            "0-4% of requests >= 200ms (budget 5%)",
            id="a percentile far from its limit",
        ),
    ],
)
def test_ends_text(objective: Objective, low: float, high: float, expected: str) -> None:
    """The ends of an interval are written in the terms of the objective."""
    assert ends_text(objective, objective.limits["silver"], low, high, failed=False) == expected


@pytest.mark.parametrize(
    ("low", "high", "expected"),
    [
        pytest.param("5.91%", "7.12%", "5.91-7.12%", id="one unit"),
        pytest.param("0.9ms", "1.2s", "0.9ms-1.2s", id="two units"),
        pytest.param("998", "1,002", "998-1,002", id="no unit"),
        pytest.param("-0.5/s", "1.5/s", "-0.5/s to 1.5/s", id="a minus sign is not a dash"),
    ],
)
def test_range_text(low: str, high: str, expected: str) -> None:
    """A range has its unit once if both ends share it."""
    assert range_text(low, high) == expected


def test_a_limit_that_may_be_reached_is_broken_above_it() -> None:
    """A request of exactly 200ms is bad for ``< 200ms`` and good for ``<= 200ms``."""
    written = replace(LATENCY.limits["silver"], comparison=ComparisonOperator.LE, text="<= 200ms")
    assert "of requests > 200ms (" in ends_text(LATENCY, written, 0.03, 0.04, failed=False)
    assert "of requests failed or took > 200ms (" in ends_text(LATENCY, written, 0.03, 0.04, failed=True)


def graded_level(found: Report, name: str, level: str = "silver") -> tuple[Objective, LevelResult]:
    """Return an objective of a sample run, and one of its levels as it was graded."""
    (result,) = [item for item in found.assessment.objectives if item.objective.name == name]
    (graded,) = [item for item in result.levels if item.level == level]
    return result.objective, graded


def test_no_interval_without_confidence() -> None:
    """``confidence: none`` grades observed values; no interval is shown."""
    objective, level = graded_level(report(), "error_rate")
    limit, found = objective.limits["silver"], level.sides[0]
    assert interval_text(objective, limit, found, SURE, failed=True).startswith("95% CI ")
    assert interval_text(objective, limit, found, None, failed=True) == ""


def test_the_deciding_side_says_what_the_level_says() -> None:
    """If the client alone proves the breach, its value comes first and the server's bucket after it."""
    objective, level = graded_level(report(Outcome.FAIL), "latency_p95")
    assert [side.verdict for side in level.sides] == [Verdict.BREACHED, Verdict.UNDECIDED]
    assert level.deciding is level.sides[0]
    assert sides_text(objective, level) == "230ms (server 100ms to 250ms)"


@pytest.mark.parametrize(
    ("found", "name", "told"),
    [
        pytest.param(report, "latency_p95", "histogram buckets", id="latency"),
        pytest.param(report, "error_rate", "same number", id="counts agree"),
        pytest.param(timeouts, "error_rate", "2,090 requests, the server 2,080", id="counts differ"),
        pytest.param(report, "availability", "", id="the client alone"),
    ],
)
def test_the_gap_between_the_sides_is_explained(found: Callable[[], Report], name: str, told: str) -> None:
    """By what can make the indicator differ; one side alone has no gap."""
    gap = gap_between_sides(*graded_level(found(), name))
    assert (told in gap) if told else gap == ""


def test_a_cache_counts_lookups_that_are_no_requests() -> None:
    """So its sides differ by more than what got lost in between."""
    objective, level = graded_level(report(), "error_rate")
    cache = replace(objective, indicator=replace(objective.indicator, kind=IndicatorKind.CACHE_HIT_RATE))
    assert "lookups" in gap_between_sides(cache, level)


@pytest.mark.parametrize(
    ("seconds", "expected"),
    [
        pytest.param(0.0651, "65ms", id="short"),
        pytest.param(1.999, "1.9s", id="rounded down"),
        pytest.param(4000.0, "1h6m40s", id="long"),
        pytest.param(4500.0, "1h15m", id="no seconds"),
        pytest.param(0.0, "0s", id="none"),
    ],
)
def test_rough_duration(seconds: float, expected: str) -> None:
    """In two digits, never rounded up."""
    assert rough_duration(seconds) == expected


@pytest.mark.parametrize(
    ("seconds", "expected"), [(45, "45s"), (120, "2m00s"), (3900, "1h05m00s"), (0, "0s")]
)
def test_clock_text(seconds: float, expected: str) -> None:
    """Lengths of runs as people write them."""
    assert clock_text(seconds) == expected


@pytest.mark.parametrize("kind", list(IndicatorKind))
def test_every_kind_has_a_name_and_a_unit(kind: IndicatorKind) -> None:
    """Every indicator has a name in the reports."""
    indicator = replace(LATENCY.indicator, kind=kind)
    assert indicator_text(indicator)
    assert unit_name(kind) in {"seconds", "ratio", "1/s", "number"}
