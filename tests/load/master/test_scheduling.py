"""When the processes around the load check on it, and how they stay out of its way."""

import gc
import os

import pytest

from slocheck.load.master.scheduling import behind_the_load, loading
from slocheck.load.phases import Phases
from tests.builders.load_plans import make_plan


def test_the_command_line_steps_back_while_the_load_runs_and_not_longer() -> None:
    """Neither its priority nor its garbage collection stays changed, also if the load ends by an error."""
    before = os.sched_getscheduler(0)

    def load() -> None:
        with behind_the_load():
            assert os.sched_getscheduler(0) in (before, os.SCHED_BATCH)
            assert gc.get_freeze_count() > 0
            raise KeyError

    with pytest.raises(KeyError):
        load()
    assert (os.sched_getscheduler(0), gc.get_freeze_count()) == (before, 0)


def test_no_collection_goes_through_what_is_loaded() -> None:
    """Neither while it is loaded nor later; what is made afterwards is collected as always."""
    begun: list[object] = []
    gc.callbacks.append(lambda phase, info: begun.append(info) if phase == "start" else None)
    try:
        with loading():
            made = [[number] for number in range(100_000)]
            assert begun == []
        assert gc.isenabled()
        assert gc.get_freeze_count() >= len(made)
        gc.collect()
        assert begun != []
    finally:
        gc.callbacks.pop()
        gc.unfreeze()


@pytest.mark.parametrize(
    ("elapsed", "until"),
    [
        pytest.param(-0.25, 0.25, id="before the load"),
        pytest.param(0.0, 1.0, id="on a second"),
        pytest.param(1.75, 0.25, id="within a second"),
        pytest.param(2.75, 0.25, id="before the end"),
        pytest.param(3.5, 0.0, id="after the end"),
    ],
)
def test_the_master_looks_again_at_the_next_second(elapsed: float, until: float) -> None:
    """A second or the end is never slept over."""
    phases = Phases(make_plan("http://127.0.0.1:1", "scenario.yaml", warmup_s=1, duration_s=2))
    assert phases.until_next(elapsed) == until
