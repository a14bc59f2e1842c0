"""Bad input: a clear message, the right exit code, nothing sent, nothing lost."""

import base64
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import ClassVar

import pytest

from slocheck.reference_api.server import ReferenceApi
from tests.e2e.support.cli import slocheck, write_spec

SELECTOR = "preset: prom-client, selector: {job: shop-api}"


@pytest.fixture(scope="module")
def api() -> Iterator[str]:
    """The reference API, for all tests of this file."""
    with ReferenceApi(port=0) as running:
        yield running.url


@pytest.mark.parametrize(
    ("scenario", "message"),
    [
        pytest.param(None, "scenario.py", id="missing"),
        pytest.param("def broken(:\n", "scenario.py:1: not valid Python", id="syntax error"),
        pytest.param("import nothing_of_that_name\n", "nothing_of_that_name", id="unknown module"),
        pytest.param("x = 1\nraise ValueError('no such shop')\n", "no such shop", id="raises on import"),
        pytest.param("import sys\nsys.exit(7)\n", "scenario.py", id="exits on import"),
        pytest.param("from locust import task\n", "user", id="has no user"),
    ],
)
def test_a_scenario_that_cannot_be_used_exits_2(
    api: str, tmp_path: Path, scenario: str | None, message: str
) -> None:
    """The message says which file and why; no run is archived."""
    write_spec(tmp_path, api, scenario=scenario or "")
    if scenario is None:
        (tmp_path / "scenario.py").unlink()
    done = slocheck("run", cwd=tmp_path)
    assert done.returncode == 2, done.stderr
    assert "scenario.py" in done.stderr
    assert message in done.stderr
    assert "Traceback" not in done.stderr
    assert not list(tmp_path.glob("reports/*"))


@pytest.mark.parametrize(
    ("prepare", "message"),
    [
        pytest.param(lambda path: path.unlink(), "slocheck init", id="no slo.yaml"),
        pytest.param(lambda path: (path.unlink(), path.mkdir()), "directory", id="a directory"),
        pytest.param(lambda path: path.write_bytes(b"service: \xff\xfe"), "UTF-8", id="not UTF-8"),
        pytest.param(lambda path: path.write_text("a: [" * 5000), "slo.yaml:", id="nested too deep"),
        pytest.param(lambda path: path.write_text(""), "slo.yaml", id="empty"),
    ],
)
def test_a_spec_that_cannot_be_read_exits_2(api: str, tmp_path: Path, prepare: object, message: str) -> None:
    """Each way in which a spec can be missing is named."""
    spec = write_spec(tmp_path, api)
    assert callable(prepare)
    prepare(spec)
    done = slocheck("run", cwd=tmp_path)
    assert done.returncode == 2, done.stderr
    assert message in done.stderr
    assert "Traceback" not in done.stderr


class _Faulty(BaseHTTPRequestHandler):
    """Responds to each request as the first part of its path says."""

    pages: ClassVar = {
        "401": (401, "text/plain", b"who are you"),
        "500": (500, "text/plain", b"broken"),
        "html": (200, "text/html", b"<html><form>log in</form></html>"),
        "empty": (
            200,
            "application/json",
            b'{"status":"success","data":{"resultType":"vector","result":[]}}',
        ),
        "cut": (200, "application/json", b'{"status":"success","data":{"resu'),
    }

    def _respond(self) -> None:
        status, kind, body = self.pages[self.path.split("/")[1]]
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_GET(self) -> None:
        """Respond."""
        self._respond()

    def do_POST(self) -> None:
        """Read the form and respond."""
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self._respond()

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture(scope="module")
def faulty() -> Iterator[str]:
    """A server that is not a Prometheus in several ways."""
    with ThreadingHTTPServer(("127.0.0.1", 0), _Faulty) as http:
        threading.Thread(target=http.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{http.server_port}"
        http.shutdown()


@pytest.mark.parametrize(
    ("path", "message"),
    [
        pytest.param("401", "401", id="unauthorised"),
        pytest.param("500", "500", id="internal error"),
        pytest.param("html", "HTML", id="a login page"),
        pytest.param("cut", "JSON", id="cut JSON"),
        pytest.param("empty", "not the query API's", id="an empty result"),
    ],
)
def test_a_prometheus_that_fails_the_preflight_exits_4(
    api: str, faulty: str, tmp_path: Path, path: str, message: str
) -> None:
    """No load is sent, and the cause is named and kept in place of a result."""
    source = f'prometheus: {{url: "{faulty}/{path}", {SELECTOR}}}\n'
    write_spec(tmp_path, api, source=source)
    done = slocheck("run", cwd=tmp_path)
    assert done.returncode == 4, done.stderr
    assert message in done.stderr
    assert "Traceback" not in done.stderr
    kept = {file.name: file.read_text() for file in tmp_path.glob("reports/*/*")}
    assert kept.keys() == {"aborted"}, kept
    assert message in kept["aborted"]


def test_a_prometheus_that_refuses_exits_4(api: str, tmp_path: Path) -> None:
    """Port 1 of loopback has no listener."""
    source = f'prometheus: {{url: "http://127.0.0.1:1", {SELECTOR}}}\n'
    write_spec(tmp_path, api, source=source)
    done = slocheck("run", cwd=tmp_path)
    assert done.returncode == 4
    assert "refused" in done.stderr


def test_a_secret_is_in_no_output_of_a_failed_run(api: str, faulty: str, tmp_path: Path) -> None:
    """The password and its base64 form stay out of messages."""
    (tmp_path / "pw").write_text("correct-horse-battery")
    auth = f"auth: {{username: ann, password_file: {tmp_path / 'pw'}}}"
    source = f'prometheus: {{url: "{faulty}/401", {SELECTOR}, {auth}}}\n'
    write_spec(tmp_path, api, source=source)
    done = slocheck("--debug", "run", cwd=tmp_path)
    said = done.stdout + done.stderr
    assert done.returncode == 4
    assert "correct-horse-battery" not in said
    assert base64.b64encode(b"ann:correct-horse-battery").decode() not in said


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        pytest.param(["rnu"], "run", id="a command misspelt"),
        pytest.param(["run", "--duratoin", "5s"], "--duration", id="a flag misspelt"),
        pytest.param(["run", "--duration", "5"], "5s", id="a duration without a unit"),
        pytest.param(["run", "--gate", "platinum"], "silver", id="an unknown tier"),
        pytest.param(["run", "--users", "none"], "--users", id="no number"),
        pytest.param(["report", "latest", "--format", "pdf"], "html", id="an unknown format"),
        pytest.param(["grade", "latest"], "slocheck run", id="no run yet"),
    ],
)
def test_wrong_usage_exits_2_and_says_what_to_write(
    api: str, tmp_path: Path, arguments: list[str], message: str
) -> None:
    """The message contains the right word."""
    write_spec(tmp_path, api)
    done = slocheck(*arguments, cwd=tmp_path)
    assert done.returncode == 2, done.stderr
    assert message in done.stderr
    assert "Traceback" not in done.stderr
