"""``slocheck run --url``: a run without a file, and the spec that it is equivalent to."""

from dataclasses import replace
from pathlib import Path
from tempfile import gettempdir

import pytest

from slocheck.cli import exit_code_of
from slocheck.cli.actions.url_run import url_spec
from slocheck.cli.options import RunOptions
from slocheck.spec.loader import parse_spec

Captured = pytest.CaptureFixture[str]
URL = "http://127.0.0.1:9/items?page={1}"
ASKED = ["run", "--url", URL, "--rate", "50/s", "--p95", "200ms"]
OPTIONS = RunOptions(url=URL, rate="50/s", p95="200ms")
STANDS_FOR = """\
service: "127.0.0.1:9/items"
target: {url: "http://127.0.0.1:9"}
workload: {rate: 50/s, warmup: 5s, duration: 1m}
scenario:
  flows:
    - steps:
        - get: "/items?page={{1}}"
          expect: {status: 200}
tiers: [slo]
objectives:
  latency_p95: {slo: "< 200ms"}
gate: slo
confidence: 95%
"""


def test_the_spec_that_it_stands_for_is_printed_and_can_be_saved_and_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Captured
) -> None:
    """What is printed is valid and plans the same load; a dry run leaves no file."""
    monkeypatch.chdir(tmp_path)
    assert exit_code_of([*ASKED, "--dry-run"]) == 0
    out, err = capsys.readouterr()
    assert err.endswith(STANDS_FOR)
    assert "requests  about 3,000 in the window" in out
    assert list(tmp_path.iterdir()) == []
    (tmp_path / "saved.yaml").write_text(err)
    assert exit_code_of(["run", "saved.yaml", "--dry-run"]) == 0
    (other,) = {line for line in capsys.readouterr().out.splitlines() if line not in out.splitlines()}
    assert other == "scenario  saved.yaml"
    assert exit_code_of(["validate", "saved.yaml"]) == 0


def test_other_limits_are_flags_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Captured
) -> None:
    """Also with a comparison."""
    monkeypatch.chdir(tmp_path)
    limits = ["--p50", "50ms", "--p99", "<= 1s", "--error-rate", "0.1%", "--availability", "99.9%"]
    assert exit_code_of([*ASKED, *limits, "--duration", "30s", "--warmup", "0s", "--dry-run"]) == 0
    err = capsys.readouterr().err
    for line in (
        'latency_p50: {slo: "< 50ms"}',
        'latency_p99: {slo: "<= 1s"}',
        'error_rate: {slo: "< 0.1%"}',
        'availability: {slo: ">= 99.9%"}',
        "workload: {rate: 50/s, warmup: 0s, duration: 30s}",
    ):
        assert line in err


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        pytest.param(["--url", URL, "--p95", "200ms"], "--url needs a load; add --rate 50/s", id="no load"),
        pytest.param(["--url", URL, "--rate", "5/s"], "--url needs a limit; add one such as", id="no limit"),
        pytest.param([*ASKED[1:], "--rate", "50"], "--rate: '50' has no unit; write 50/s", id="bare rate"),
        pytest.param([*ASKED[1:], "--p95", "200"], "--p95: '200' has no unit; write 200ms", id="bare limit"),
        pytest.param([*ASKED[1:], "--error-rate", "1"], "--error-rate: '1' has no percent", id="bare share"),
        pytest.param([*ASKED[1:], "--duration", "60"], "--duration: '60' has no unit", id="bare length"),
        pytest.param([*ASKED[1:], "--url", "shop/x"], "--url: 'shop/x' does not begin", id="no scheme"),
        pytest.param(
            [*ASKED[1:], "--url", "http://127.0.0.1/?token=hush"],
            "parameter 'token'",
            id="a secret",
        ),
        pytest.param([*ASKED[1:], "mine.yaml"], "its own spec, so SPEC", id="a spec"),
        pytest.param([*ASKED[1:], "slo.yaml"], "its own spec, so SPEC", id="the spec's usual name"),
        pytest.param(
            [*ASKED[1:], "--rate", "5/s, max_users: 3"], "--rate: '5/s, max_users: 3' is", id="YAML"
        ),
        pytest.param([*ASKED[1:], "--rate", "5/s}\nscenario: {"], "is not a rate", id="YAML of a block"),
        pytest.param(
            [*ASKED[1:], "--warmup", "0s, rate: 9/s"], "--warmup: '0s, rate: 9/s'", id="in a length"
        ),
        pytest.param([*ASKED[1:], "--duration", ""], "--duration: '' is not a duration", id="no length"),
        pytest.param([*ASKED[1:], "--rate", ""], "--rate: '' is not a rate", id="no rate"),
        pytest.param([*ASKED[1:], "--rate", "-5/s"], "--rate: '-5/s' is negative", id="negative"),
        pytest.param(
            [*ASKED[1:], "--users", "3"], "--users, --rate: one is the closed model", id="two loads"
        ),
        pytest.param(
            [*ASKED[1:], "--prometheus", "http://127.0.0.1:1"], "--prometheus does not", id="a source"
        ),
        pytest.param([*ASKED[1:], "--", "--my-option"], "the words after -- do not apply", id="file options"),
        pytest.param([*ASKED[1:], "--url", URL + "a" * 9000], "--url: has 9", id="a long address"),
        pytest.param(["--p95", "200ms"], "--p95 goes with --url", id="a limit alone"),
        pytest.param([*ASKED[1:], "--url", "http://a.example/"], "--allow-target a.example", id="elsewhere"),
    ],
)
def test_what_is_missing_or_wrong_is_named_by_its_flag(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Captured, arguments: list[str], said: str
) -> None:
    """Exit 2; nothing is sent, and no file is left."""
    monkeypatch.chdir(tmp_path)
    assert exit_code_of(["run", *arguments, "--dry-run"]) == 2
    err = capsys.readouterr().err
    assert said in err
    assert "hush" not in err
    assert gettempdir() not in err.replace(str(tmp_path), "")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("variable", "arguments", "said"),
    [
        ("SLOCHECK_TARGET=http://127.0.0.1:1", ASKED, "SLOCHECK_TARGET does not apply; unset it"),
        ("SLOCHECK_PROMETHEUS=http://127.0.0.1:1", ASKED, "SLOCHECK_PROMETHEUS does not apply; unset it"),
        ("SLOCHECK_SCENARIO=s.py", ASKED, "SLOCHECK_SCENARIO does not apply; unset it"),
        (
            "SLOCHECK_RATE=5/s",
            [*ASKED[:3], "--users", "3", "--p95", "1s"],
            "--users, SLOCHECK_RATE: one is",
        ),
        ("SLOCHECK_USERS=5", ["run", "--rate", "5/s"], "SLOCHECK_USERS, --rate: one is"),
        ("SLOCHECK_WARMUP=5", ASKED, "SLOCHECK_WARMUP: '5' has no unit"),
    ],
)
def test_what_a_variable_says_is_named_by_it(
    monkeypatch: pytest.MonkeyPatch, capsys: Captured, variable: str, arguments: list[str], said: str
) -> None:
    """The message does not name an option that was not typed; exit 2."""
    monkeypatch.setenv(*variable.split("="))
    assert exit_code_of([*arguments, "--dry-run"]) == 2
    assert said in capsys.readouterr().err


@pytest.mark.parametrize(
    ("url", "service"),
    [
        ("http://127.0.0.1:9", "127.0.0.1:9"),
        ("http://127.0.0.1:9/", "127.0.0.1:9"),
        ("http://127.0.0.1:9/a/b?page=1#top", "127.0.0.1:9/a/b"),
        ("http://127.0.0.1:9/{a}", "127.0.0.1:9/{a}"),
    ],
)
def test_each_path_is_a_service(url: str, service: str) -> None:
    """So the histories of different URLs stay apart."""
    assert f'service: "{service}"\n' in url_spec(replace(OPTIONS, url=url))


def test_long_paths_are_services_of_their_own() -> None:
    """A name has 100 characters at most; two paths that differ only beyond that have two names."""
    names = [
        parse_spec(
            url_spec(replace(OPTIONS, url=f"http://127.0.0.1:9/{'a' * 200}{end}")).encode(), "x.yaml"
        ).service
        for end in ("b", "c")
    ]
    assert len(set(names)) == 2
    assert [len(name) for name in names] == [100, 100]
