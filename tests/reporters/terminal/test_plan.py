"""The plan before the run, as it is printed."""

import io
from functools import partial

import pytest
from rich.console import Console

from slocheck.reporters.terminal.plan import plan_lines, show_plan
from slocheck.reporters.terminal.workload import plot
from slocheck.spec.loader import parse_spec
from slocheck.spec.model.load_profile import Stage
from tests.builders.plans import shop_scenario, shop_spec


def test_a_dry_run_prints_what_each_limit_needs() -> None:
    """Every limit has a row; what the plan cannot prove is said below, what the gate needs first."""
    out = io.StringIO()
    show_plan(shop_spec("rate: 1/s, duration: 10s"), shop_scenario(), Console(file=out, width=120))
    printed = [line.strip() for line in out.getvalue().splitlines()]
    rows = {
        tuple(line.split()[:2]): line.split()[-1] for line in printed if line.startswith(("error", "check"))
    }
    assert rows == {
        ("error_rate", "silver"): "no",
        ("error_rate", "gold"): "no",
        ("checkout", "silver"): "no",
    }
    said = [line.split()[0] for line in printed if "even if none is bad" in line]
    assert said == ["silver", "silver", "gold"]


def test_the_head_of_a_run_is_short() -> None:
    """The load, its size, and which tiers it cannot prove; the gate's in full."""
    lines = list(plan_lines(shop_spec("rate: 80/s, duration: 2m"), shop_scenario()))
    assert lines == [
        "load      open model: 80/s, jittered arrivals, at most 160 users at once",
        "phases    10s warm-up (not graded), 2m window, at most 30s drain",
        "requests  about 24,000 in the window",
        "not enough to prove gold; `slocheck run --dry-run` says what is needed",
    ]
    short = list(plan_lines(shop_spec("rate: 1/s, duration: 10s"), shop_scenario()))
    needed = "silver error_rate needs about 459 requests even if none is bad; this plan sends about 25"
    assert f"{needed}; a window of 3m4s at 2.5/s would be enough" in short


@pytest.mark.parametrize(
    ("objective", "more", "words"),
    [
        pytest.param('error_rate: {silver: "<= 0%"}', "", "cannot be proven", id="no error at all"),
        pytest.param('availability: {critical: ">= 100%"}', "", "cannot be proven", id="never down"),
        pytest.param('error_rate: {silver: "<= 0%"}', "confidence: none", "", id="as observed"),
        pytest.param(
            'rps_per_instance: {silver: ">= 300/s"}',
            "",
            "offers 100/s per instance, but needs about 3 times",
            id="rate",
        ),
        pytest.param('rps_per_instance: {silver: ">= 90/s"}', "", "", id="a rate that is offered"),
        pytest.param(
            'rps_per_instance: {silver: ">= 100/s"}',
            "",
            "offers no more than the limit, so no request may fail",
            id="all that is offered",
        ),
    ],
)
def test_what_no_number_of_requests_proves_is_said_before_the_run(
    objective: str, more: str, words: str
) -> None:
    """80 arrivals/s of 2.5 requests on two instances are 100 requests/s each."""
    text = shop_spec("rate: 80/s, duration: 2m").text.replace('8000"}', '8000", instances: 2}')
    text = text.replace("gate:", f"  one_more: {{indicator: {objective.replace(': {', ', ', 1)}\ngate:")
    lines = plan_lines(parse_spec(f"{text}{more}\n".encode(), "slo.yaml"), shop_scenario())
    found = [line for line in lines if "one_more" in line]
    assert len(found) == bool(words)
    assert words in "".join(found)


def test_a_window_too_short_for_any_verdict_is_said_before_the_run() -> None:
    """Under ten slices nothing is decided, however many requests there are."""
    lines = list(plan_lines(shop_spec("rate: 500/s, duration: 9s"), shop_scenario()))
    assert "a window of 9s is too short for any verdict; it needs 10s" in lines
    assert "too short" not in " ".join(plan_lines(shop_spec("rate: 500/s, duration: 10s"), shop_scenario()))


def test_several_analyses_need_more_requests() -> None:
    """The last analysis has 36 % of alpha left: 560 good requests where a single one needs 459."""
    plan = partial(plan_lines, scenario=shop_scenario())
    spec = shop_spec("rate: 0.65/s, duration: 300s")
    head = [" ".join(plan(spec, until_decided=several)) for several in (False, True)]
    assert "silver error_rate" not in head[0]
    assert "silver error_rate needs about 560 requests" in head[1]
    assert "interim   analyses after 1m, 2m, 3m, 4m; each may end the run" in head[1]
    short = " ".join(plan(shop_spec("rate: 20/s, duration: 60s"), until_decided=True))
    assert "interim   none: the first analysis would be after 1m, so the whole window is measured" in short


def test_the_course_is_plotted() -> None:
    """A ramp rises, a level is flat, the highest is a full bar."""
    drawn = plot((Stage(0, 100, 30), Stage(100, 100, 15), Stage(50, 50, 15)))
    assert len(drawn) == 60
    assert list(drawn[:30]) == sorted(drawn[:30])
    assert set(drawn[30:45]) == {"█"}
    assert len(set(drawn[45:])) == 1
    assert drawn[0] < drawn[50] < drawn[44]
