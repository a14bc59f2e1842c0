"""A worker's health, and the run's clock."""

import logging
import time
from dataclasses import replace

import pytest

from slocheck.documents.units import NS_PER_SECOND
from slocheck.evidence.histogram import bucket_index
from slocheck.load.phases import Phases
from slocheck.load.worker.health import MAX_TEXTS, OTHER_TEXT, Health, HealthLogHandler
from tests.builders.load_plans import make_plan


def test_samples_are_kept_by_second_and_taken_once() -> None:
    """The last number of users of a second counts; loop lag is a histogram."""
    health = Health()
    for users in (1, 2):
        health.sample(users=users, late_ns=-5)
    first = health.take()
    (second,) = first.users
    assert first.users == {second: 2}
    assert first.loop_lag == {second: {bucket_index(0): 2}}
    assert len(first.cpu) == 1
    assert health.take().users == {}


def test_a_stall_belongs_to_the_second_in_which_it_began_and_what_is_left_to_the_later_ones() -> None:
    """One that crosses the window's begin or end is seen in the window, for as long as it was in it."""
    health = Health()
    now = time.monotonic_ns() // NS_PER_SECOND
    health.sample(users=1, late_ns=5 * NS_PER_SECOND)
    taken = health.take()
    began, *later = sorted(taken.loop_lag)
    assert began in (now - 5, now - 4)
    assert later == list(range(began + 1, began + 1 + len(later)))
    assert len(later) in (4, 5)
    left = [max(taken.loop_lag[second]) for second in (began, *later)]
    assert left == sorted(left, reverse=True)
    assert left[0] == bucket_index(5 * NS_PER_SECOND)
    assert bucket_index(4 * NS_PER_SECOND) <= left[1] <= left[0]
    assert left[-1] <= bucket_index(NS_PER_SECOND)
    assert set(taken.users) <= {now, now + 1}


def test_exceptions_are_counted_by_text_and_bounded() -> None:
    """The same exception is one text with a count, and names its place."""
    health = Health()
    for number in range(MAX_TEXTS + 3):
        health.on_user_error(None, ValueError(number), None)
    health.on_user_error(None, ValueError(0), None)
    exceptions = health.take().exceptions
    assert exceptions["ValueError: 0"] == 2
    assert exceptions[OTHER_TEXT] == 3
    with pytest.raises(KeyError) as caught:
        dict[str, int]()["k"]
    health.on_user_error(None, caught.value, caught.tb)
    (text,) = health.take().exceptions
    assert text.startswith("KeyError: 'k' (")
    assert "test_health.py:" in text


def test_exceptions_before_the_load_are_kept() -> None:
    """A user that could not start is missing in the load; how busy its process was before is not."""
    health = Health()
    health.sample(users=3, late_ns=0)
    health.add_message("before")
    health.on_user_error(None, ValueError("no session"), None)
    health.forget_samples()
    taken = health.take()
    assert (taken.users, taken.loop_lag, taken.messages) == ({}, {}, ())
    assert taken.exceptions == {"ValueError: no session": 1}


def test_log_messages_are_kept_except_those_of_tasks() -> None:
    """A warning keeps its first and last line."""
    health = Health()
    handler = HealthLogHandler(health)
    for name, text in (
        ("locust.runners", "first\nmiddle\nlast"),
        ("locust.user.task", "counted elsewhere"),
        ("locust.user.users", "as well"),
    ):
        handler.emit(logging.LogRecord(name, logging.WARNING, "", 0, text, None, None))
    assert health.take().messages == ("warning: first last",)


def test_an_exception_that_is_logged_is_kept_with_its_line_and_without_addresses() -> None:
    """``<Greenlet at 0x7f...>`` has no meaning, and differs from run to run."""
    health = Health()
    with pytest.raises(ValueError, match="mine") as caught:
        raise ValueError("mine")
    shown = "Unhandled exception in greenlet: <Greenlet at 0x7f3a5c: <lambda>(<A object at 0x7f12>)>"
    info = (ValueError, caught.value, caught.tb)
    HealthLogHandler(health).emit(logging.LogRecord("locust", logging.CRITICAL, "", 0, shown, None, info))
    (text,) = health.take().messages
    assert "0x" not in text
    assert "ValueError: mine (" in text
    assert "test_health.py:" in text


def test_what_the_on_stop_of_a_task_set_raises_is_an_exception_of_the_scenario() -> None:
    """Locust only logs it, with its traceback, while it handles it."""
    health = Health()
    try:
        int("mine")
    except ValueError:
        logged = "Uncaught exception in on_stop: \n%s", ("Traceback (most recent call last): ...",)
        HealthLogHandler(health).emit(logging.LogRecord("root", logging.ERROR, "", 0, *logged, None))
    taken = health.take()
    ((text, count),) = taken.exceptions.items()
    assert text.startswith("ValueError: invalid literal for int() with base 10: 'mine' (")
    assert count == 1
    assert taken.messages == ()


def test_a_request_that_could_not_be_built_is_told_once() -> None:
    """If the exception reaches the task as well, it is the same one."""
    health = Health()
    error = ValueError("no header")
    health.on_unsent("GET", "/x", error)
    health.on_user_error(None, RuntimeError("wrapped", error), None)
    ((text, count),) = health.take().exceptions.items()
    assert text.startswith("GET /x could not be sent: ValueError: no header (")
    assert count == 1


@pytest.mark.parametrize(
    ("warmup", "duration", "elapsed", "name", "measured"),
    [
        pytest.param(0, 2, 0.0, "window", 0, id="no warm-up"),
        pytest.param(1, 2, 0.99, "warm-up", 0, id="warm-up"),
        pytest.param(1, 2, 1.0, "window", 0, id="the window begins"),
        pytest.param(1, 2, 2.9, "window", 1, id="a part of a second is not measured"),
        pytest.param(1, 2, 3.0, "drain", 2, id="the end"),
        pytest.param(1, 2, 9.0, "drain", 2, id="long after"),
        pytest.param(0.5, 1.5, 2.5, "window", 1, id="a part of a second counts as a whole one"),
    ],
)
def test_phases(warmup: float, duration: float, elapsed: float, name: str, measured: int) -> None:
    """Warm-up and window are whole seconds."""
    phases = Phases(replace(make_plan("http://h", "s"), warmup_s=warmup, duration_s=duration))
    assert (phases.name(elapsed), phases.measured(elapsed)) == (name, measured)
    assert len(phases.window) == phases.window_s
