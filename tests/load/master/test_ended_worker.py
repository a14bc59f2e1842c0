"""How a worker process ended, as a user reads it."""

import pytest

from slocheck.load.master.ended_worker import EndedWorker


@pytest.mark.parametrize(
    ("code", "declarative", "says"),
    [
        pytest.param(-9, True, "was killed by signal 9", id="a signal"),
        pytest.param(3, True, "ended with exit code 3", id="a declarative scenario"),
        pytest.param(
            3,
            False,
            "ended with exit code 3; the Locust file or one of its libraries ended the process",
            id="a Locust file",
        ),
        pytest.param(
            71,
            False,
            "ended itself, as the load's master was silent: it was stopped, or the machine is overloaded",
            id="without a master",
        ),
    ],
)
def test_a_worker_that_ended_is_told_with_its_cause(code: int, declarative: bool, says: str) -> None:
    """The Locust file is not blamed for what the machine did."""
    assert EndedWorker("worker process 1 of 1", code).how(declarative=declarative) == says
