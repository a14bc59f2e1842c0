"""Messages on stderr: foreign text is shown and not obeyed, and no secret of the environment shows."""

import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from slocheck import errors
from slocheck.cli import exit_code_of
from tests.builders.good_spec import GOOD

HOSTILE = "\x1b[2Jx\n::error::pwned\n##vso[task.complete result=Succeeded]"
ROOT = Path(__file__).parents[2]
SCENARIO = "scenarios/browse.yaml"
Captured = pytest.CaptureFixture[str]


@pytest.mark.parametrize(
    "words",
    [
        pytest.param(["validate", f"{HOSTILE}.yaml"], id="a file that is not there"),
        pytest.param(["grade", HOSTILE], id="a run that is not there"),
        pytest.param(["run", f"--{HOSTILE}"], id="an option that is unknown"),
        pytest.param(["run", "--processes", HOSTILE, "slo.yaml"], id="a value that is none"),
        pytest.param(["--debug", "validate", f"{HOSTILE}.yaml"], id="with its traceback"),
    ],
)
def test_no_message_is_obeyed(words: list[str], capsys: Captured, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither by a terminal nor by a CI runner, whichever part of the command line quotes it."""
    monkeypatch.setenv("SLOCHECK_DEBUG", "")
    assert exit_code_of(words) == 2
    said = capsys.readouterr().err
    assert said
    assert "\x1b" not in said
    assert "::error" not in said
    assert "##vso[" not in said


def test_a_secret_of_the_environment_does_not_show(
    capsys: Captured, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """A variable that is named like a secret, in a message that quotes its value, and in a traceback."""
    monkeypatch.setenv("SHOP_API_TOKEN", "v4lue-of-t0ken")
    monkeypatch.setenv("SLOCHECK_DEBUG", "1")
    assert exit_code_of(["validate", str(tmp_path / "v4lue-of-t0ken.yaml")]) == 2
    said = capsys.readouterr().err
    assert "Traceback" in said
    assert "v4lue" not in said
    assert "***.yaml" in said


INTERRUPTED = """\
import os, signal, sys

class Interrupts:
    wanted = sys.argv.pop()
    def find_spec(self, name, path=None, target=None):
        if name == self.wanted:
            os.kill(os.getpid(), signal.SIGINT)

sys.meta_path.insert(0, Interrupts())
from slocheck.__main__ import start
start()
"""


@pytest.mark.parametrize("module", ["slocheck.cli", "slocheck.cli.actions.validate"])
def test_an_interrupt_while_the_program_is_loaded_is_answered_in_a_line(module: str) -> None:
    """While the command line loads, and before the command begins: no traceback; the signal's code."""
    command = [sys.executable, "-c", INTERRUPTED, "validate", module]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (130, "")
    assert done.stderr == "slocheck: interrupted by SIGINT\n"


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ("slo.yml", "slo.yml: no such file; did you mean slo.yaml?"),
        ("deep/slo.yaml", "deep/slo.yaml: no such file; run `slocheck init` to write one"),
        ("service.yaml", "service.yaml: no such file; run `slocheck init` to write one"),
        ("slo.yaml", "scenarios/brwse.yaml does not exist; did you mean scenarios/browse.yaml?"),
    ],
)
def test_a_file_that_is_missing_has_a_neighbour_that_may_be_meant(
    typed: str, said: str, capsys: Captured, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """A spec with another file ending, a scenario with a typo; otherwise the remedy."""
    monkeypatch.chdir(tmp_path)
    Path("scenarios").mkdir()
    Path("scenarios/browse.yaml").write_text("flows: [{steps: [{get: /}]}]")
    Path("slo.yaml").write_text(GOOD.replace("browse.py", "brwse.yaml"))
    assert exit_code_of(["validate", typed]) == 2
    assert said in capsys.readouterr().err


def test_each_error_has_the_code_of_the_contract() -> None:
    """By class: what is the user's, what could not be measured, what could not be saved, and a defect."""
    expected: dict[type[errors.SlocheckError], int] = {
        errors.SlocheckError: 70,
        errors.UsageError: 2,
        errors.SpecError: 2,
        errors.MeasurementError: 4,
        errors.TargetError: 4,
        errors.SourceError: 4,
        errors.GeneratorError: 4,
        errors.SaveError: 74,
    }
    assert {kind: kind.exit_code for kind in expected} == expected
    assert errors.SIGNAL_EXIT_CODES == {"SIGINT": 130, "SIGTERM": 143, "SIGHUP": 129}


def test_a_problem_names_its_place_and_its_key() -> None:
    """The key is left out where there is none: a problem of the document as a whole."""
    whole = errors.Problem("slo.yaml", 1, 2, "", "is empty")
    assert str(whole) == "slo.yaml:1:2 is empty"
    assert str(replace(whole, where="gate")) == "slo.yaml:1:2 gate: is empty"


def test_a_chain_has_each_error_once() -> None:
    """Arguments, reason, cause and context, also if they lead back to where they came from."""
    inner, cause, outer = OSError("inner"), ValueError("cause"), RuntimeError("outer")
    outer.args, outer.__cause__, cause.__context__ = ("outer", inner), cause, outer
    assert list(errors.chain_of(outer)) == [outer, inner, cause]


ENDED = """\
import threading
from slocheck import cli

def fail():
    raise ValueError("label \\x1b[2J of a page\\n::error::pwned, v4lue-of-t0ken")

def work(_arguments):
    thread = threading.Thread(target=fail)
    thread.start()
    thread.join()
    return 0

cli.exit_code_of = work
cli.main()
"""


def test_the_end_of_a_thread_is_said_like_anything_else() -> None:
    """What a thread raises may quote the page that it reads; Python itself prints it as it is."""
    environment = {**os.environ, "SHOP_API_TOKEN": "v4lue-of-t0ken"}
    command = [sys.executable, "-c", ENDED]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0
    assert "ValueError: label  of a page\n: :error::pwned, ***" in done.stderr
    assert "\x1b" not in done.stderr


def test_validate_warns_of_the_load_as_a_run_does(tmp_path: Path, capsys: Captured) -> None:
    """An old word, and even arrivals that may meet a rhythm: before the first run, not in its report."""
    text = (ROOT / "slo.yaml").read_text("utf-8").replace(SCENARIO, str(ROOT / SCENARIO))
    path = tmp_path / "slo.yaml"
    path.write_text(text.replace("  warmup: 5s", "  arrivals: uniform\n  warmup: 5s"), "utf-8")
    assert exit_code_of(["validate", str(path)]) == 0
    said = capsys.readouterr().err
    assert "warning: workload.arrivals: uniform is now called even" in said
    assert "warning: even arrivals below 1,000/s" in said
