"""A scenario that does nothing but raise ends its load; one that does anything else does not."""

import pytest

from slocheck.load.master.task_streak import RAISING_S, TaskStreak
from slocheck.load.messaging.messages import TaskCounts


@pytest.mark.parametrize(
    ("reports", "running", "tolerated", "ends"),
    [
        pytest.param([], 4, 0, False, id="nothing happened"),
        pytest.param([(0, TaskCounts(raised=10))], 4, 0, True, id="ten exceptions, and nobody at anything"),
        pytest.param([(0, TaskCounts(raised=9))], 4, 0, False, id="too few to tell"),
        pytest.param([(0, TaskCounts(raised=60, busy=5))], 9, 0, True, id="ten for each who is busy"),
        pytest.param([(0, TaskCounts(raised=59, busy=5))], 9, 0, False, id="some are at long tasks"),
        pytest.param([(0.1, TaskCounts(raised=99))], 4, 0, False, id="not for long enough"),
        pytest.param([(0, TaskCounts(1, 99))], 4, 0, False, id="a task came to its end in that second"),
        pytest.param(
            [(0, TaskCounts(raised=99)), (1, TaskCounts(done=1)), (2, TaskCounts(raised=99))],
            4, 0, False, id="counted from the last task that came to its end",
        ),
        pytest.param([(0, TaskCounts(raised=99))], 4, 99, False, id="exceptions that are tolerated"),
        pytest.param([(0, TaskCounts(raised=100))], 4, 99, True, id="one more than is tolerated"),
        pytest.param([(0, TaskCounts(raised=1))], 0, 0, True, id="no user is left"),
        pytest.param([(0, TaskCounts(gone="StopUser"))], 0, 0, True, id="no user is left, all by themselves"),
        pytest.param([(0, TaskCounts(done=5))], 0, 0, False, id="no user runs yet"),
    ],
)  # fmt: skip
def test_only_exceptions_end_a_run(
    reports: list[tuple[float, TaskCounts]], running: int, tolerated: int, *, ends: bool
) -> None:
    """After ten seconds and ten exceptions per user that may still succeed; sooner if no user is left."""
    streak = TaskStreak(tolerated)
    for now, tasks in reports:
        streak.add("w", tasks, now=now)
    assert streak.ends(running, now=RAISING_S) is ends
