"""What a plan can prove, before any load is sent."""

import pytest

from slocheck.grading.plan_check import check_plan
from tests.builders.plans import shop_scenario, shop_spec


def test_a_limit_with_too_few_requests_says_what_it_needs() -> None:
    """The textbook case: 0.01 % at 95 % needs 46,050 requests, 24,000 are planned in two minutes."""
    check = check_plan(shop_spec("rate: 80/s, duration: 2m"), shop_scenario())
    (gold,) = check.unproven
    assert (gold.level, gold.counts) == ("gold", False)
    assert gold.reason == (
        "gold error_rate needs about 46,050 requests even if none is bad; "
        "this plan sends about 24,000; a window of 3m51s at 200/s would be enough"
    )


def test_what_the_gate_needs_comes_first() -> None:
    """A tier beyond the gate needs more requests, and matters less."""
    check = check_plan(shop_spec("rate: 1/s, duration: 10s"), shop_scenario())
    assert [item.counts for item in check.unproven] == [True, True, False]


@pytest.mark.parametrize(
    ("bursts", "requests", "window_s"),
    [
        pytest.param("2ms", 46_050, 231, id="shorter than the time between two requests"),
        pytest.param("100ms", 29_956, 2996, id="as long as many requests take"),
    ],
)
def test_a_condition_bounds_only_what_comes_closer_together(
    bursts: str, requests: int, window_s: int
) -> None:
    """Only where bursts bound the sample does the nominal error rate hold: 0.01 % at 200 requests/s."""
    spec = shop_spec("rate: 80/s, duration: 2m", more=f"confidence: {{level: 95%, bursts: {bursts}}}")
    check = check_plan(spec, shop_scenario())
    [(need, seconds)] = [
        pair for pair in zip(check.needs, check.windows_s, strict=True) if pair[0].level == "gold"
    ]
    assert (need.requests, seconds, need.provable) == (requests, window_s, False)


@pytest.mark.parametrize(
    ("confidence", "seconds"),
    [
        pytest.param("95%", 10, id="ten slices for a confidence"),
        pytest.param("none", 10, id="ten by the validity check"),
    ],
)
def test_the_shortest_window_is_known(confidence: str, seconds: int) -> None:
    """A shorter one decides nothing, however many requests it has."""
    spec = shop_spec("rate: 500/s, duration: 10s", more=f"confidence: {confidence}")
    assert check_plan(spec, shop_scenario()).min_window_s == seconds
