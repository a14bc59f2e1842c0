"""Stopping as soon as the gate is decided, without more errors from repeated analyses."""

from dataclasses import replace

import pytest

from slocheck.evidence.recording import FailureClass, Recording
from slocheck.grading.interim.early_stopping import EarlyStopping, client_side, decides
from slocheck.statistics.sequential import AnalysisPlan, analysis_plan
from tests.builders.evidence import make_evidence
from tests.builders.recordings import steady
from tests.builders.specs import make_spec

MINUTE = make_spec('  error_rate: {silver: "< 1%"}\n', more="confidence: 95%\n")
CONFIDENT = replace(MINUTE, workload=replace(MINUTE.workload, duration=300.0))
"""Five seconds of warm-up and a window of five minutes, analysed after 60, 120, 180 and 240 s of it."""

PLAN = analysis_plan(300)

WHOLE = steady(60, {20: 1000})
"""60,000 flawless requests in a fifth of the window."""


@pytest.mark.parametrize(
    ("seconds", "ended"),
    [
        pytest.param([64], [False], id="a second before the first analysis"),
        pytest.param([65], [True], id="5 s of warm-up and a fifth of 300 s"),
        pytest.param([69], [True], id="an analysis that is late is made all the same"),
        pytest.param([65, 66, 305], [True, False, False], id="nothing is analysed after a decision"),
    ],
)
def test_analyses_are_planned(seconds: list[int], ended: list[bool]) -> None:
    """At 20, 40, 60 and 80 % of the longest window, each once."""
    stopping = EarlyStopping(CONFIDENT)
    assert [stopping.ends(second, make_evidence(WHOLE)) for second in seconds] == ended


def test_each_analysis_is_made_once() -> None:
    """Seconds between two analyses decide nothing, nor does the end of the run."""
    few, whole = make_evidence(steady(60, {20: 1})), make_evidence(WHOLE)
    stopping = EarlyStopping(CONFIDENT)
    seen = [stopping.ends(65, few), stopping.ends(66, whole), stopping.ends(125, whole)]
    assert seen == [False, False, True]
    patient = EarlyStopping(CONFIDENT)
    assert not any(patient.ends(second, few) for second in range(65, 246))
    assert not patient.ends(306, whole)


def test_nothing_is_analysed_before_a_minute() -> None:
    """However clear it looks: seconds show none of a service's slower disturbances."""
    stopping = EarlyStopping(MINUTE)
    assert not any(stopping.ends(second, make_evidence(WHOLE)) for second in range(1, 66))


@pytest.mark.parametrize(
    ("window_s", "moments_s"),
    [
        pytest.param(10, (10,), id="ten seconds"),
        pytest.param(60, (60,), id="a minute"),
        pytest.param(74, (74,), id="80 % of it are less than a minute"),
        pytest.param(75, (60, 75), id="just one"),
        pytest.param(120, (72, 96, 120), id="two minutes"),
        pytest.param(300, (60, 120, 180, 240, 300), id="all of them"),
    ],
)
def test_all_analyses_together_spend_alpha_once(window_s: int, moments_s: tuple[int, ...]) -> None:
    """None before a minute, the last one at the end; the shares of those that are made add up to 1."""
    plan = analysis_plan(window_s)
    assert plan == AnalysisPlan(moments_s)
    assert sum(map(plan.alpha_share, range(len(moments_s)))) == pytest.approx(1)


def test_a_run_that_was_not_ended_has_the_last_share_of_alpha_left() -> None:
    """Its window is the planned one."""
    evidence = make_evidence(WHOLE)
    spent = EarlyStopping(CONFIDENT).spent(evidence)
    assert spent.alpha_share == PLAN.alpha_share(4)
    assert spent.planned_window_s == evidence.planned_window_s


def test_a_run_that_was_ended_is_graded_at_the_analysis_that_ended_it() -> None:
    """Its window is as long as it should be: no finding says that it was cut."""
    stopping, evidence = EarlyStopping(CONFIDENT), make_evidence(WHOLE)
    assert stopping.ends(65, evidence)
    spent = stopping.spent(evidence)
    assert (spent.alpha_share, spent.planned_window_s) == (PLAN.alpha_share(0), 60.0)


@pytest.mark.parametrize(
    ("recording", "ends"),
    [
        pytest.param(steady(60, {20: 10}), False, id="600 flawless requests are too few at 0.04 %"),
        pytest.param(WHOLE, True, id="60,000 flawless ones are enough"),
        pytest.param(
            steady(60, {20: 90}, failures={FailureClass.STATUS: 10}), True, id="a tenth failing is a breach"
        ),
    ],
)
def test_a_gate_is_decided_either_way(recording: Recording, ends: bool) -> None:
    """At the share of alpha that belongs to the analysis."""
    assert decides(PLAN.alpha_share(0), CONFIDENT, make_evidence(recording)) is ends


def test_only_the_client_is_asked_during_a_run() -> None:
    """The server's numbers come after it."""
    spec = make_spec(
        '  error_rate: {silver: "< 1%"}\n  cache_hit_rate: {silver: "> 1%", source: prometheus}\n',
        more='scrape: ["http://127.0.0.1:8000/metrics"]\n',
    )
    assert [item.name for item in client_side(spec).objectives] == ["error_rate"]
