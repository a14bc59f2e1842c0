"""A machine that fares worse than the others is pointed out, if that is more than chance."""

from dataclasses import replace

import numpy as np
import pytest

from slocheck.evidence.machines import MachineHealth, MachineLoad
from slocheck.grading.validity.machine_differences import machine_differences
from tests.builders.evidence import make_evidence
from tests.builders.recordings import THRESHOLDS, make_recording

BLOCKS, SENT = 30, 200


def machine(name: str, seed: int, *, failing: float = 0.01, slow: float = 0.3) -> MachineHealth:
    """Return a machine with these numbers of failed requests and of requests over the second threshold."""
    draw = np.random.default_rng(seed)
    failed = draw.binomial(SENT, failing, BLOCKS)
    over = draw.binomial(SENT - failed, slow)
    below = np.minimum(SENT - failed, over * 3)
    places = [below, over, *([over * 0] * (len(THRESHOLDS) - 2))]
    load = MachineLoad(
        block_s=2,
        sent=(SENT,) * BLOCKS,
        not_ok=tuple(failed.tolist()),
        over=tuple(map(tuple, np.stack(places, axis=1).tolist())),
    )
    return MachineHealth(name, "10.0.0.1", ("w",), load=load)


def told(*machines: MachineHealth) -> list[str]:
    """Return the warnings of a run on these machines."""
    run = make_evidence(make_recording())
    run = replace(run, health=replace(run.health, machines=machines))
    found = list(machine_differences(run))
    assert {warning.code for warning in found} <= {"machine-differs"}
    return [warning.text for warning in found]


def test_machines_that_are_alike_are_not_pointed_out() -> None:
    """Not by chance either, over many runs of three machines."""
    runs = range(0, 300, 3)
    assert sum(bool(told(*(machine(str(n), seed + n) for n in range(3)))) for seed in runs) <= 3


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        pytest.param({"failing": 0.1}, "of the requests of far failed or had an unexpected", id="limited"),
        pytest.param({"slow": 0.6}, "of the responses to far took", id="far away"),
    ],
)
def test_a_machine_that_fares_worse_is_named(changes: dict[str, float], says: str) -> None:
    """Only that machine, with its share and that of the others."""
    (text,) = told(machine("a", 1), machine("b", 2), machine("far", 3, **changes))
    assert says in text
    assert "more than chance" in text


def test_a_machine_that_does_not_reach_the_target_is_named() -> None:
    """Even if its users wait for responses, so that it sends in two blocks of the window only."""
    load = machine("far", 3).load
    alone = (100, 100, *(0,) * (BLOCKS - 2))
    cut = replace(load, sent=alone, not_ok=alone, over=((0,) * len(THRESHOLDS),) * BLOCKS)
    (text,) = told(machine("a", 1), MachineHealth("cut", "10.0.0.3", ("w",), load=cut))
    assert text.startswith("all 200 requests of cut failed or had an unexpected response, compared with ")
    assert told(MachineHealth("a", "", (), load=cut), MachineHealth("b", "", (), load=cut)) == []


def test_what_cannot_be_compared_is_not() -> None:
    """One machine alone; and loads whose blocks do not fit, as in damaged evidence."""
    assert told(machine("far", 3, failing=0.5)) == []
    odd = machine("odd", 3, failing=0.5)
    for changes in ({"block_s": 3}, {"sent": (1,)}, {"over": ((1,),) * BLOCKS}):
        other = replace(odd, load=replace(odd.load, **changes))
        assert all("took" not in text for text in told(machine("a", 1), other))
