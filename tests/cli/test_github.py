"""Output for GitHub Actions: annotations at the right lines, outputs, a summary, also of hostile content."""

import json
import re
from dataclasses import replace
from pathlib import Path
from urllib.parse import unquote

import pytest

from slocheck.cli import exit_code_of, github
from slocheck.comparison.compare import compare
from slocheck.errors import Problem, SaveError, SpecError
from slocheck.grading.assessment import Outcome
from slocheck.masking import errors_masked
from slocheck.pipeline.earlier.prune import url_spec_name
from slocheck.reporters.github import (
    MAX_ANNOTATIONS,
    MAX_SUMMARY,
    Annotation,
    annotations,
    of_error,
    output_lines,
    outputs,
)
from tests.builders.records import runs
from tests.builders.reports import HOSTILE, SPEC_TEXT, hostile_report, report

COMMAND = re.compile(r"::(error|warning) ((?:[a-z]+=[^:,\r\n]+,?)+)::([^\r\n]*)")
FILES = {"html": "reports/run/report.html", "markdown": "reports/run/summary.md"}


def parsed(command: str) -> tuple[str, dict[str, str], str]:
    """Return a workflow command as a runner reads it."""
    found = COMMAND.fullmatch(command)
    assert found, command
    properties = dict(part.split("=", 1) for part in found[2].split(","))
    return found[1], {name: unquote(text) for name, text in properties.items()}, unquote(found[3])


def test_a_breach_is_an_error_at_the_line_of_its_limit() -> None:
    """The worst come first, with value, limit and margin; what is met or not needed is not annotated."""
    found = [parsed(item.command("")) for item in annotations(report())]
    assert [(level, shown["title"]) for level, shown, _ in found] == [
        ("error", "latency_p95 is breached"),
        ("error", "error_rate is breached"),
    ]
    for (_, shown, text), limit in zip(found, ('"< 200ms"', '"< 0.1%"'), strict=True):
        line = SPEC_TEXT.splitlines()[int(shown["line"]) - 1]
        assert line[int(shown["col"]) - 1 :].startswith(limit)
        assert (shown["file"], limit.strip('"') in text) == ("slo.yaml", True)
    assert found[0][2].startswith(
        "all requests: 230ms (server 100ms to 250ms), silver < 200ms (+30ms): client"
    )


@pytest.mark.parametrize(
    ("outcome", "titles"),
    [
        (Outcome.PASS, set()),
        (Outcome.UNDECIDED, {"warning latency_p95 is undecided", "warning error_rate is undecided"}),
        (Outcome.INVALID, {"error The run is invalid: generator-cpu"}),
        (Outcome.INTERRUPTED, {"error The run was interrupted"}),
    ],
)
def test_each_outcome_has_its_annotations(outcome: Outcome, titles: set[str]) -> None:
    """Undecided is a warning; a run without a verdict says why, and nothing about any objective."""
    found = [parsed(item.command("")) for item in annotations(report(outcome=outcome))]
    assert {f"{level} {shown['title']}" for level, shown, _ in found} <= titles
    assert bool(found) is bool(titles)


def test_a_proven_regression_is_an_error_where_it_fails_the_run() -> None:
    """Against one earlier run a change is information, and not annotated; against five it is proven."""
    slower, steady = runs(0.2, first=30), runs(0.1, 0.101, 0.099, 0.1, 0.102)
    passed = report(outcome=Outcome.PASS)
    for earlier, expected in ((steady[:1], 0), (steady, 1)):
        compared = replace(passed, comparison=compare(slower, earlier))
        found = [parsed(item.command("")) for item in annotations(compared)]
        assert len(found) == expected
    level, shown, text = found[0]
    assert (level, shown["title"]) == ("error", "latency_p95 is worse than in 5 earlier runs")
    assert SPEC_TEXT.splitlines()[int(shown["line"]) - 1].strip().startswith("latency_p95")
    assert "100ms -> 200ms" in text


@pytest.mark.parametrize("text", [*HOSTILE, "100% of it: a, b\r\n::error::x"])
def test_hostile_text_ends_no_command_and_no_output(text: str) -> None:
    """Whatever a target or a spec says, each command is one line of its form, and each output is its own."""
    found = hostile_report(text)
    for item in [*annotations(found), Annotation("error", text, text, text, 1, 2)]:
        parsed(item.command("/checkout"))
    written = output_lines(outputs(found, {"html": text}), "EOF1")
    read = re.findall(r"^(\S+)<<EOF1\n(.*)\nEOF1$", written, re.MULTILINE)
    assert [name for name, _ in read] == ["verdict", "exit-code", "tier", "gate", "run", "report", "summary"]
    assert len(written.splitlines()) == 3 * len(read)


def test_an_encoded_text_is_read_back_whole() -> None:
    """Percent signs, colons and commas arrive as they were."""
    text = "50%25 of a:b, c; 100%"
    item = Annotation("warning", "slo.yaml", text, text, 3)
    assert parsed(item.command("")) == ("warning", {"file": "slo.yaml", "line": "3", "title": text}, text)


@pytest.mark.parametrize(
    ("path", "shown"),
    [
        ("slo.yaml", "api/slo.yaml"),
        ("../slo.yaml", "slo.yaml"),
        ("..slo.yaml", "api/..slo.yaml"),
        ("../../slo.yaml", "../../slo.yaml"),
    ],
)
def test_a_file_is_named_from_the_checkout(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, path: str, shown: str
) -> None:
    """GitHub knows `api/slo.yaml` when slocheck ran in `api`; what lies outside keeps its name."""
    (tmp_path / "api").mkdir()
    monkeypatch.chdir(tmp_path / "api")
    command = Annotation("error", path, "t", "x").command(str(tmp_path))
    assert parsed(command)[1]["file"] == shown


@pytest.mark.parametrize("count", [0, 1, 9, 10, 11, 1000])
def test_there_are_at_most_nine_annotations(count: int) -> None:
    """GitHub silently drops the eleventh, so the last one says how many are not shown."""
    problems = [Problem("slo.yaml", line, 1, "a.key", f"problem {line}") for line in range(1, count + 1)]
    found = of_error(SpecError(problems))
    assert len(found) == min(count, MAX_ANNOTATIONS)
    if count > MAX_ANNOTATIONS:
        assert found[-1].text.startswith(f"{count - 8} more")


@pytest.fixture
def actions(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Set the environment of a step; returns the folder with its files."""
    for name, value in {
        "GITHUB_ACTIONS": "true",
        "GITHUB_WORKSPACE": str(tmp_path),
        "GITHUB_STEP_SUMMARY": str(tmp_path / "summary"),
        "GITHUB_OUTPUT": str(tmp_path / "output"),
    }.items():
        monkeypatch.setenv(name, value)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_a_step_gets_summary_outputs_and_annotations(
    actions: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Annotations go to stderr, as stdout may be JSON; each run has its own delimiter; elsewhere nothing."""
    monkeypatch.delenv("GITHUB_ACTIONS")
    github.tell(report(), FILES)
    assert not [*actions.iterdir()]
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    github.tell(report(), FILES)
    github.tell(report(outcome=Outcome.PASS), FILES)
    said = capsys.readouterr()
    assert said.out == ""
    assert [line[:7] for line in said.err.splitlines()] == ["::error"] * 2
    assert (actions / "summary").read_text().count("FAIL: shop") == 1
    read = re.findall(r"^(\S+)<<(\S+)\n(.*)\n\2$", (actions / "output").read_text(), re.MULTILINE)
    assert [(name, text) for name, _, text in read if name in {"verdict", "tier", "report"}] == [
        ("verdict", "fail"),
        ("tier", "bronze"),
        ("report", "reports/run/report.html"),
        ("verdict", "pass"),
        ("tier", "bronze"),
        ("report", "reports/run/report.html"),
    ]
    assert len({delimiter for _, delimiter, _ in read}) == 2


@pytest.mark.usefixtures("actions")
def test_limits_that_were_typed_are_annotated_without_a_file(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The spec that `run --url` writes is not in the checkout, where GitHub would look for its lines."""
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    found = report()
    path = f"reports/{url_spec_name(found.spec.text.encode())}"
    github.tell(replace(found, spec=replace(found.spec, path=path)), FILES)
    shown = [parsed(line)[1] for line in capsys.readouterr().err.splitlines()]
    assert shown == [{"title": "latency_p95 is breached"}, {"title": "error_rate is breached"}]


def test_a_summary_never_grows_beyond_what_github_takes(
    actions: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """GitHub drops a summary over 1 MiB as a whole: what does not fit is left out, with a note."""
    (actions / "summary").write_bytes(b"x" * (MAX_SUMMARY - 100))
    github.tell(report(outcome=Outcome.PASS), FILES)
    assert (actions / "summary").stat().st_size == MAX_SUMMARY - 100
    assert "this summary does not fit" in capsys.readouterr().err


def test_outputs_that_cannot_be_written_are_an_error(actions: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A later step would mistake a missing verdict for one."""
    (actions / "output").mkdir()
    with pytest.raises(SaveError, match=r"output: cannot be written"):
        github.tell(report(outcome=Outcome.PASS), FILES)
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", "x" * 300)  # what cannot even be looked for
    with pytest.raises(SaveError, match=r"x: cannot be written: File name too long"):
        github.tell(report(outcome=Outcome.PASS), FILES)


def test_problems_of_a_spec_are_annotated(
    actions: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Like the message, the annotation says where the spec is wrong; neither shows a secret."""
    monkeypatch.setenv("SHOP_TOKEN", "zqx7-secret-word")
    (actions / "slo.yaml").write_text(SPEC_TEXT.replace("gate: silver", "gate: zqx7-secret-word"))
    assert exit_code_of(["validate"]) == 2
    said = capsys.readouterr().err
    (command,) = [line for line in said.splitlines() if line.startswith("::error ")]
    assert parsed(command)[1]["line"] == "12"
    assert "zqx7" not in said


@pytest.mark.usefixtures("actions")
def test_an_error_without_a_file_is_annotated_by_its_message(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A run that was refused says so on the job's page, too; elsewhere only in the log."""
    assert exit_code_of(["grade", "latest"]) == 2
    message, command = capsys.readouterr().err.splitlines()
    assert parsed(command)[1:] == ({"title": "slocheck"}, message.removeprefix("slocheck: "))
    monkeypatch.delenv("GITHUB_ACTIONS")
    assert exit_code_of(["grade", "latest"]) == 2
    assert capsys.readouterr().err.splitlines() == [message]


def test_problems_are_masked_with_their_message() -> None:
    """Values that a spec takes from variables are masked in each problem, too."""
    problem = Problem("slo.yaml", 1, 1, "a", "zqx7-secret-word is not a URL")
    with pytest.raises(SpecError) as caught, errors_masked(["zqx7-secret-word"]):
        raise SpecError([problem])
    assert caught.value.problems == (replace(problem, what="*** is not a URL"),)
    assert "zqx7" not in json.dumps([str(caught.value), *map(str, caught.value.problems)])
