"""Standard output and standard error that fail: neither may change or hide a verdict."""

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from slocheck.grading.assessment import Outcome
from slocheck.pipeline.archive import EVIDENCE_FILE, Archive
from slocheck.reference_api.server import ReferenceApi
from tests.builders.reports import report
from tests.e2e.support.cli import only_run, slocheck, start_slocheck, write_spec
from tests.support.processes import ending
from tests.support.terminal import on_a_terminal
from tests.support.waiting import DEADLINE_S

SLOCHECK = f"{sys.executable} -m slocheck"
ROOT = Path(__file__).parents[3]
STEPS = "flows: [{steps: [{get: /items/1}]}]\n"
CODES = {Outcome.PASS: 0, Outcome.FAIL: 1, Outcome.UNDECIDED: 3}
SHORT = "users: 2, spawn_rate: 50/s, duration: 3s"


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with one archived run for each verdict, named after it."""
    folder = tmp_path_factory.mktemp("runs")
    for outcome in CODES:
        found = report(outcome)
        made = Archive(folder).create(datetime(2026, 1, 2, tzinfo=UTC))
        made.save_evidence(found.evidence, found.spec.text)
        made.close()
        made.path.rename(folder / outcome.value)
    return folder


@pytest.fixture(scope="module")
def api() -> Iterator[str]:
    """The reference API, for all tests of this file."""
    with ReferenceApi(port=0) as running:
        yield running.url


def shell(line: str, cwd: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run a line of bash with pipefail; `slocheck` in it is the real command."""
    return subprocess.run(
        ["bash", "-o", "pipefail", "-c", line.replace("slocheck", SLOCHECK)],
        cwd=cwd,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        timeout=DEADLINE_S,
        check=False,
    )


@pytest.mark.parametrize(
    ("outcome", "line"),
    [
        pytest.param(Outcome.PASS, "slocheck grade pass | true", id="nobody reads"),
        pytest.param(Outcome.FAIL, "slocheck grade fail | head -c 1 >/dev/null", id="one byte"),
        pytest.param(Outcome.UNDECIDED, "slocheck grade undecided --json | head -1 >/dev/null", id="json"),
        pytest.param(Outcome.PASS, "slocheck grade pass 2>&1 | true", id="both"),
        pytest.param(Outcome.FAIL, "slocheck grade fail >&-", id="closed output"),
        pytest.param(Outcome.UNDECIDED, "slocheck grade undecided <&- >&- 2>&-", id="all closed"),
        pytest.param(Outcome.PASS, "slocheck grade pass 2>/dev/full >/dev/null", id="errors full"),
    ],
)
def test_a_reader_that_left_keeps_the_verdict(runs: Path, outcome: Outcome, line: str) -> None:
    """With pipefail the code is slocheck's own, whatever became of its output."""
    done = shell(line, runs)
    assert (done.returncode, done.stderr) == (CODES[outcome], "")


def test_grep_of_a_pass_passes(runs: Path) -> None:
    """It exits at its first match, which may or may not be before the last line."""
    done = shell("for i in 1 2 3; do slocheck grade pass | grep -q PASS || exit; done", runs)
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize(
    "command",
    [
        "grade fail",
        "grade pass --json",
        "report fail --format html",
        "report fail --format markdown",
        "schema",
        "init --dir made --service a --target http://127.0.0.1:1 --force",
        "run --help",
        "--version",
        "--help",
    ],
)
def test_a_full_disk_is_74_with_the_reason(runs: Path, command: str) -> None:
    """Never exit 0, 1 or 70; a verdict that was lost is on standard error."""
    done = shell(f"slocheck {command} >/dev/full", runs)
    assert done.returncode == 74
    assert done.stderr.endswith("slocheck: standard output cannot be written: No space left on device\n")
    if command.startswith("grade"):
        assert command.split()[1].upper() in done.stderr


def test_an_output_that_is_lost_twice_is_still_74(runs: Path) -> None:
    """If not even the reason can be printed, the exit code has to be enough."""
    done = shell("slocheck grade pass >/dev/full 2>&1", runs)
    assert (done.returncode, done.stdout, done.stderr) == (74, "", "")


@pytest.mark.parametrize(
    ("command", "code"),
    [
        ("report pass --format html", 0),
        ("schema", 0),
        ("init --dir other --service a --target http://127.0.0.1:1 --force", 0),
        ("run --help", 0),
        ("--version", 0),
        ("--help", 0),
        ("grade nothing", 2),
        ("validate nothing.yaml", 2),
    ],
)
def test_every_command_keeps_its_code_without_readers(runs: Path, command: str, code: int) -> None:
    """A pipe closed before the first byte, for output and errors."""
    assert shell(f"slocheck {command} 2>&1 | true", runs).returncode == code
    assert shell(f"slocheck {command} >&- 2>&-", runs).returncode == code


def test_a_slow_reader_of_a_pipe_that_does_not_block_gets_everything(runs: Path) -> None:
    """A report larger than the pipe is written in parts, as space becomes free."""
    reading, writing = os.pipe()
    os.set_blocking(writing, False)
    with subprocess.Popen(
        [sys.executable, "-m", "slocheck", "report", "fail", "--format", "html"], cwd=runs, stdout=writing
    ) as process:
        os.close(writing)
        with os.fdopen(reading, "rb") as pipe:
            text = pipe.read().decode()
    assert process.returncode == 0
    assert text.rstrip().endswith("</html>")
    assert len(text) > 65_536


@pytest.mark.parametrize(
    ("streams", "code"),
    [
        pytest.param("2>/dev/full | true", 0, id="errors full, output gone"),
        pytest.param(">&- 2>&-", 0, id="both closed"),
        pytest.param("--json >/dev/full", 74, id="json full"),
    ],
)
def test_a_run_goes_on_and_is_archived_without_its_readers(
    api: str, tmp_path: Path, streams: str, code: int
) -> None:
    """The load is not wasted: evidence and reports are there, and the code is the verdict's or 74.

    Both streams gone is the demo's case, below; an output that is full is the same without --json.
    """
    write_spec(tmp_path, api, workload=SHORT, more="confidence: none\n")
    done = shell(f"slocheck run {streams}", tmp_path)
    assert done.returncode == code, done.stderr
    assert ("PASS" in done.stderr) == (code == 74)
    run = only_run(tmp_path)
    assert (run / EVIDENCE_FILE).is_file()
    assert (run / "report.html").is_file()


def test_a_demo_without_readers_measures_all_the_same(tmp_path: Path) -> None:
    """That concerns its API, its progress and its advice. 4: this machine was too busy to measure."""
    done = shell("slocheck demo --duration 10s 2>&1 | true", tmp_path)
    assert done.returncode in {0, 4}
    assert (only_run(tmp_path) / "report.html").is_file()


def test_a_validation_without_readers_is_valid(api: str, tmp_path: Path) -> None:
    """A full disk is not a spec error."""
    write_spec(tmp_path, api, scenario=STEPS, scenario_name="scenario.yaml")
    assert shell("slocheck validate | true", tmp_path).returncode == 0
    assert shell("slocheck validate >/dev/full", tmp_path).returncode == 74


def test_a_run_on_a_terminal_is_redrawn_in_colours(api: str, tmp_path: Path) -> None:
    """The view of a real run moves up again, and its verdict is green."""
    write_spec(tmp_path, api, workload=SHORT, more="confidence: none\n")
    code, got = on_a_terminal(
        [sys.executable, "-m", "slocheck", "run"], tmp_path, columns=120, TERM="xterm-256color"
    )
    assert code == 0, got
    assert b"\x1b[1A" in got
    assert b"\x1b[1;32m" in got
    assert b"\nwindow " not in got


REPLAY = """
from rich.console import Console
from slocheck.cli import output, streams
from slocheck.evidence.model import Tick
from slocheck.grading.assessment import Outcome
from tests.builders.reports import report

streams.guard()
found = report(Outcome.PASS)
with output.observer(found.spec, (), quiet=False) as progress:
    for step in ("starting the load generator", "waiting for the target", "sending load"):
        progress.step(step)
    for second in range(25):
        progress.update(Tick(second, "window", 20, found.evidence.recording), lambda: found.assessment)
output.print_summary(found, Console(), paths={})
"""
"""What a command prints of a run, without the run."""


@pytest.mark.parametrize(
    ("environment", "animated"),
    [
        pytest.param({"TERM": "xterm-256color", "NO_COLOR": "1"}, True, id="no colour"),
        pytest.param({"TERM": "dumb"}, False, id="dumb"),
    ],
)
def test_a_terminal_is_redrawn_only_if_it_can(environment: dict[str, str], *, animated: bool) -> None:
    """A dumb one gets a line every ten seconds; NO_COLOR removes only the colours."""
    code, got = on_a_terminal([sys.executable, "-c", REPLAY], ROOT, columns=120, **environment)
    assert code == 0, got
    assert (b"\x1b[1A" in got) == animated
    assert b"\x1b[32m" not in got
    assert b"\x1b[1;32m" not in got
    lines = re.findall(rb"\nwindow [0-9]+ of 40s  ", got)
    assert len(lines) == (0 if animated else 3), got
    assert b"PASS" in got


def test_forced_colours_do_not_animate_a_log() -> None:
    """FORCE_COLOR colours the lines that a log gets, a few every ten seconds."""
    done = subprocess.run(
        [sys.executable, "-c", REPLAY],
        cwd=ROOT, env={**os.environ, "FORCE_COLOR": "1", "TERM": "xterm"},
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=DEADLINE_S, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout
    assert "\x1b[1;32m" in done.stdout
    assert "\x1b[1A" not in done.stdout
    assert "\x1b[?25l" not in done.stdout
    assert len(done.stdout.splitlines()) < 40


ENCODINGS = {
    "ascii": {"PYTHONIOENCODING": "ascii"},
    "strict ascii": {"PYTHONIOENCODING": "ascii:strict"},
    "the C locale": {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"},
    "latin-1": {"PYTHONIOENCODING": "latin-1"},
}


@pytest.fixture(scope="module")
def encoded(api: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a spec of a foreign name, and the run that was made in the strictest encoding."""
    folder = tmp_path_factory.mktemp("encoded")
    spec = write_spec(
        folder, api, more="confidence: none\n", scenario=STEPS, scenario_name="scenario.yaml",
        workload="rate: [{to: 20/s, for: 2s}, {rate: 20/s, for: 2s}]",
    )  # fmt: skip
    spec.write_text(spec.read_text("utf-8").replace("service: shop-api", "service: Łódź-café"), "utf-8")
    out, err = printed(folder, "strict ascii", "run")
    _check_verdict(out)
    assert "@@@" in err
    return folder


def printed(folder: Path, encoding: str, *arguments: str) -> tuple[str, str]:
    """Run a command in one of the encodings; returns what it printed, which is in that encoding."""
    done = subprocess.run(
        [sys.executable, "-m", "slocheck", *arguments],
        cwd=folder, env={**os.environ, **ENCODINGS[encoding]}, capture_output=True, timeout=DEADLINE_S,
        check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    if encoding != "latin-1":
        assert done.stdout.isascii()
        assert done.stderr.isascii()
    return done.stdout.decode("latin-1"), done.stderr.decode("latin-1")


def _check_verdict(out: str) -> None:
    """Check that a summary shows verdict, foreign name and glyphs."""
    assert out.startswith("PASS  ")
    assert "d?-caf" in out
    assert "+ latency_p95" in out


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_a_small_encoding_gets_ascii_and_the_verdict(encoded: Path, encoding: str) -> None:
    """A service with a foreign name, a plan with bars, a summary with glyphs: all are shown, exit 0."""
    _check_verdict(printed(encoded, encoding, "grade", "latest")[0])
    assert "@@@" in printed(encoded, encoding, "run", "--dry-run")[0]


@pytest.mark.parametrize("format_name", ["html", "junit", "markdown"])
def test_a_document_loses_nothing_to_the_encoding(runs: Path, format_name: str) -> None:
    """Character references carry what ASCII cannot: no question mark takes a glyph's place."""
    wide = slocheck("report", "pass", "--format", format_name, cwd=runs).stdout
    done = shell(f"slocheck report pass --format {format_name}", runs, PYTHONIOENCODING="ascii")
    assert done.returncode == 0
    assert done.stdout == wide.encode("ascii", "xmlcharrefreplace").decode()


def test_a_path_that_is_not_text_is_named(tmp_path: Path) -> None:
    """A byte that no encoding has is a replacement character in the message, not a defect."""
    done = shell("slocheck grade $'no\\xffrun'", tmp_path)
    assert done.returncode == 2
    assert "no\N{REPLACEMENT CHARACTER}run: no run is archived there" in done.stderr


def test_a_terminal_that_hangs_up_does_not_end_the_archive(api: str, tmp_path: Path) -> None:
    """The reader of the progress leaves in the middle of the load."""
    write_spec(tmp_path, api, workload=SHORT, more="confidence: none\n")
    with ending(start_slocheck("run", cwd=tmp_path)) as process:
        assert process.stdout
        assert process.stderr
        process.stderr.readline()
        process.stderr.close()
        process.stdout.close()
        assert process.wait(timeout=DEADLINE_S) == 0
    assert (only_run(tmp_path) / "report.html").is_file()
