"""A run that measured something else than was meant does not pass: real servers, clients and command."""

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from slocheck.evidence.model import Ending
from slocheck.pipeline.archive import load_evidence
from tests.e2e.support.cli import only_run, result_of, slocheck, start_slocheck, write_spec
from tests.e2e.support.load_server import LoadServer

LONG = "users: 2, spawn_rate: 50, warmup: 3s, duration: 10m"
SHORT = "users: 2, spawn_rate: 50, duration: 10s"
STEPS = """
think: 20ms
flows:
  - steps:
      - get: {path}
        name: GET /orders
        {expect}
"""
CLIENT = """
from locust import constant, task
{imports}


class Reader({base}):
    wait_time = constant(0.02)

    @task
    def orders(self):
        self.client.get("{path}", name="/orders"{more})
"""
CLIENTS = {
    "declarative": "",
    "HttpUser": "from locust import HttpUser",
    "FastHttpUser": "from locust import FastHttpUser",
    "LeanHttpUser": "from slocheck.users import LeanHttpUser",
}


@pytest.fixture(scope="module")
def server() -> Iterator[LoadServer]:
    """A server that answers as its paths say."""
    with LoadServer() as running:
        yield running


def written(
    folder: Path,
    server: LoadServer,
    client: str,
    path: str,
    *,
    workload: str = SHORT,
    expect: str = "",
    more: str = "",
) -> Path:
    """Write a spec whose scenario asks for one path with one client, and return its folder."""
    folder.mkdir(exist_ok=True)
    lean = ", allow_redirects=True" if client == "LeanHttpUser" else ""
    text = (
        STEPS.format(path=path, expect=expect and f"expect: {expect}")
        if client == "declarative"
        else CLIENT.format(imports=CLIENTS[client], base=client, path=path, more=lean)
    )
    name = "scenario.yaml" if client == "declarative" else "scenario.py"
    write_spec(folder, server.url, scenario=text, scenario_name=name, workload=workload, more=more)
    return folder


def finished(process: "subprocess.Popen[str]") -> tuple[int, str]:
    """Wait for a run; return its exit code and what it printed."""
    out, err = process.communicate(timeout=120)
    return process.returncode, out + err


@pytest.mark.parametrize("client", CLIENTS)
def test_a_wrong_path_a_missing_login_and_a_redirect_to_one_are_invalid_and_end_early(
    tmp_path: Path, server: LoadServer, client: str
) -> None:
    """Ten minutes are planned; ten seconds of 404, 401 or 302 alone end the run with exit 4, and say why."""
    redirect = f"/redirect/{server.url.removeprefix('http://')}"
    paths = {404: "/status/404", 401: "/status/401", 302: redirect}
    folders = {
        status: written(tmp_path / str(status), server, client, path, workload=LONG)
        for status, path in paths.items()
    }
    running = [start_slocheck("run", "--allow-concurrent", cwd=folder) for folder in folders.values()]
    for status, process in zip(folders, running, strict=True):
        code, said = finished(process)
        assert code == 4, said
        assert f"answers were {status}; " in said
        wanted = f"expect: {{status: {status}}}" if client == "declarative" else f"expected: [{status}]"
        assert wanted in said
        evidence = load_evidence(only_run(folders[status]))
        assert evidence.ending is Ending.UNEXPECTED_ANSWERS
        (recorded,) = evidence.recording.endpoints
        assert (
            sum(part.unexpected for part in recorded.slices)
            == sum(part.sent for part in recorded.slices)
            > 10
        )
        assert {code for part in recorded.slices for code in part.statuses} == {status}


@pytest.mark.parametrize(
    ("client", "path", "more"),
    [
        pytest.param("declarative", "/status/404", "failures: {expected: [404]}\n", id="the spec expects it"),
        pytest.param("HttpUser", "redirect", "failures: {redirects: [/ok]}\n", id="HttpUser, the final path"),
        pytest.param(
            "FastHttpUser", "redirect", "failures: {redirects: [/ok]}\n", id="FastHttpUser, the final path"
        ),
        pytest.param(
            "LeanHttpUser", "redirect", "failures: {redirects: [/ok]}\n", id="LeanHttpUser, the final path"
        ),
        pytest.param(
            "FastHttpUser", "redirect", "failures: {expected: [3xx]}\n", id="redirects are expected"
        ),
    ],
)
def test_what_the_spec_expects_is_a_success(
    tmp_path: Path, server: LoadServer, client: str, path: str, more: str
) -> None:
    """The same answers pass where the spec names them, and no warning is left."""
    asked = f"/redirect/{server.url.removeprefix('http://')}" if path == "redirect" else path
    folder = written(tmp_path, server, client, asked, more=f"{more}confidence: none\n")
    done = slocheck("run", "--json", cwd=folder)
    assert done.returncode == 0, done.stdout + done.stderr
    run = result_of(done)["run"]
    assert run["requests"] > run["unexpected"] == run["failed"] == 0


def test_a_step_that_expects_a_status_makes_it_a_success(tmp_path: Path, server: LoadServer) -> None:
    """``expect: {status: 404}`` is what the message says to write."""
    folder = written(
        tmp_path, server, "declarative", "/status/404", expect="{status: 404}", more="confidence: none\n"
    )
    assert slocheck("run", cwd=folder).returncode == 0


def test_an_expectation_that_refuses_every_404_is_invalid_as_well(tmp_path: Path, server: LoadServer) -> None:
    """A written ``expect`` makes the answers failures, but nothing was measured either way."""
    folder = written(tmp_path, server, "declarative", "/status/404", expect="{status: 200}")
    done = slocheck("run", cwd=folder)
    assert done.returncode == 4, done.stdout
    assert "answers were 404; fix the path" in done.stdout


def test_few_unexpected_answers_are_a_warning_and_count_as_possibly_bad(
    tmp_path: Path, server: LoadServer
) -> None:
    """One in 200 is below the bound of 1 %: the gate is met in spite of them, and they are shown."""
    folder = written(tmp_path, server, "declarative", "/every/200-404", more="confidence: none\n")
    done = slocheck("run", "--json", cwd=folder)
    assert done.returncode == 0, done.stdout + done.stderr
    result = result_of(done)
    (warning,) = [item for item in result["warnings"] if item["code"] == "unexpected-answers"]
    assert "answers were 404; fix the path, or write `expect: {status: 404}`" in warning["message"]
    run = result["run"]
    assert 0 < run["unexpected"] == run["requests_by_status"]["404"] <= run["requests"] / 100
    assert run["failed"] == 0


def test_the_probe_shows_what_each_get_step_returns(tmp_path: Path, server: LoadServer) -> None:
    """Each GET is sent once; a status that nobody expects is said to be one, before any load."""
    folder = written(tmp_path, server, "declarative", "/status/404?probe")
    before = server.counts["/status/404"]
    done = slocheck("validate", "--probe", cwd=folder)
    assert done.returncode == 0, done.stderr
    assert "GET /orders  404, no content type, 2 B, " in done.stdout
    assert "unexpected: fix the request, or write `expect: {status: 404}`" in done.stdout
    assert server.counts["/status/404"] == before + 1


def test_the_probe_sends_nothing_to_a_target_that_is_not_allowed(tmp_path: Path, server: LoadServer) -> None:
    """The guard of a run holds for the probe, too."""
    folder = written(tmp_path, server, "declarative", "/ok")
    spec = folder / "slo.yaml"
    spec.write_text(spec.read_text().replace("//localhost", "//shop.example"))
    done = slocheck("validate", "--probe", cwd=folder)
    assert "no step is sent: target http://shop.example" in done.stdout
