"""The machine's clocks are compared with the one that times the load."""

import time

import pytest

from slocheck.load.master.clock_watch import ClockWatch


def test_clocks_that_agree_show_nothing() -> None:
    """Neither before the load nor in it."""
    clocks = ClockWatch()
    clocks.look()
    clocks.begin(wall=time.time(), monotonic=time.monotonic())
    clocks.look()
    assert clocks.jump < 0.5
    assert clocks.suspended < 0.5


@pytest.mark.parametrize("seconds", [7.0, -7.0])
def test_a_jump_of_the_wall_clock_is_kept(seconds: float) -> None:
    """In either direction; it stays when the clock is set right again."""
    clocks = ClockWatch()
    clocks.begin(wall=time.time() - seconds, monotonic=time.monotonic())
    clocks.look()
    assert clocks.jump == pytest.approx(7, abs=0.5)


def test_time_in_which_the_machine_was_suspended_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    """The clock since boot goes on meanwhile, the monotonic one does not."""
    clocks, real = ClockWatch(), time.clock_gettime
    clocks.begin(wall=time.time(), monotonic=time.monotonic())
    monkeypatch.setattr(
        time, "clock_gettime", lambda clock: real(clock) + (7 if clock == time.CLOCK_BOOTTIME else 0)
    )
    clocks.look()
    assert clocks.suspended == pytest.approx(7, abs=0.5)
