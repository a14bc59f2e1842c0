"""Stopping as soon as the gate is decided, without being fooled by looking often."""

import numpy as np
import pytest

from slocheck.evidence.recording import FailureClass, Recording
from slocheck.grading.early_stopping import EarlyStopping, client_side, decides
from slocheck.statistics.proportion import compare_proportion
from slocheck.statistics.sequential import INTERIM_ANALYSES, alpha_share
from tests.builders.evidence import make_evidence
from tests.builders.recordings import steady
from tests.builders.specs import make_spec

CONFIDENT = make_spec('  error_rate: {silver: "< 1%"}\n', more="confidence: 95%\n")


WHOLE = steady(12, {20: 1000})
"""12,000 flawless requests in a fifth of the window."""


@pytest.mark.parametrize(
    ("seconds", "ended"),
    [
        pytest.param([16], [False], id="a second before the first analysis"),
        pytest.param([17], [True], id="5 s of warm-up and a fifth of 60 s"),
        pytest.param([19], [True], id="an analysis that is late is made all the same"),
        pytest.param([17, 18, 65], [True, False, False], id="nothing is analysed after a decision"),
    ],
)
def test_analyses_are_planned(seconds: list[int], ended: list[bool]) -> None:
    """At 20, 40, 60 and 80 % of the longest window, each once."""
    stopping = EarlyStopping(CONFIDENT)
    assert [stopping.ends(second, make_evidence(WHOLE)) for second in seconds] == ended


def test_each_analysis_is_made_once() -> None:
    """What comes between two of them decides nothing, nor does the end of the run."""
    few, whole = make_evidence(steady(12, {20: 5})), make_evidence(WHOLE)
    stopping = EarlyStopping(CONFIDENT)
    assert [stopping.ends(17, few), stopping.ends(18, whole), stopping.ends(29, whole)] == [
        False,
        False,
        True,
    ]
    patient = EarlyStopping(CONFIDENT)
    assert not any(patient.ends(second, few) for second in range(17, 54))
    assert not patient.ends(66, whole)


def test_a_run_that_was_not_ended_has_the_last_share_of_alpha_left() -> None:
    """And its window is the one planned."""
    evidence = make_evidence(WHOLE)
    spent = EarlyStopping(CONFIDENT).spent(evidence)
    assert spent.alpha_share == alpha_share(4)
    assert spent.planned_window_s == evidence.planned_window_s


def test_a_run_that_was_ended_is_graded_at_the_analysis_that_ended_it() -> None:
    """Its window is as long as it should be: no finding says that it was cut."""
    stopping, evidence = EarlyStopping(CONFIDENT), make_evidence(WHOLE)
    assert stopping.ends(17, evidence)
    spent = stopping.spent(evidence)
    assert (spent.alpha_share, spent.planned_window_s) == (alpha_share(0), 12.0)


def test_all_analyses_together_spend_alpha_once() -> None:
    """And the last one keeps the largest part."""
    shares = [alpha_share(analysis) for analysis in range(len(INTERIM_ANALYSES))]
    assert sum(shares) == pytest.approx(1)
    assert shares == sorted(shares)


@pytest.mark.parametrize(
    ("recording", "ends"),
    [
        pytest.param(steady(12, {20: 50}), False, id="600 flawless requests are too few at 0.04 %"),
        pytest.param(WHOLE, True, id="12,000 flawless ones are enough"),
        pytest.param(
            steady(12, {20: 90}, failures={FailureClass.STATUS: 10}), True, id="a tenth failing is a breach"
        ),
    ],
)
def test_a_gate_is_decided_either_way(recording: Recording, ends: bool) -> None:
    """At the share of alpha that belongs to the analysis."""
    assert decides(0, CONFIDENT, make_evidence(recording)) is ends


def test_only_the_client_is_asked_during_a_run() -> None:
    """The server's numbers come after it."""
    spec = make_spec(
        '  error_rate: {silver: "< 1%"}\n  cache_hit_rate: {silver: "> 1%", source: prometheus}\n',
        more='scrape: ["http://127.0.0.1:8000/metrics"]\n',
    )
    assert [item.name for item in client_side(spec).objectives] == ["error_rate"]


def test_five_analyses_are_no_more_often_wrong_than_one() -> None:
    """3,000 runs exactly at the limit: false met at alpha 5% stays at 5 %; each at full alpha it does not."""
    draws = np.random.default_rng(11).binomial(50, 0.02, size=(3000, 60))
    naive = spent = 0
    for bad in draws:
        kept = []
        for analysis, share in enumerate(INTERIM_ANALYSES):
            seen = list(bad[: round(share * 60)])
            n = [50] * len(seen)
            kept.append(compare_proportion(n, seen, 0.02, 0.05 * alpha_share(analysis)).keeps)
            naive += compare_proportion(n, seen, 0.02, 0.05).keeps and not any(kept[:-1])
        spent += any(kept)
    assert spent / 3000 < 0.05
    assert naive > spent
