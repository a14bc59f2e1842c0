"""The climb: what a step changed, the terminal's lines, and the page."""

import base64
import hashlib
import re

import pytest

from slocheck.evidence.recording import FailureClass
from slocheck.grading.assessment import Outcome
from slocheck.grading.report import Report
from slocheck.plan.load_plan import thresholds_ns
from slocheck.reporters import ladder
from slocheck.reporters.ladder.lines import step_lines, summary_lines
from slocheck.reporters.ladder.model import Climb, ClimbStep, Measure, Move, measures, move
from tests.builders.reports import HOSTILE, SPEC_TEXT, graded, hostile_report, parsed, report, unbounded
from tests.builders.traffic import make_traffic, recorded
from tests.support.html_page import read

LATENCY, ERRORS, *_ = parsed().objectives
HITS = next(item for item in parsed().objectives if item.name == "cache_hit_rate")


CLIENT_ONLY = re.sub(r"prometheus: .*\n", "", SPEC_TEXT)


def of_median(median_ms: float, *, lost: int = 0) -> Report:
    """Return a run with latencies around a median, which lost that many requests per second."""
    failing = [(second, 0, FailureClass.TIMEOUT) for second in range(45) for _ in range(lost)]
    requests = make_traffic(median_ms=median_ms, seconds=45, failing=failing)
    found = recorded(requests, warmup=5, window=40, thresholds=thresholds_ns(parsed(CLIENT_ONLY)))
    return graded(CLIENT_ONLY, found, users=20)


def climb(*reports: Report) -> Climb:
    """Return a climb of these runs."""
    names = ("none", "bounded", "index", "cache-aside")
    steps = (ClimbStep(name, f"does {name}", found) for name, found in zip(names, reports, strict=False))
    return Climb(tuple(steps), "SQLite and a cache in the process")


@pytest.mark.parametrize(
    ("objective", "before", "now", "expected"),
    [
        pytest.param(LATENCY, (0.4, 0.5), (0.1, 0.2), Move.BETTER, id="less latency"),
        pytest.param(LATENCY, (0.1, 0.2), (0.4, 0.5), Move.WORSE, id="more latency"),
        pytest.param(HITS, (0.1, 0.2), (0.4, 0.5), Move.BETTER, id="more hits"),
        pytest.param(HITS, (0.4, 0.5), (0.1, 0.2), Move.WORSE, id="fewer hits"),
        pytest.param(LATENCY, (0.4, 0.5), (0.5, 0.6), Move.SAME, id="they touch"),
        pytest.param(LATENCY, (0.4, float("inf")), (0.1, 0.2), Move.BETTER, id="from without an end"),
        pytest.param(LATENCY, None, (0.1, 0.2), Move.SAME, id="no interval before"),
        pytest.param(LATENCY, (0.1, 0.2), None, Move.SAME, id="no interval now"),
    ],
)
def test_a_step_moves_an_objective_if_the_intervals_lie_apart(
    objective: object,
    before: tuple[float, float] | None,
    now: tuple[float, float] | None,
    expected: Move,
) -> None:
    """In the objective's own direction; without an interval nothing is claimed."""
    old, new = (Measure(objective, "", None, ends, None) for ends in (before, now))  # type: ignore[arg-type]
    assert move(old, new) is expected


def test_the_tier_of_an_objective_is_the_strictest_of_an_unbroken_row() -> None:
    """A tier whose limit is not met ends the row, and an objective without limits of tiers has none."""
    slow, fast = (
        {one.objective.name: one.tier for one in measures(ClimbStep("none", "", of_median(median)))}
        for median in (80.0, 1.0)
    )
    assert (slow["latency_p95"], fast["latency_p95"]) == ("bronze", "gold")
    assert fast["availability"] == "gold"


def test_the_lines_name_each_value_its_interval_and_what_moved() -> None:
    """From slow to fast: the tiers, the values, and the objectives that became better."""
    steps = climb(of_median(80.0), of_median(1.0)).steps
    lines = list(step_lines(steps[1], steps[0], 2, 2))
    assert lines[0] == "step 2 of 2, bounded: does bounded"
    latency = next(line for line in lines if line.split()[0] == "latency_p95")
    assert re.search(r"ms +[\d.]+m?s?(-| to )[\d.]+m?s +gold +better", latency), latency
    summary = list(summary_lines(climb(of_median(80.0), of_median(1.0))))
    assert "better: latency_p95" in summary[2]
    assert all(len(line) <= 100 for line in lines)


def test_what_the_last_step_misses_is_said_with_its_reason() -> None:
    """For the next tier only; a step that misses nothing adds nothing."""
    missing = list(summary_lines(climb(of_median(80.0))))[2:]
    assert missing
    assert all(re.match(r"missing: \w+ is \w+ at silver ", line) for line in missing)
    assert "latency_p95" in missing[0]


def test_an_invalid_run_reaches_no_tier_and_says_why() -> None:
    """Neither a tier nor a row of limits is claimed for it."""
    step = climb(report(Outcome.INVALID)).steps[0]
    lines = list(step_lines(step, None, 1, 1))
    assert lines[1] == "  no verdict"
    assert "generator" in lines[2]


@pytest.mark.parametrize(
    "found",
    [
        pytest.param(climb(report(Outcome.FAIL), report(Outcome.PASS), report(Outcome.INVALID)), id="any"),
        pytest.param(climb(unbounded()), id="one step, without bounds"),
        *(pytest.param(climb(hostile_report(text)), id=f"hostile {at}") for at, text in enumerate(HOSTILE)),
    ],
)
def test_the_page_is_well_formed_and_allows_only_its_own_style(found: Climb) -> None:
    """Whatever is in it: no script, one style sheet by its hash, and links that lead somewhere."""
    document = ladder.render(found)
    page = read(document)
    assert page.problems == []
    assert not {tag for tag, _ in page.tags} & {"script", "img", "link", "iframe", "a:script"}
    policy = next(value for value in page.attributes("content") if "default-src" in value)
    style = "".join(page.texts["style"])
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    assert policy == f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"
    assert not [
        value for tag, attributes in page.tags for value in attributes if value in ("style", "onclick")
    ]
    ids = page.attributes("id")
    assert len(ids) == len(set(ids))
    local = [href for href in page.attributes("href") if href.startswith("#")]
    assert {href.removeprefix("#") for href in local} <= set(ids)


def test_the_page_shows_before_and_after_of_each_strategy() -> None:
    """Each step is named with its tier; the changes are those of the lines."""
    fast = of_median(1.0)
    page = read(ladder.render(climb(of_median(80.0), fast)))
    assert {"bounded", "none"} <= set(page.texts["a"])
    assert "better" in page.text("td")
    assert f"{fast.evidence.provenance.run_id}/report.html" in page.attributes("href")


def test_failures_without_end_are_drawn() -> None:
    """A percentile that no number bounds leaves a gap, not a wrong point."""
    assert "unbounded" in ladder.render(climb(of_median(1.0, lost=10), of_median(1.0)))
