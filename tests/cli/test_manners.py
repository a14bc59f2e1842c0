"""How the command line helps its user: versions, completion, defaults, examples, suggestions."""

import os
import pty
import shlex
import shutil
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest
from typer.main import get_command

from slocheck import __version__
from slocheck.cli import app, exit_code_of
from slocheck.cli.help import EXAMPLES
from slocheck.cli.options import options_apart
from slocheck.grading.assessment import Outcome
from slocheck.pipeline.archive import Archive
from tests.builders.reports import report

Captured = pytest.CaptureFixture[str]


@pytest.fixture(scope="module")
def reports(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of reports with one run, which fails its gate."""
    folder = tmp_path_factory.mktemp("archived") / "reports"
    folder.mkdir()
    found = report(Outcome.FAIL)
    made = Archive(folder).create(datetime(2026, 1, 2, tzinfo=UTC))
    made.save_evidence(found.evidence, found.spec.text)
    made.close()
    return folder


def test_the_list_of_commands_has_a_whole_sentence_for_each_on_80_columns() -> None:
    """None is cut in the middle: what does not fit is a clause, and is dropped as a whole."""
    group = get_command(app)
    context = group.make_context("slocheck", [], resilient_parsing=True, terminal_width=80)
    lines = group.get_help(context).partition("Commands:\n")[2].splitlines()
    assert len(lines) == len(app.registered_commands)
    assert [line for line in lines if not line.endswith(".") or line.endswith("..")] == []


@pytest.mark.parametrize("words", [["--version"], ["-V"], ["version"]])
def test_the_version_has_three_names(words: list[str], capsys: Captured) -> None:
    """All print the same line."""
    assert exit_code_of(words) == 0
    assert capsys.readouterr().out == f"slocheck {__version__}\n"


def test_the_latest_run_is_the_default(reports: Path, capsys: Captured) -> None:
    """This holds for both grade and report."""
    assert exit_code_of(["grade", "--reports", str(reports)]) == 1
    graded = capsys.readouterr().out
    assert exit_code_of(["grade", "latest", "--reports", str(reports)]) == 1
    assert capsys.readouterr().out == graded
    assert exit_code_of(["report", "--format", "markdown", "--reports", str(reports)]) == 0
    assert capsys.readouterr().out.count("### ") == 1


def test_a_newer_run_without_evidence_is_passed_over_and_named(
    reports: Path, tmp_path: Path, capsys: Captured
) -> None:
    """By `report` if no run was named. A verdict is never that of an older run than the newest."""
    reports = shutil.copytree(reports, tmp_path / "reports")
    aborted = reports / "29990101T000000Z-000000"
    aborted.mkdir()
    (aborted / "aborted").write_text("4\nconnection refused\n")
    assert exit_code_of(["report", "--format", "json", "--reports", str(reports)]) == 0
    said = capsys.readouterr().err
    assert "29990101T000000Z-000000: this run ended with exit code 4: connection refused" in said
    assert "; using " in said
    for arguments in ["report", "latest", "--format", "json"], ["report", "--gate", "bronze"], ["grade"]:
        assert exit_code_of([*arguments, "--reports", str(reports)]) == 4
        assert "; using" not in capsys.readouterr().err


@pytest.mark.parametrize(
    ("options", "code"),
    [
        pytest.param([], 0, id="a report alone"),
        pytest.param(["--gate"], 1, id="the spec's gate"),
        pytest.param(["--gate", "-o", "-"], 1, id="before another option"),
        pytest.param(["--gate", "silver"], 1, id="a tier"),
        pytest.param(["--gate", "bronze"], 0, id="a tier that is met"),
        pytest.param(["--gate=bronze"], 0, id="in one word"),
        pytest.param(["--gate", "platinum"], 2, id="not a tier"),
    ],
)
def test_a_report_can_exit_with_the_verdict(
    reports: Path, capsys: Captured, options: list[str], code: int
) -> None:
    """One command both writes the report and gates."""
    assert exit_code_of(["report", "--format", "json", "--reports", str(reports), *options]) == code
    assert capsys.readouterr().out.startswith("{") == (code != 2)


def test_a_page_is_opened_from_a_file(
    reports: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Captured
) -> None:
    """In the browser that BROWSER names; its path is printed."""
    page = tmp_path / "page.html"
    opened = tmp_path / "opened"
    browser = tmp_path / "browser"
    browser.write_text(f"#!/bin/sh\necho $1 > {opened}\n")
    browser.chmod(0o755)
    monkeypatch.setenv("BROWSER", f"{browser} %s")
    assert exit_code_of(["report", "--open", "-o", str(page), "--reports", str(reports)]) == 0
    assert capsys.readouterr().out.strip() == str(page)
    assert opened.read_text().strip() == page.as_uri()
    assert page.read_text().rstrip().endswith("</html>")


def test_a_page_is_not_printed_to_a_terminal(reports: Path) -> None:
    """The message says what to write; a pipe gets the page."""
    outside, inside = pty.openpty()
    done = subprocess.run(
        [sys.executable, "-m", "slocheck", "report", "--reports", str(reports)],
        stdout=inside, stderr=subprocess.PIPE, text=True, check=False, timeout=60,
    )  # fmt: skip
    os.close(inside)
    os.close(outside)
    assert done.returncode == 2
    assert "add --open, or -o report.html" in done.stderr


@pytest.mark.parametrize(
    ("words", "meant"),
    [
        pytest.param(["rnu"], "'run'", id="a command"),
        pytest.param(["run", "--durration", "5s"], "--duration", id="an option"),
        pytest.param(["report", "--format", "markdwon"], "'markdown'", id="a format"),
        pytest.param(["grade", "latst"], "latest", id="a run"),
        pytest.param(["grade", "20260102T00000Z-000000"], "20260102T000000Z-000000", id="a run's name"),
        pytest.param(["grade", "--gate", "sliver"], "'silver'", id="a tier"),
    ],
)
def test_what_was_probably_meant_is_said(
    reports: Path, capsys: Captured, words: list[str], meant: str
) -> None:
    """Exit 2, and the name to copy."""
    more = ["--reports", str(reports)] if len(words) > 1 else []
    assert exit_code_of([*words, *more]) == 2
    assert f"did you mean {meant}" in capsys.readouterr().err.replace("Did", "did")


@pytest.mark.parametrize("line", [line for lines in EXAMPLES.values() for line in lines])
def test_each_example_is_understood(line: str) -> None:
    """The command takes the options that its help shows."""
    name, *words = options_apart(shlex.split(line)[1:])
    group = get_command(app)
    context = group.make_context("slocheck", [], resilient_parsing=True)
    command = group.get_command(context, name)  # type: ignore[attr-defined]  # Typer's base class has no such method
    parsed = command.make_context(name, words, parent=context)
    assert parsed.args == []


def test_many_options_are_in_groups(capsys: Captured) -> None:
    """Those of a run; examples end the help."""
    assert exit_code_of(["run", "--help"]) == 0
    out = capsys.readouterr().out
    titles = [line for line in out.splitlines() if line.endswith(":") and not line.startswith(" ")]
    assert titles == [
        *("Arguments:", "Without a spec:", "Load:", "Target and metrics:", "Verdict:", "Many machines:"),
        *("Output:", "Options:", "Examples:"),
    ]
    assert out.rstrip().endswith(EXAMPLES["run"][-1])
