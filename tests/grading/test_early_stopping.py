"""Stopping as soon as the gate is decided, without being fooled by looking often."""

import numpy as np
import pytest

from slocheck.evidence.recording import FailureClass, Recording
from slocheck.grading.assessment import Verdict
from slocheck.grading.early_stopping import client_side, decided, due_look
from slocheck.statistics.proportion import judge_proportion
from slocheck.statistics.sample_size import INTERIM_ANALYSES, spending
from tests.builders.evidence import make_evidence
from tests.builders.recordings import steady
from tests.builders.specs import make_spec

CONFIDENT = make_spec('  error_rate: {silver: "< 1%"}\n', more="confidence: 95%\n")


@pytest.mark.parametrize(
    ("second", "taken", "look"),
    [
        pytest.param(16, 0, None, id="a second before the first look"),
        pytest.param(17, 0, 0, id="5 s of warm-up and a fifth of 60 s"),
        pytest.param(19, 0, 0, id="a look that is late is taken all the same"),
        pytest.param(17, 1, None, id="no look is taken twice"),
        pytest.param(53, 3, 3, id="the last but one"),
        pytest.param(65, 4, None, id="the end of the run is no look of its own"),
    ],
)
def test_looks_are_planned(second: int, taken: int, look: int | None) -> None:
    """At 20, 40, 60 and 80 % of the longest window."""
    assert due_look(second, CONFIDENT, taken) == look


def test_all_looks_together_spend_alpha_once() -> None:
    """And the last one keeps the largest part."""
    shares = [spending(look) for look in range(len(INTERIM_ANALYSES))]
    assert sum(shares) == pytest.approx(1)
    assert shares == sorted(shares)


@pytest.mark.parametrize(
    ("recording", "look", "ends"),
    [
        pytest.param(steady(12, {20: 50}), 0, False, id="600 flawless requests are too few at 0.04 %"),
        pytest.param(steady(12, {20: 1000}), 0, True, id="12,000 flawless ones are enough"),
        pytest.param(
            steady(12, {20: 90}, failures={FailureClass.STATUS: 10}),
            0,
            True,
            id="a tenth failing is a breach",
        ),
    ],
)
def test_a_gate_is_decided_either_way(recording: Recording, look: int, ends: bool) -> None:
    """At the share of alpha that belongs to the look."""
    assert decided(look, CONFIDENT, make_evidence(recording)) is ends


def test_only_the_client_is_asked_during_a_run() -> None:
    """The server's numbers come after it."""
    spec = make_spec(
        '  error_rate: {silver: "< 1%"}\n  cache_hit_rate: {silver: "> 1%", source: prometheus}\n',
        more='scrape: ["http://127.0.0.1:8000/metrics"]\n',
    )
    assert [item.name for item in client_side(spec).objectives] == ["error_rate"]


def test_looking_five_times_is_no_more_often_wrong_than_once() -> None:
    """3,000 runs exactly at the limit: false met at alpha 5 % stays at 5 %; naive looking does not."""
    draws = np.random.default_rng(11).binomial(50, 0.02, size=(3000, 60))
    naive = spent = 0
    for bad in draws:
        verdicts = []
        for look, share in enumerate(INTERIM_ANALYSES):
            seen = list(bad[: round(share * 60)])
            n = [50] * len(seen)
            verdicts.append(judge_proportion(n, seen, 0.02, 0.05 * spending(look)).verdict)
            naive += judge_proportion(n, seen, 0.02, 0.05).verdict is Verdict.MET and not any(
                verdict is Verdict.MET for verdict in verdicts[:-1]
            )
        spent += Verdict.MET in verdicts
    assert spent / 3000 < 0.05
    assert naive > spent
