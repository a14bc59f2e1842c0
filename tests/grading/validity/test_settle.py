"""What the client's recording settles if scrapes are missing, and what it does not."""

from dataclasses import replace

import pytest

from slocheck.grading.assess import assess
from slocheck.grading.assessment import Outcome, Verdict
from slocheck.grading.validity.checks import check_run
from slocheck.indicators.measured_run import measured
from slocheck.spec.model import SourceChoice
from tests.builders.reports import report
from tests.faults.evidence_faults import EVIDENCE_FAULTS, Place

FAULTS = {fault.id: fault for fault in EVIDENCE_FAULTS}


@pytest.mark.parametrize(
    ("fault", "place", "exit_code"),
    [
        pytest.param("scrapes missing", (0.4, 0.6), 0, id="good scrapes on both sides"),
        pytest.param("scrapes failing", (0.4, 0.6), 0, id="scrapes that failed"),
        pytest.param("scrapes missing to the end", (0.6, 1.0), 4, id="nobody saw the end"),
        pytest.param("scrapes missing from the start", (0.0, 0.3), 4, id="nobody saw the begin"),
    ],
)
def test_a_gap_between_good_scrapes_is_settled_by_the_client(
    fault: str, place: Place, exit_code: int
) -> None:
    """Of a run that passes: the client knows what became of its requests, and nobody else sent any."""
    passed = report(Outcome.PASS)
    found = assess(passed.spec, FAULTS[fault].strike(passed.evidence, place))
    assert found.exit_code == exit_code
    (gap,) = (one for one in found.findings if one.code == "scrape-gaps")
    assert gap.valid is (exit_code == 0)
    assert ("the client knows" in gap.message) is (exit_code == 0)


def test_a_second_gap_at_the_edge_is_not_settled_with_the_first() -> None:
    """However much longer the one in the middle is."""
    passed = report(Outcome.PASS)
    evidence = FAULTS["scrapes missing"].strike(passed.evidence, (0.3, 0.7))
    evidence = FAULTS["scrapes missing to the end"].strike(evidence, (0.85, 1.0))
    assert assess(passed.spec, evidence).exit_code == 4


@pytest.mark.parametrize(
    ("allowed", "client_saw"),
    [
        pytest.param(4, True, id="an edge as long as a gap may be"),
        pytest.param(3.9, False, id="a longer one"),
    ],
)
def test_the_client_makes_up_for_a_gap_if_none_is_at_the_edge(allowed: float, *, client_saw: bool) -> None:
    """Four intervals without a scrape at the end are a gap of their own if three are allowed."""
    passed = report(Outcome.PASS)
    evidence = FAULTS["scrapes missing"].strike(passed.evidence, (0.3, 0.7))
    evidence = FAULTS["scrapes missing to the end"].strike(evidence, (0.85, 1.0))
    spec = replace(passed.spec, validity=replace(passed.spec.validity, max_scrape_gap=allowed))
    (gap,) = (one for one in check_run(spec, measured(evidence)) if one.code == "scrape-gaps")
    assert not gap.valid
    assert gap.client_saw is client_saw


def test_what_a_restart_within_the_gap_lost_is_not_met_without_the_client() -> None:
    """A level that is then met is met by the client's own numbers."""
    passed = report(Outcome.PASS)
    evidence = FAULTS["restarted"].strike(passed.evidence, (0.5, 0.5))
    found = assess(passed.spec, FAULTS["scrapes missing"].strike(evidence, (0.4, 0.6)))
    met = [level for one in found.objectives for level in one.levels if level.verdict is Verdict.MET]
    assert all(level.sides[0].verdict is Verdict.MET for level in met)
    assert met


def test_an_objective_that_the_server_alone_counts_stays_open() -> None:
    """With `source: prometheus` nothing makes up for the missing scrapes."""
    passed = report(Outcome.PASS)
    objectives = tuple(
        replace(one, source=SourceChoice.PROMETHEUS) if one.source is SourceChoice.BOTH else one
        for one in passed.spec.objectives
    )
    spec = replace(passed.spec, objectives=objectives)
    assert assess(spec, FAULTS["scrapes missing"].strike(passed.evidence, (0.4, 0.6))).exit_code == 4
