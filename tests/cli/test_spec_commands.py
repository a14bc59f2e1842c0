"""``slocheck validate``, ``schema`` and ``init`` as they are typed."""

import json
import os
import pty
import re
import subprocess
import sys
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest

from slocheck.cli import exit_code_of
from slocheck.scenario.schema import scenario_schema
from slocheck.spec.loader import load_spec
from slocheck.spec.schema import json_schema

ROOT = Path(__file__).parents[2]
Captured = pytest.CaptureFixture[str]


def test_validate_says_what_the_spec_means(capsys: Captured) -> None:
    """Service, target, source, workload, gate, and a row per objective with its limits."""
    assert exit_code_of(["validate", str(ROOT / "slo.yaml")]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert "service   shop-api" in lines
    assert "target    http://127.0.0.1:8000, 1 instance" in lines
    assert "source    scrape of 1 page every 1s, preset auto" in lines
    assert "gate      silver, confidence 95%" in lines
    rows = [line.split() for line in lines]
    assert ["objective", "bronze", "silver", "gold", "target", "critical", "graded", "on"] in rows
    (row,) = [line for line in lines if line.startswith("error_rate ")]
    assert row.split("  ")[-1] == "both"
    assert [text for text in ("< 1%", "< 0.1%", "< 0.01%") if text in row] == ["< 1%", "< 0.1%", "< 0.01%"]
    assert any(line.startswith("checkout_p95 (latency_p95, POST /checkout)") for line in lines)


def test_validate_tells_all_faults_and_ends_with_2(tmp_path: Path, capsys: Captured) -> None:
    """Every problem on its own line of stderr, nothing on stdout."""
    text = (ROOT / "slo.yaml").read_text("utf-8")
    path = tmp_path / "slo.yaml"
    path.write_text(text.replace('"< 300ms"', '"< 300"').replace("gate: silver", "gate: slver"), "utf-8")
    assert exit_code_of(["validate", str(path)]) == 2
    said = capsys.readouterr()
    assert said.out == ""
    assert "objectives.checkout_p95.silver: '300' has no unit; write 300ms or 0.3s" in said.err
    assert "unknown tier 'slver'; did you mean 'silver'?" in said.err


@pytest.mark.parametrize("scenario", ["scenarios/browse.yaml", "scenarios/browse.py"])
def test_validate_refuses_a_missing_scenario(tmp_path: Path, capsys: Captured, scenario: str) -> None:
    """As the run would, with the place in the spec, and nothing on stdout."""
    path = tmp_path / "slo.yaml"
    text = (ROOT / "slo.yaml").read_text("utf-8").replace("scenarios/browse.yaml", scenario)
    path.write_text(text, "utf-8")
    assert exit_code_of(["validate", str(path)]) == 2
    said = capsys.readouterr()
    assert said.out == ""
    assert re.match(rf"slocheck: {path}:\d+:\d+ workload\.scenario: {scenario} does not exist", said.err)


def test_validate_refuses_a_locust_file_that_is_not_python(tmp_path: Path, capsys: Captured) -> None:
    """With line and column; nothing of the file is run."""
    text = (ROOT / "slo.yaml").read_text("utf-8").replace("scenarios/browse.yaml", "mine.py")
    (tmp_path / "slo.yaml").write_text(text, "utf-8")
    (tmp_path / "mine.py").write_text("raise SystemExit\nclass User(:\n")
    assert exit_code_of(["validate", str(tmp_path / "slo.yaml")]) == 2
    assert f"{tmp_path / 'mine.py'}:2:12: invalid syntax" in capsys.readouterr().err


NEEDS = """\
service: shop
target: {{url: "http://127.0.0.1:9"{target}}}
{source}
workload: {{scenario: mine.yaml, users: {users}, duration: 10s}}
tiers: [gold]
objectives: {{error_rate: {{gold: "< 1%"}}}}
gate: gold
"""
PROMETHEUS = 'prometheus: {url: "http://127.0.0.1:9", selector: {job: shop}, preset: prom-client, '
SCRAPE = 'scrape: {urls: ["http://127.0.0.1:9/metrics"], preset: prom-client, '


@pytest.mark.parametrize(
    ("needs", "said"),
    [
        pytest.param(
            {"target": ", tls: {ca: none.pem}"}, "target.tls.ca: none.pem: No such file", id="a certificate"
        ),
        pytest.param(
            {"source": PROMETHEUS + "auth: {username: me, password_file: none.txt}}"},
            "prometheus.auth.password_file: none.txt: No such file",
            id="a password",
        ),
        pytest.param(
            {"source": PROMETHEUS + "auth: {bearer_token_env: SLOCHECK_NO_SUCH}}"},
            "prometheus.auth.bearer_token_env: the environment variable SLOCHECK_NO_SUCH is not set",
            id="a variable",
        ),
        pytest.param(
            {"source": SCRAPE + "auth: {headers_env: {X-Key: SLOCHECK_EMPTY}}}"},
            "scrape.auth.headers_env.X-Key: the environment variable SLOCHECK_EMPTY is empty",
            id="an empty variable",
        ),
        pytest.param(
            {"source": SCRAPE + "auth: {bearer_token_file: mine.yaml}}"},
            "mine.yaml has more than one line",
            id="the wrong file",
        ),
        pytest.param(
            {"source": PROMETHEUS + "tls: {cert: mine.yaml}}"},
            "prometheus.tls.cert: mine.yaml: ",
            id="no PEM",
        ),
        pytest.param(
            {"source": SCRAPE + "tls: {ca: none.pem}}"}, "scrape.tls.ca: none.pem: No such file", id="scrape"
        ),
        pytest.param({"users": 99_999}, "99,999 users in one process need 100,063 open files", id="too many"),
    ],
)
def test_what_a_run_needs_is_missed_by_validate_and_by_the_dry_run_as_well(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Captured, needs: dict[str, object], said: str
) -> None:
    """One check for all three, so each says the same, ends with 2 and sends nothing."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SLOCHECK_EMPTY", " ")
    (tmp_path / "slo.yaml").write_text(NEEDS.format(**{"target": "", "source": "", "users": 1, **needs}))
    (tmp_path / "mine.yaml").write_text("flows:\n  - steps: [{get: /}]\n")
    messages = set()
    for command in (["validate"], ["validate", "--probe"], ["run", "--dry-run"], ["run", "--quiet"]):
        assert exit_code_of(command) == 2, command
        out, err = capsys.readouterr()
        assert out == ""
        messages.add(err)
    (message,) = messages
    assert said in message


def test_what_is_not_allowed_is_refused_by_validate_and_by_the_dry_run_as_well(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Captured
) -> None:
    """With the same message and exit code 2; once the host is allowed, nothing is sent to it."""
    monkeypatch.chdir(tmp_path)
    text = NEEDS.format(target="", source="", users=1).replace("127.0.0.1:9", "shop.example")
    (tmp_path / "slo.yaml").write_text(text)
    (tmp_path / "mine.yaml").write_text("flows:\n  - steps: [{get: /}]\n")
    messages = set()
    for command in (["validate"], ["validate", "--probe"], ["run", "--dry-run"], ["run", "--quiet"]):
        assert exit_code_of(command) == 2, command
        messages.add(capsys.readouterr())
    ((out, err),) = messages
    assert out == ""
    assert "target http://shop.example: shop.example is not this machine" in err
    assert "--allow-target shop.example" in err
    for command in (["validate"], ["run", "--dry-run"]):
        assert exit_code_of([*command, "--allow-target", "shop.example"]) == 0


def test_reports_that_cannot_be_written_are_found_before_the_run_and_no_folder_is_left(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Captured
) -> None:
    """A file in the way is named; a folder that could be made is not created either."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "slo.yaml").write_text(NEEDS.format(target="", source="", users=1))
    (tmp_path / "mine.yaml").write_text("flows:\n  - steps: [{get: /}]\n")
    for command in (["validate"], ["run", "--dry-run"], ["run"]):
        assert exit_code_of([*command, "--reports", "mine.yaml/x"]) == 2
        assert "mine.yaml/x: reports cannot be written there" in capsys.readouterr().err
    for command in (["validate"], ["run", "--dry-run"]):
        assert exit_code_of([*command, "--reports", "new/folder"]) == 0
    assert sorted(path.name for path in tmp_path.iterdir()) == ["mine.yaml", "slo.yaml"]


def test_validate_refuses_a_table_that_is_not_there(tmp_path: Path, capsys: Captured) -> None:
    """A feeder's CSV file is read before the run."""
    scenario = "feeders: {user: {csv: users.csv}}\nflows: [{steps: [{get: '/{user.id}'}]}]\n"
    spec = with_scenario(tmp_path, scenario)
    assert exit_code_of(["validate", str(spec)]) == 2
    assert "mine.yaml:1:" in (said := capsys.readouterr().err)
    assert "users.csv" in said


def test_validate_of_nothing_names_init(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Captured
) -> None:
    """Whoever types the first command in an empty folder learns the next one."""
    monkeypatch.chdir(tmp_path)
    assert exit_code_of(["validate"]) == 2
    assert "run `slocheck init`" in capsys.readouterr().err


def test_schema_is_printed_as_json(capsys: Captured) -> None:
    """Stdout is the document and nothing else."""
    assert exit_code_of(["schema"]) == 0
    printed = json.loads(capsys.readouterr().out)
    assert printed["properties"].keys() == json_schema()["properties"].keys()
    assert printed["properties"]["scenario"]["properties"] == scenario_schema()["properties"]


def test_the_schema_of_scenarios_is_printed_as_json(capsys: Captured) -> None:
    """The option asks for the other document."""
    assert exit_code_of(["schema", "--scenario"]) == 0
    assert json.loads(capsys.readouterr().out) == scenario_schema()


def with_scenario(folder: Path, scenario: str) -> Path:
    """Write the shipped spec with a scenario beside it; returns the spec's path."""
    (folder / "mine.yaml").write_text(scenario, "utf-8")
    text = (ROOT / "slo.yaml").read_text("utf-8").replace("scenarios/browse.yaml", "mine.yaml")
    (folder / "slo.yaml").write_text(text, "utf-8")
    return folder / "slo.yaml"


def test_validate_reads_the_scenario_too(tmp_path: Path, capsys: Captured) -> None:
    """A declarative scenario without faults leads to no warning."""
    spec = with_scenario(tmp_path, (ROOT / "scenarios" / "browse.yaml").read_text("utf-8"))
    assert exit_code_of(["validate", str(spec)]) == 0
    said = capsys.readouterr()
    assert said.err == ""
    assert "mine.yaml" in said.out


def test_validate_tells_the_faults_of_the_scenario(tmp_path: Path, capsys: Captured) -> None:
    """With the scenario's own lines, and nothing on stdout."""
    spec = with_scenario(tmp_path, "flows:\n  - steps:\n      - get: /{id}\n        headers: {Host: x}\n")
    assert exit_code_of(["validate", str(spec)]) == 2
    said = capsys.readouterr()
    assert said.out == ""
    assert f"{tmp_path / 'mine.yaml'}:3:14 flows[0].steps[0].get: unknown placeholder 'id'" in said.err
    assert "mine.yaml:4:19 flows[0].steps[0].headers: the header Host is set by the client" in said.err


NEVER_SENT = (
    "objectives.checkout_p95.endpoint: no step of {path} is 'POST /checkout'; did you mean 'POST /chekout'?"
)


@pytest.mark.parametrize("command", [["validate"], ["run", "--dry-run"], ["run"]])
def test_endpoints_that_are_never_sent_are_refused(
    tmp_path: Path, capsys: Captured, command: list[str]
) -> None:
    """An objective on them would have no data, which is reported with its line before the run."""
    spec = with_scenario(tmp_path, "flows: [{steps: [{post: /chekout}, {get: /}]}]\n")
    assert exit_code_of([*command, str(spec)]) == 2
    said = capsys.readouterr()
    assert said.out == ""
    place, _, what = said.err.splitlines()[-1].partition(" objectives")
    assert re.fullmatch(rf"slocheck: {spec}:\d+:\d+", place)
    assert f"objectives{what}" == NEVER_SENT.format(path=tmp_path / "mine.yaml")


def test_an_endpoint_that_others_ask_may_be_measured_at_the_server(tmp_path: Path, capsys: Captured) -> None:
    """The server's numbers alone need no step of the scenario; a warning remains."""
    spec = with_scenario(tmp_path, "flows: [{steps: [{post: /chekout}, {get: /}]}]\n")
    text = spec.read_text("utf-8").replace("    endpoint: ", "    source: prometheus\n    endpoint: ")
    spec.write_text(text, "utf-8")
    assert exit_code_of(["validate", str(spec)]) == 0
    (warning,) = capsys.readouterr().err.splitlines()
    assert warning.startswith(f"warning: {spec}:")
    assert warning.endswith(NEVER_SENT.format(path=tmp_path / "mine.yaml"))


def test_init_writes_a_spec_that_is_valid(tmp_path: Path, capsys: Captured) -> None:
    """The answers given by flags are in the spec, and validate accepts it without a warning."""
    folder = tmp_path / "new" / "place"
    arguments = [
        "init",
        "--service",
        'my "shop" $1',
        "--target",
        "http://127.0.0.1:9/x",
        "--dir",
        str(folder),
    ]
    assert exit_code_of(arguments) == 0
    spec = load_spec(folder / "slo.yaml")
    assert (spec.service, spec.target.url) == ('my "shop" $1', "http://127.0.0.1:9/x")
    capsys.readouterr()
    assert exit_code_of(["validate", str(folder / "slo.yaml")]) == 0
    assert capsys.readouterr().err == ""


def test_init_promises_only_what_its_load_can_prove(tmp_path: Path) -> None:
    """Client side only, and no objective on throughput or caches that may not exist."""
    assert exit_code_of(["init", "--dir", str(tmp_path)]) == 0
    spec = load_spec(tmp_path / "slo.yaml")
    assert spec.metric_source is None
    kinds = {str(objective.indicator.kind) for objective in spec.objectives}
    assert kinds == {"latency", "error_rate", "availability"}
    assert spec.gate == "bronze"


def test_init_overwrites_only_when_forced(tmp_path: Path, capsys: Captured) -> None:
    """Either both files are new or nothing is touched."""
    (tmp_path / "slo.yaml").write_text("mine")
    assert exit_code_of(["init", "--dir", str(tmp_path)]) == 2
    assert "already there; add --force" in capsys.readouterr().err
    assert [path.name for path in tmp_path.iterdir()] == ["slo.yaml"]
    assert (tmp_path / "slo.yaml").read_text() == "mine"
    assert exit_code_of(["init", "--dir", str(tmp_path), "--force"]) == 0
    assert load_spec(tmp_path / "slo.yaml").service == "my-api"


@pytest.mark.parametrize(
    ("flag", "value", "message"),
    [
        ("--target", "shop", "--target: 'shop' does not begin with http:// or https://"),
        ("--target", "http://a:hunter2@b", "--target: has a name or password before the host"),
        ("--service", " ", "--service: ' ' is empty or has several lines"),
        ("--service", "a\x1b[2J", "--service: has characters that cannot be printed"),
        ("--service", "\udc80", "--service: has characters that cannot be printed"),
    ],
)
def test_init_refuses_answers_that_would_not_load(
    flag: str, value: str, message: str, tmp_path: Path, capsys: Captured
) -> None:
    """Nothing is written, the flag is named, and no secret is shown."""
    assert exit_code_of(["init", "--dir", str(tmp_path), flag, value]) == 2
    said = capsys.readouterr().err
    assert message in said
    assert "hunter2" not in said
    assert list(tmp_path.iterdir()) == []


def test_init_names_a_folder_that_cannot_be_made(tmp_path: Path, capsys: Captured) -> None:
    """An existing file is left for the user to move."""
    (tmp_path / "file").write_text("")
    assert exit_code_of(["init", "--dir", str(tmp_path / "file")]) == 2
    assert "--dir:" in capsys.readouterr().err


def test_init_asks_a_person_at_a_terminal(tmp_path: Path) -> None:
    """Questions that no flag answers are asked; Enter takes the default."""
    terminal, inside = pty.openpty()
    try:
        with subprocess.Popen(
            [sys.executable, "-m", "slocheck", "init", "--dir", str(tmp_path)],
            stdin=inside,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            cwd=ROOT,
        ) as process:
            os.write(terminal, b"cart\n\n")
            said, _ = process.communicate(timeout=60)
    finally:
        os.close(terminal)
        os.close(inside)
    assert process.returncode == 0, said
    spec = load_spec(tmp_path / "slo.yaml")
    assert (spec.service, spec.target.url) == ("cart", "http://127.0.0.1:8000")


@pytest.fixture
def visited() -> Iterator[tuple[str, list[str]]]:
    """Serve a front page on loopback; yields its URL and the paths that were requested."""
    paths: list[str] = []

    class FrontPage(BaseHTTPRequestHandler):
        """Answers every GET."""

        def do_GET(self) -> None:
            """Answer with an empty page."""
            paths.append(self.path)
            self.send_response(200)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class's name
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), FrontPage)
    thread = Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}", paths
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def test_the_written_scenario_runs_as_it_is(tmp_path: Path, visited: tuple[str, list[str]]) -> None:
    """The front page is requested, and its response is a success."""
    url, paths = visited
    assert exit_code_of(["init", "--dir", str(tmp_path), "--target", url]) == 0
    assert exit_code_of(["validate", "--probe", str(tmp_path / "slo.yaml")]) == 0
    assert paths == ["/"]
    assert "expect: {status: 200}" in (tmp_path / "scenarios" / "my-api.yaml").read_text()
