"""A run on several machines is valid only while their clocks are known."""

from dataclasses import replace
from math import nan

import pytest

from slocheck.evidence.machines import MachineHealth
from slocheck.evidence.model import WorkerHealth
from slocheck.grading.validity.checks import check_run
from slocheck.grading.validity.machines import machine_clocks
from slocheck.indicators.measured_run import measured
from tests.builders.evidence import make_evidence
from tests.builders.recordings import make_recording
from tests.builders.specs import make_spec

A = MachineHealth("a", "10.0.0.1", ("w1",), clock_offset=5000.0, clock_bound=0.0001, clock_moved=0.0)


@pytest.mark.parametrize(
    ("changes", "valid", "says"),
    [
        pytest.param(
            {}, True, "known to within 0.1 ms, the furthest 5,000.000 s ahead, corrected", id="far ahead"
        ),
        pytest.param({"clock_offset": -0.002}, True, "the furthest 2 ms behind", id="behind"),
        pytest.param({"clock_offset": 0.002}, True, "the furthest 2 ms ahead", id="a little ahead"),
        pytest.param({"clock_bound": 0.25}, True, "known to within 250 ms", id="on the bound"),
        pytest.param({"clock_bound": 0.2501}, False, "known only to within 250 ms, allowed", id="over it"),
        pytest.param({"clock_moved": -0.05}, True, "corrected", id="moved as far as it may"),
        pytest.param({"clock_moved": -0.0501}, False, "of a moved by 50.1 ms", id="moved further"),
        pytest.param({"clock_moved": None}, False, "of a could not be compared after the load", id="gone"),
        pytest.param({"clock_bound": None}, False, "of a could not be compared before", id="never"),
        pytest.param({"clock_bound": nan}, False, "of a is known only to within", id="not a number"),
        pytest.param({"clock_moved": nan}, False, "of a moved by", id="not a number either"),
    ],
)
def test_a_clock_has_to_be_known_and_steady(
    changes: dict[str, float | None], *, valid: bool, says: str
) -> None:
    """The machine is named; how far its clock is ahead does not matter, since that is corrected."""
    run = make_evidence(make_recording())
    machines = (replace(A, machine="b", clock_offset=0.0), replace(A, **changes))  # type: ignore[arg-type] # fields
    (found,) = machine_clocks(make_spec(), replace(run, health=replace(run.health, machines=machines)))
    assert found.valid is valid
    assert says in found.message


def test_a_single_machine_has_one_clock() -> None:
    """Each check can fail."""
    assert machine_clocks(make_spec(), make_evidence(make_recording())) == []


def test_a_worker_is_named_with_its_machine() -> None:
    """If something is missing, busy or late, the message names the machine to look at."""
    run = make_evidence(make_recording())
    workers = (
        WorkerHealth("w1", cpu=0.2, loop_lag_p99=0.5, complete=True),
        WorkerHealth("w2", cpu=0.95, loop_lag_p99=0.001, complete=False),
    )
    machines = (A, replace(A, machine="b", workers=("w2",)))
    health = replace(run.health, workers=workers, machines=machines)
    found = {each.code: each for each in check_run(make_spec(), measured(replace(run, health=health)))}
    assert "requests of w2 on b are missing" in found["workers"].message
    assert found["generator-cpu"].message.startswith("generator CPU 95% of a core on b, allowed")
    assert found["loop-lag"].message.startswith("loop lag p99 500ms on a, allowed")
    assert not any(found[code].valid for code in ("workers", "generator-cpu", "loop-lag"))
