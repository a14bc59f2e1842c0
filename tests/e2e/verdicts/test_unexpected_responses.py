"""A run that measured the wrong thing does not pass: real servers, clients and command."""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from slocheck.evidence.model import Ending
from slocheck.pipeline.archive import load_evidence
from slocheck.pipeline.target.guard import sole_use
from tests.e2e.support.cli import only_run, result_of, slocheck, words, write_spec
from tests.e2e.support.servers.load_server import LoadServer

LONG = "users: 4, spawn_rate: 50/s, warmup: 3s, duration: 10m"
SHORT = "users: 4, spawn_rate: 50/s, duration: 3s"
SOME_HUNDRED = "users: 10, spawn_rate: 50/s, duration: 5s"
LOCUST_FILE = """
from locust import FastHttpUser, HttpUser, constant
from slocheck.users import LeanHttpUser


def ask(user):
    for path in {paths}:
        user.client.get(path, name=path + " of " + type(user).__name__, allow_redirects=user.follows)


class Plain(HttpUser):
    tasks, wait_time, follows = [ask], constant(0.02), True


class Fast(FastHttpUser):
    tasks, wait_time, follows = [ask], constant(0.02), True


class Lean(LeanHttpUser):
    tasks, wait_time, follows = [ask], constant(0.02), True


class Left(LeanHttpUser):
    tasks, wait_time, follows = [ask], constant(0.02), False
"""
KINDS = ("steps", "locust")


@pytest.fixture(scope="module")
def server() -> Iterator[LoadServer]:
    """A server that responds as its paths say."""
    with LoadServer() as running:
        yield running


def written(
    folder: Path,
    server: LoadServer,
    paths: Mapping[str, str],
    *,
    kind: str = "steps",
    workload: str = SHORT,
    more: str = "confidence: none\n",
) -> Path:
    """Write a spec whose scenario asks for these paths, and return its folder.

    Args:
        folder: Where to.
        server: The target.
        paths: What each step expects, by its path; empty if it has no ``expect``. A Locust file has one
            user class for each client, and one that follows no redirects.
        kind: ``steps`` or ``locust``.
        workload: Of the spec.
        more: Further blocks of the spec.
    """
    folder.mkdir(exist_ok=True)
    steps = [
        {"get": path, "name": f"GET {path}", **({"expect": json.loads(expect)} if expect else {})}
        for path, expect in paths.items()
    ]
    text = LOCUST_FILE.format(paths=list(paths))
    if kind == "steps":
        text = json.dumps({"think": "20ms", "flows": [{"steps": steps}]})
    name = "scenario.yaml" if kind == "steps" else "scenario.py"
    write_spec(folder, server.url, scenario=text, scenario_name=name, workload=workload, more=more)
    return folder


@pytest.mark.parametrize("kind", KINDS)
def test_a_wrong_path_a_missing_login_and_a_redirect_to_one_are_invalid_and_end_early(
    tmp_path: Path, server: LoadServer, kind: str
) -> None:
    """Ten minutes are planned; ten seconds of 404, 401 and 302 alone end the run with exit 4, and say why.

    The login page behind the redirect returns 200, and three of the clients follow it.
    """
    paths = {"/status/404": 404, "/status/401": 401, "/to/login": 302}
    folder = written(tmp_path, server, dict.fromkeys(paths, ""), kind=kind, workload=LONG)
    done = slocheck("run", cwd=folder)
    assert done.returncode == 4, done.stdout + done.stderr
    assert any(f"responses were {status}; " in words(done.stdout) for status in paths.values())
    wanted = "or write `expect: {status: " if kind == "steps" else "or write `failures: {expected: ["
    assert wanted in words(done.stdout)
    evidence = load_evidence(only_run(folder))
    assert evidence.ending is Ending.UNEXPECTED_RESPONSES
    assert len(evidence.recording.endpoints) == (3 if kind == "steps" else 12)
    for recorded in evidence.recording.endpoints:
        status = paths[recorded.endpoint.name.split()[0 if kind == "locust" else -1]]
        assert {code for part in recorded.slices for code in part.statuses} == {status}, recorded.endpoint
        unexpected = sum(part.unexpected for part in recorded.slices)
        assert unexpected == sum(part.sent for part in recorded.slices) > 0, recorded.endpoint


EXPECTED = "confidence: none\nfailures: {expected: [404], redirects: [/home]}\n"


@pytest.mark.parametrize(
    ("kind", "paths"),
    [
        pytest.param(
            "steps",
            {
                "/status/404": "",
                "/status/410": '{"status": 410}',
                "/to/home": "",
                "/to/login": '{"status": 302}',
            },
            id="steps",
        ),
        pytest.param("locust", {"/status/404": "", "/to/home": ""}, id="locust"),
    ],
)
def test_what_is_written_as_expected_is_a_success(
    tmp_path: Path, server: LoadServer, kind: str, paths: dict[str, str]
) -> None:
    """The same responses pass if spec or step name them, with every client, and no warning is left."""
    done = slocheck("run", "--json", cwd=written(tmp_path, server, paths, kind=kind, more=EXPECTED))
    assert done.returncode == 0, done.stdout + done.stderr
    result = result_of(done)
    run = result["run"]
    assert run["requests"] > run["unexpected"] == run["failed"] == 0
    assert run["requests_by_status"].keys() == ({"404", "410", "302"} if kind == "steps" else {"404", "302"})
    assert "unexpected-responses" not in {item["code"] for item in result["warnings"]}


def test_an_expectation_that_refuses_every_404_is_invalid_as_well(tmp_path: Path, server: LoadServer) -> None:
    """A written ``expect`` makes the responses failures, but nothing was measured either way."""
    folder = written(tmp_path, server, {"/status/404": '{"status": 200}'})
    done = slocheck("run", cwd=folder)
    assert done.returncode == 4, done.stdout
    assert "responses were 404; fix the path" in words(done.stdout)


def test_few_unexpected_responses_are_a_warning_and_count_as_possibly_bad(
    tmp_path: Path, server: LoadServer
) -> None:
    """One in 200 is below the bound of 1 %: the gate is met despite them, and they are shown."""
    folder = written(tmp_path, server, {"/every/200-404": ""}, workload=SOME_HUNDRED)
    done = slocheck("run", "--json", cwd=folder)
    assert done.returncode == 0, done.stdout + done.stderr
    result = result_of(done)
    (warning,) = [item for item in result["warnings"] if item["code"] == "unexpected-responses"]
    assert "responses were 404; fix the path, or write `expect: {status: 404}`" in warning["message"]
    run = result["run"]
    assert 0 < run["unexpected"] == run["requests_by_status"]["404"] <= run["requests"] / 100
    assert run["failed"] == 0


def test_the_probe_shows_what_each_get_step_returns(tmp_path: Path, server: LoadServer) -> None:
    """Each GET is sent once; an unexpected status is reported: exit 4, before any load."""
    folder = written(
        tmp_path,
        server,
        {"/status/404": "", "/to/home": "", "/to/login": ""},
        more=EXPECTED.replace("404", "410"),
    )
    before = server.counts["/status/404"]
    done = slocheck("validate", "--probe", cwd=folder)
    assert done.returncode == 4, done.stderr
    lines = {line.split()[1]: line for line in done.stdout.splitlines() if line.startswith("GET /")}
    assert "  404, no content type, 2 B, " in lines["/status/404"]
    assert "unexpected: fix the request, or write `expect: {status: 404}`" in lines["/status/404"]
    cures = "request /login, or write `failures: {redirects: [/login]}` or `expect: {status: 302}`"
    assert "302 to /login, " in lines["/to/login"]
    assert f"unexpected: {cures}" in lines["/to/login"]
    assert "unexpected" not in lines["/to/home"]
    assert server.counts["/status/404"] == before + 1


def test_the_probe_keeps_to_what_holds_for_a_run(tmp_path: Path, server: LoadServer) -> None:
    """They need permission for another machine, and only one runs per target; accepted responses exit 0."""
    folder = written(tmp_path, server, {"/ok": ""})
    before = server.counts["/ok"]
    with sole_use(server.url, allow_concurrent=False):
        done = slocheck("validate", "--probe", cwd=folder)
        assert done.returncode == 2
        assert "another slocheck run is loading it" in done.stderr
        assert server.counts["/ok"] == before
        assert slocheck("validate", "--probe", "--allow-concurrent", cwd=folder).returncode == 0
    assert server.counts["/ok"] == before + 1
    spec = folder / "slo.yaml"
    spec.write_text(spec.read_text().replace("//localhost", "//shop.invalid"))
    done = slocheck("validate", "--probe", cwd=folder)
    assert done.returncode == 2
    assert "target http://shop.invalid" in done.stderr
    assert "--allow-target shop.invalid" in done.stderr
    done = slocheck("validate", "--probe", "--allow-target", "shop.invalid", cwd=folder)
    assert done.returncode == 4
    assert "unknown host" in done.stderr
