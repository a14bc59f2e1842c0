"""A fault never improves a verdict: over the evidence of a run that breaches."""

from collections.abc import Sequence
from functools import cache

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from slocheck.evidence.model import Evidence
from slocheck.grading.assess import assess
from slocheck.grading.assessment import Assessment, Outcome, Verdict
from slocheck.spec.model import Spec
from tests.builders.reports import report
from tests.faults.evidence_faults import EVIDENCE_FAULTS, EvidenceFault, Place

PLACES: tuple[Place, ...] = ((0.0, 1.0), (0.0, 0.3), (0.45, 0.6))
SHARES = st.floats(0, 1)


@cache
def breaching() -> tuple[Spec, Evidence]:
    """Return a run that breaches its gate, with both sides."""
    found = report(Outcome.FAIL)
    assert found.assessment.exit_code == 1
    return found.spec, found.evidence


def met(assessment: Assessment) -> set[tuple[str, str]]:
    """Return the levels that are met."""
    return {
        (result.objective.name, level.level)
        for result in assessment.objectives
        for level in result.levels
        if level.verdict is Verdict.MET
    }


def struck(faults: Sequence[tuple[EvidenceFault, Place]]) -> Assessment:
    """Grade the run with these faults in it."""
    spec, evidence = breaching()
    for fault, place in faults:
        evidence = fault.strike(evidence, place)
    return assess(spec, evidence)


def improvements(faults: Sequence[tuple[EvidenceFault, Place]]) -> list[str]:
    """Say what the faults improved."""
    before, after = report(Outcome.FAIL).assessment, struck(faults)
    found = [f"{name}.{level} became met" for name, level in sorted(met(after) - met(before))]
    if after.exit_code == 0:
        found.append("the run passes")
    return found


@pytest.mark.parametrize("fault", EVIDENCE_FAULTS, ids=lambda fault: fault.id)
def test_no_fault_improves_a_verdict(fault: EvidenceFault) -> None:
    """Wherever in the run it strikes: no level becomes met, and the run never passes."""
    places = PLACES if fault.kind != "generator" else PLACES[:1]
    assert {place: found for place in places if (found := improvements([(fault, place)]))} == {}


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(st.tuples(st.sampled_from(EVIDENCE_FAULTS), st.tuples(SHARES, SHARES)), max_size=3))
def test_nor_do_several_at_any_time(faults: list[tuple[EvidenceFault, Place]]) -> None:
    """Up to three faults, each anywhere in the run."""
    assert improvements(faults) == []
