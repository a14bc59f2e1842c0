"""No connection of a run leaves this machine for a host that was not allowed."""

import re
from typing import Any

import pytest

from tests.e2e.support.guard import runs
from tests.e2e.support.guard.namespace import ELSEWHERE, run_inside

HOSTS = {"elsewhere.example": ELSEWHERE, "pointed.localhost": ELSEWHERE}


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """The results of all runs, made once in one namespace."""
    folder = tmp_path_factory.mktemp("guarded")
    return run_inside("tests.e2e.support.guard.runs", folder, hosts=HOSTS)


def findings(run: Any) -> dict[str, str]:
    """Return the messages of a run's failed checks, by code."""
    return {item["code"]: item["message"] for item in run["result"]["findings"] if not item["valid"]}


def test_no_way_of_a_locust_file_leads_elsewhere(made: Any) -> None:
    """Each client, address and socket was tried, and the other host has received nothing."""
    run, ways = made["runs"]["ways"], re.findall(r"def (by_\w+)\(self\)", runs.WAYS)
    assert sorted(way.partition(".")[2] for way in made["tried"]) == sorted(ways)
    assert run["received"] == 0
    assert run["code"] == 4
    text = findings(run)["allowed-targets"]
    assert "pointed.localhost (10.77.0.2:" in text
    assert "--allow-target pointed.localhost" in text
    assert "elsewhere.example (10.77.0.2:" in text
    assert "--allow-target elsewhere.example" in text
    assert text in run["result"]["headline"]


def test_what_was_not_sent_is_not_a_failure_of_the_target(made: Any) -> None:
    """Whether the file swallows the exception or calls the request a success; the run ends early."""
    result = made["runs"]["ways"]["result"]
    failed = {item["endpoint"]: item["failed_by_class"] for item in result["endpoints"] if item["failed"]}
    assert failed == {}
    assert "GET strayed" not in {item["endpoint"] for item in result["endpoints"]}
    assert "GET strayed could not be sent" in findings(made["runs"]["ways"])["scenario"]
    assert result["run"]["ending"] == "forbidden_connection"
    assert {level["verdict"] for item in result["objectives"] for level in item["levels"]} <= {"undecided"}


def test_proxies_are_ignored_and_this_is_said(made: Any) -> None:
    """In a call, a session, a class and the file's environment: the target gets and serves each request."""
    result = made["runs"]["ways"]["result"]
    responded = {item["endpoint"]: item["requests_by_status"] for item in result["endpoints"]}
    assert responded["GET proxied"] == {"200": 3}
    assert made["counts"]["/past-the-environment"] == 2
    assert any("a proxy of the Locust file is ignored" in item["message"] for item in result["warnings"])


def test_a_request_is_sent_once_and_counted_once(made: Any) -> None:
    """Retries of a mounted adapter are disabled; an adapter that resends by itself is refused."""
    result, counts = made["runs"]["ways"]["result"], made["counts"]
    requests = {item["endpoint"]: item["requests"] for item in result["endpoints"]}
    assert counts["/status/404"] == requests["GET retried"] == 1
    assert counts["/status/410"] == 1
    assert any("max_retries of HTTPAdapter is ignored" in item["message"] for item in result["warnings"])
    assert findings(made["runs"]["ways"])["recording"].startswith("1 request lost")
    assert counts[f"/redirect/{ELSEWHERE}:{made['port']}"] == requests["GET redirected"] == 2


@pytest.mark.parametrize("name", ["import", "init", "localhost"])
def test_what_is_seen_before_the_load_exits_2(made: Any, name: str) -> None:
    """A file that connects while imported or in `init`, and a target that the hosts file redirects."""
    run = made["runs"][name]
    host = "pointed.localhost" if name == "localhost" else "elsewhere.example"
    assert (run["code"], run["received"], run["result"]) == (2, 0, None)
    assert f"{host} ({ELSEWHERE}" in run["stderr"]
    assert f"--allow-target {host}" in run["stderr"]


def test_a_target_is_the_same_by_each_address_of_this_machine(made: Any) -> None:
    """A server may listen on all of them, and two runs would load it."""
    assert made["refused"]


def test_a_token_host_is_asked_only_where_it_is_allowed(made: Any) -> None:
    """`test_start` connects before the load: if not allowed, none is sent; if allowed, nothing is reported.

    What the last listeners of master and worker try is reported, although the result was complete before.
    """
    refused, allowed = made["runs"]["token"], made["runs"]["allowed"]
    assert (refused["code"], refused["received"]) == (4, 0)
    assert "--allow-target elsewhere.example" in findings(refused)["allowed-targets"]
    assert refused["result"]["endpoints"] == []
    assert allowed["received"] > 0
    text = findings(allowed)["allowed-targets"]
    assert text.startswith("the Locust file tried to connect to 10.77.0.3:80 twice, which is not an allowed")
