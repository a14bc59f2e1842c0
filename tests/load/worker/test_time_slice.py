"""The worker's slices: short where the system grants it, and neither priority nor policy changes."""

import os

from slocheck.load.worker.time_slice import ask_for_short_slices


def test_short_slices_change_nothing_else() -> None:
    """The share of the core stays that of any other process, and what is granted can be asked for again."""
    before = os.sched_getscheduler(0), os.getpriority(os.PRIO_PROCESS, 0)
    for _ in range(2):
        ask_for_short_slices()
        assert (os.sched_getscheduler(0), os.getpriority(os.PRIO_PROCESS, 0)) == before
