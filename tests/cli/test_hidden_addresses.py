"""What a variable puts into the path of an address never shows, wherever the address is shown."""

import os
from pathlib import Path
from urllib.parse import quote

import pytest

from slocheck.cli import exit_code_of
from slocheck.cli.actions import run
from slocheck.errors import TargetError
from slocheck.masking import errors_masked, secrets_of
from slocheck.spec.loader import parse_spec
from tests.support.ports import free_port

TENANT = "t3nant/with space"
SPEC = """\
service: shop-api
target: {{url: "http://${{HOST}}:{port}/${{TENANT}}"}}
scrape: ["http://${{HOST}}:{port}/m/${{TENANT}}?of=${{TENANT}}"]
workload: {{scenario: calls.yaml, users: 1, warmup: 0s, duration: 10s}}
tiers: [gold]
objectives:
  error_rate: {{gold: "< 1%"}}
gate: gold
"""


@pytest.fixture
def spec(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Write a spec with two variables in its addresses, and a scenario."""
    monkeypatch.setenv("HOST", "127.0.0.1")
    monkeypatch.setenv("TENANT", TENANT.replace(" ", "%20"))
    (tmp_path / "calls.yaml").write_text("flows: [{steps: [{get: /items}]}]\n")
    path = tmp_path / "slo.yaml"
    path.write_text(SPEC.format(port=free_port()))
    return path


@pytest.mark.parametrize(
    ("command", "code"),
    [
        pytest.param(["validate"], 0, id="validate"),
        pytest.param(["run", "--dry-run"], 0, id="dry run"),
        pytest.param(["run"], 4, id="a target that is down"),
        pytest.param(["validate", "--probe"], 4, id="a probe of one that is down"),
    ],
)
def test_a_variable_in_a_path_does_not_show(
    spec: Path, capsys: pytest.CaptureFixture[str], command: list[str], code: int
) -> None:
    """The host shows, in results and in errors; the part after it, from the environment, does not."""
    assert exit_code_of([*command, str(spec)]) == code
    said = "".join(capsys.readouterr())
    assert "http://127.0.0.1:" in said
    assert "t3nant" not in said
    assert "***" in said


def test_only_what_stands_behind_the_host_is_hidden() -> None:
    """A variable for the address, or its host, is not a secret: otherwise it would hide every address."""
    text = SPEC.format(port=80).replace("http://${HOST}:80/${TENANT}", "${BASE}/v1")
    environment = {"BASE": "http://shop.example", "HOST": "127.0.0.1", "TENANT": "abc-tenant"}
    spec = parse_spec(text.encode(), "slo.yaml", environment=environment)
    assert secrets_of(spec) == ("abc-tenant",)
    with pytest.raises(TargetError, match=r"^\*\*\* is down$"), errors_masked(secrets_of(spec)):
        raise TargetError("abc-tenant is down")


def test_what_became_of_a_failed_run_shows_it_neither(
    spec: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The reason is kept with the run, and quoted by other commands, which know nothing of the spec."""
    monkeypatch.chdir(spec.parent)
    assert exit_code_of(["run", str(spec)]) == 4
    (kept,) = spec.parent.glob("reports/*/aborted")
    monkeypatch.delenv("TENANT")
    assert exit_code_of(["grade", "latest"]) == 4
    assert exit_code_of(["list"]) == exit_code_of(["history"]) == 0
    said = f"{kept.read_text()}{''.join(capsys.readouterr())}"
    assert said.count("connection refused") >= 4
    assert "t3nant" not in said


@pytest.mark.parametrize("options", [[], ["--debug"]])
def test_a_defect_shows_it_neither(
    spec: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, options: list[str]
) -> None:
    """The traceback quotes exceptions, and what they were raised from, whatever their text."""

    def fail(*_arguments: object) -> None:
        tenant = os.environ["TENANT"]
        raise RuntimeError(f"planted: {quote(tenant)}") from KeyError(f"cause: {tenant}")

    monkeypatch.setenv("SLOCHECK_DEBUG", "")
    monkeypatch.setattr(run, "show_dry_run", fail)
    assert exit_code_of([*options, "run", "--dry-run", str(spec)]) == 70
    said = capsys.readouterr().err
    assert "RuntimeError: planted: ***" in said
    assert "KeyError: 'cause: ***'" in said
    assert "t3nant" not in said
