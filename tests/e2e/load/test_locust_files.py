"""Locust files as people write them, compared with plain Locust: the same names, requests and failures."""

import re
from collections.abc import Iterator

import pytest

from slocheck.errors import UsageError
from tests.e2e.support.locust_comparison.forked_locust import ForkedLocust
from tests.e2e.support.locust_comparison.runs import Case, PairedRuns, under_slocheck, without_query_values

LOST = (
    ("GET checked by raise_for_status", (2, 2)),
    ("GET interrupted", (2, 2)),
    ("GET rescheduled", (2, 2)),
    ("GET rescheduled at once", (2, 2)),
    ("GET misread", (2, 2)),
    ("GET never entered", (2, 0)),
    ("GET left with its user", (2, 0)),
)
CASES = (
    Case("all_tasks.py", users=39),
    Case("all_clients.py", users=22, lost=LOST),
    Case("tasks/tags.py", tags=("read",), exclude_tags=("slow",)),
    Case("tasks/background.py"),
    Case("events/listeners.py", users=1),
    Case("events/request_counts.py", users=1),
    Case("events/messages.py"),
    Case("events/quit_on_threshold.py", users=1, ends="runner.quit() in {path}:14"),
    Case("events/stop_from_a_task.py", users=1, ends="runner.stop() in {path}:14"),
    Case("events/own_exit_code.py", exit_code=3),
    Case("events/custom_options.py", options=("--pages", "5", "--section=shoes", "--verbose-shop")),
    Case("data/csv_data.py"),
    Case("data/siblings/locustfile.py"),
    Case("data/names_from_urls.py"),
)


@pytest.fixture(scope="module")
def paired() -> Iterator[PairedRuns]:
    """Start all runs, a few at a time."""
    with ForkedLocust() as locust:
        runs = PairedRuns(CASES, locust)
        yield runs
        runs.close()


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.file)
def test_a_file_sends_and_counts_what_it_does_under_locust(paired: PairedRuns, case: Case) -> None:
    """The same names, requests and failures; but a 4xx is unexpected, and query values are replaced."""
    plain, ours = paired.outcomes(case)
    assert plain.counts, plain.said
    assert ours.counts == without_query_values(plain.counts, ours.counts) | dict(case.lost)
    assert ours.served == plain.served
    assert re.sub(r"^the Locust file ended the run after \d+ s: ", "", ours.said) == case.ends.format(
        path=case.path
    )
    assert ours.exit_code == case.exit_code
    assert plain.exit_code == case.exit_code or not case.exit_code
    assert ours.result is not None
    assert ours.result.health.unrecorded == 0
    assert ours.result.health.idle_classes == ()
    assert "secret" not in str(ours.result)


@pytest.mark.parametrize(
    ("file", "says"),
    [
        pytest.param(
            "data/missing_module.py",
            ":3: raises while it is imported: ModuleNotFoundError: No module named 'locust_plugins'",
            id="a package that is not installed",
        ),
        pytest.param(
            "tasks/load_shape.py",
            ": Steps is a LoadTestShape; the spec says how many users run when: "
            "write workload: {users: [{users: 1, for: 1s}, {users: 3, for: 2s}]} there",
            id="a shape",
        ),
        pytest.param(
            "clients/pytest_functions.py",
            ": test_items is a test in the style of pytest, which slocheck does not run; make it a @task",
            id="pytest",
        ),
    ],
)
def test_a_file_that_cannot_be_honoured_is_refused(file: str, says: str) -> None:
    """Before anything is sent, with the reason and what to do."""
    case = Case(file)
    with pytest.raises(UsageError) as refusal:
        under_slocheck(case)
    assert str(refusal.value).startswith(f"{case.path}{says}")
