"""What makes two runs samples of different things."""

from dataclasses import replace

import pytest

from slocheck.evidence.model import Provenance
from slocheck.indicators.comparability import differences
from slocheck.spec.model import FailureRule, Spec
from slocheck.spec.model.load_profile import Stage
from tests.builders.evidence import PROVENANCE
from tests.builders.specs import make_spec

SPEC = make_spec()
LOAD = SPEC.workload


def told(spec: Spec = SPEC, origin: Provenance = PROVENANCE) -> list[str]:
    """Return how a run differs from the usual one."""
    return list(differences((SPEC, PROVENANCE), (spec, origin)))


def test_a_run_is_like_itself_for_any_length_and_seed() -> None:
    """Its length, time and seed make no difference."""
    longer = replace(LOAD, duration=LOAD.duration + 1, warmup=LOAD.warmup + 1, drain=1.0)
    assert told(replace(SPEC, workload=longer), replace(PROVENANCE, seed=99, run_id="x", command="y")) == []


def test_the_length_of_a_constant_course_does_not_matter() -> None:
    """100/s for a minute and for two are the same load; a ramp of another length is another."""
    constant, longer = (replace(LOAD, rate=(Stage(100, 100, seconds),)) for seconds in (60, 120))
    one, other = replace(SPEC, workload=constant), replace(SPEC, workload=longer)
    assert list(differences((one, PROVENANCE), (other, PROVENANCE))) == []
    ramps = [replace(SPEC, workload=replace(LOAD, rate=(Stage(1, 9, s), Stage(9, 9, s)))) for s in (5, 6)]
    assert list(differences((ramps[0], PROVENANCE), (ramps[1], PROVENANCE))) == ["different workload.rate"]


@pytest.mark.parametrize(
    ("spec", "origin", "expected"),
    [
        (SPEC, replace(PROVENANCE, target="http://other"), f"target {PROVENANCE.target} and http://other"),
        (
            SPEC,
            replace(PROVENANCE, scenario_sha256="f" * 64),
            f"scenario {PROVENANCE.scenario} and {PROVENANCE.scenario}, with different contents",
        ),
        (replace(SPEC, workload=replace(LOAD, users=LOAD.users + 1)), PROVENANCE, "different workload.users"),
        (replace(SPEC, workload=replace(LOAD, tags=("x",))), PROVENANCE, "different workload.tags"),
        (replace(SPEC, failures=FailureRule(("429",))), PROVENANCE, "different failures"),
    ],
)
def test_another_load_is_told(spec: Spec, origin: Provenance, expected: str) -> None:
    """Each difference that makes another sample is named."""
    assert told(spec, origin) == [expected]
