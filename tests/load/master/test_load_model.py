"""The master's side of the open and the closed model."""

from dataclasses import replace

import pytest

from slocheck.evidence.model import ArrivalStats
from slocheck.load.master.load_model import ClosedMasterModel, OpenMasterModel, master_model
from slocheck.plan.load_plan import LoadPlan
from slocheck.spec.model.load_profile import Stage
from tests.builders.load_plans import make_plan

CLOSED = replace(make_plan("http://h", "s.py"), users=8, spawn_rate=2)
STAGED = replace(CLOSED, stages=(Stage(0, 8, 4), Stage(8, 8, 2)))
OPEN = replace(CLOSED, rate=(Stage(10, 10, 3),))


@pytest.mark.parametrize(
    ("plan", "elapsed", "users"),
    [
        pytest.param(CLOSED, 0.0, (8, 2), id="all users, at the plan's rate"),
        pytest.param(CLOSED, 9.5, (8, 2), id="and no others later"),
        pytest.param(STAGED, 2.9, (4, 8.0), id="a stage's users at the second's begin, at once"),
        pytest.param(STAGED, 5.0, (8, 8.0), id="the stage that is held"),
        pytest.param(OPEN, 1.0, None, id="the workers have started theirs"),
    ],
)
def test_users_follow_the_plan(plan: LoadPlan, elapsed: float, users: tuple[int, float] | None) -> None:
    """The closed model's users are the master's to start, second by second."""
    assert master_model(plan).users_at(elapsed) == users


def test_the_model_is_chosen_by_the_plan() -> None:
    """A rate makes the open model: it begins a little later, and a Locust file's users may send early."""
    closed, opened = master_model(CLOSED), master_model(OPEN)
    assert (type(closed), closed.lead_ns, closed.may_send_early) == (ClosedMasterModel, 0, False)
    assert (type(opened), opened.lead_ns > 0, opened.may_send_early) == (OpenMasterModel, True, True)
    assert not master_model(replace(OPEN, scenario="s.yaml")).may_send_early


def test_arrivals_are_those_of_the_open_model() -> None:
    """Without an arrival nothing is late; the closed model has none."""
    assert master_model(CLOSED).arrival_stats(0, {}) is None
    assert master_model(OPEN).arrival_stats(3, {}) == ArrivalStats(3, 3, 0.0, 0.0)
