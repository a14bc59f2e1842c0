"""Credentials and variables go only to this machine and to hosts that are named outside the spec."""

from pathlib import Path

import pytest

from slocheck.cli import exit_code_of
from tests.support.ports import free_port

SPEC = """\
service: shop-api
target: {{url: "http://127.0.0.1:{port}"}}
{source}
workload: {{scenario: calls.yaml, users: 1, warmup: 0s, duration: 10s}}
tiers: [gold]
objectives:
  error_rate: {{gold: "< 1%"}}
gate: gold
"""
AUTH = "auth: {bearer_token_env: PROM_TOKEN}"
AT = 'prometheus: {{url: "{url}", selector: {{job: shop}}, {more}}}'
ELSEWHERE = "http://prom.example:9090/prom"
ALLOW = "--allow-metrics prom.example (or SLOCHECK_ALLOW_METRICS=prom.example)"


def prometheus(url: str = ELSEWHERE, more: str = AUTH) -> str:
    """Return a ``prometheus`` block."""
    return AT.format(url=url, more=more).replace(", }", "}")


@pytest.fixture
def written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Prepare a folder for a spec, and an environment with secrets."""
    for name, value in {"PROM_TOKEN": "t0ken-of-ci", "WHERE": "prom.example", "BASE": ELSEWHERE}.items():
        monkeypatch.setenv(name, value)
    (tmp_path / "password").write_text("pass-of-ci\n")
    (tmp_path / "calls.yaml").write_text("flows: [{steps: [{get: /items}]}]\n")
    return tmp_path / "slo.yaml"


def dry_run(path: Path, source: str, *options: str) -> int:
    """Plan a run of a spec with this source: it checks what a run checks, and connects to nothing."""
    path.write_text(SPEC.format(port=free_port(), source=source))
    return exit_code_of(["run", "--dry-run", str(path), *options])


@pytest.mark.parametrize(
    "source",
    [
        pytest.param(prometheus(), id="a bearer token"),
        pytest.param(
            prometheus(more="auth: {username: ci, password_file: PASSWORD}"), id="a password of a file"
        ),
        pytest.param(prometheus(more="auth: {headers_env: {X-Key: PROM_TOKEN}}"), id="a header"),
        pytest.param(prometheus("http://prom.example/${PROM_TOKEN}", ""), id="a variable in the path"),
        pytest.param(prometheus("http://${PROM_TOKEN}.prom.example", ""), id="a variable in the name"),
        pytest.param(prometheus("https://${WHERE}"), id="a token, to the host of a variable"),
        pytest.param(f'scrape: {{urls: ["{ELSEWHERE}"], {AUTH}}}', id="a token, to a page"),
        pytest.param(
            f'scrape: {{urls: ["http://127.0.0.1:9/m", "{ELSEWHERE}"], {AUTH}}}', id="a second page"
        ),
        pytest.param('scrape: ["http://prom.example/?of=${PROM_TOKEN}"]', id="a variable in a query"),
    ],
)
def test_a_spec_alone_sends_no_secret_elsewhere(
    written: Path, capsys: pytest.CaptureFixture[str], source: str
) -> None:
    """Exit 2 before anything is sent, from each command; the message prints the option and no secret."""
    source = source.replace("PASSWORD", str(written.parent / "password"))
    assert dry_run(written, source) == 2
    assert exit_code_of(["run", str(written)]) == 2
    assert exit_code_of(["validate", str(written)]) == 2
    assert exit_code_of(["validate", "--probe", str(written)]) == 2
    said = "".join(capsys.readouterr())
    assert said.count("prom.example is not this machine, and only the spec names it") == 4
    assert "t0ken" not in said
    assert "pass-of-ci" not in said
    assert f"--allow-metrics {'***.' * ('${PROM_TOKEN}.' in source)}prom.example" in said


@pytest.mark.parametrize(
    ("source", "options", "environment"),
    [
        pytest.param(prometheus("http://127.0.0.1:9090"), (), "", id="this machine"),
        pytest.param(prometheus("http://localhost:9090/${PROM_TOKEN}"), (), "", id="its name"),
        pytest.param(prometheus(more=""), (), "", id="nothing to send"),
        pytest.param(prometheus("${BASE}/x", ""), (), "", id="an address of the environment"),
        pytest.param(prometheus("http://${WHERE}:9090/x", ""), (), "", id="a host of the environment"),
        pytest.param(prometheus(), ("--allow-metrics", "Prom.Example."), "", id="the option"),
        pytest.param(prometheus(), (), "other.example, prom.example", id="the variable"),
        pytest.param(prometheus("http://x.example"), ("--prometheus", ELSEWHERE), "", id="typed"),
    ],
)
def test_what_is_named_outside_the_spec_gets_them(
    written: Path, monkeypatch: pytest.MonkeyPatch, source: str, options: tuple[str, ...], environment: str
) -> None:
    """This machine always may, and so may a host that the command line or the environment names."""
    monkeypatch.setenv("SLOCHECK_ALLOW_METRICS", environment)
    assert dry_run(written, source, *options) == 0


def test_a_typed_target_names_its_host_for_metrics_and_not_for_load(
    written: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Its pages may get the credentials; load beyond this machine still has to be allowed."""
    source = f'scrape: {{urls: ["{ELSEWHERE}"], {AUTH}}}'
    target = ("--target", "http://prom.example:8000")
    assert dry_run(written, source, *target) == 2
    said = "target http://prom.example:8000: prom.example is not this machine; load against it has to be"
    planned = capsys.readouterr().err
    assert exit_code_of(["run", str(written), "--quiet", *target]) == 2
    assert f"slocheck: {said}" in (err := capsys.readouterr().err)
    assert "--allow-target prom.example" in err
    assert planned == err
    assert dry_run(written, source, *target, "--allow-target", "prom.example") == 0
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize("host", ["http://prom.example", "prom.example:9090", "*"])
def test_a_host_is_written_alone(written: Path, capsys: pytest.CaptureFixture[str], host: str) -> None:
    """The rule is that for targets; the message names this option."""
    assert dry_run(written, prometheus(), "--allow-metrics", host) == 2
    assert f"--allow-metrics '{host}' (or SLOCHECK_ALLOW_METRICS): is not a host" in capsys.readouterr().err
