"""Locust files as people write them, beside plain Locust: the same names, requests and failures."""

from collections.abc import Iterator

import pytest

from tests.e2e.support.beside.forked_locust import ForkedLocust
from tests.e2e.support.beside.runs import Beside, Case, without_query_values

CASES = (
    Case("tasks/weights_as_dict.py", users=3),
    Case("tasks/nested_task_sets.py"),
    Case("tasks/sequential_task_set.py"),
    Case("tasks/markov_task_set.py"),
    Case("tasks/tags.py", tags=("read",), exclude_tags=("slow",)),
    Case("tasks/inheritance.py", users=4),
    Case("tasks/several_classes.py", users=6),
    Case("tasks/wait_times.py", users=7),
    Case("tasks/endings.py", users=5),
    Case("clients/http_user.py"),
    Case("clients/fast_http_user.py"),
    Case("clients/lean_http_user.py"),
    Case("clients/rest.py"),
    Case("clients/catch_response.py", lost=(("GET checked by raise_for_status", (2, 2)),)),
    Case("clients/custom_client.py"),
    Case("clients/own_session.py", users=3),
    Case("clients/concurrent_requests.py"),
    Case("events/listeners.py", users=1),
    Case("events/request_counts.py", users=1),
    Case("events/messages.py"),
    Case("events/custom_options.py"),
    Case("data/csv_data.py"),
    Case("data/siblings/locustfile.py"),
    Case("data/names_from_urls.py"),
)


@pytest.fixture(scope="module")
def beside() -> Iterator[Beside]:
    """Start all runs, a few at a time."""
    with ForkedLocust() as locust:
        runs = Beside(CASES, locust)
        yield runs
        runs.close()


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.file)
def test_a_file_sends_and_counts_what_it_does_under_locust(beside: Beside, case: Case) -> None:
    """The same names, requests and failures; but a 4xx is unexpected, and query values are replaced."""
    plain, ours = beside.outcomes(case)
    assert plain.counts, plain.said
    assert ours.counts == without_query_values(plain.counts, ours.counts) | dict(case.lost)
    assert ours.served == plain.served
    assert ours.said == ""
    assert ours.result is not None
    assert ours.result.health.unrecorded == 0
    assert "secret" not in str(ours.result)
