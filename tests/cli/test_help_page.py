"""docs/cli.md says what ``--help`` says."""

import os
import subprocess
import sys

import pytest

from slocheck.cli import exit_code_of
from slocheck.reporters import FORMATS
from tests.cli.help_page import PAGE, WIDTH, help_texts, render


def test_the_page_is_what_help_prints() -> None:
    """The page was generated from the commands as they are now."""
    assert PAGE.read_text("utf-8") == render(), "run `make docs`"


@pytest.mark.parametrize("command", help_texts())
def test_help_prints_what_the_page_says(
    command: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The text on the page is what the real command line prints in a wide terminal."""
    monkeypatch.setenv("COLUMNS", str(2 * WIDTH))
    assert exit_code_of([*command.split()[1:], "--help"]) == 0
    assert capsys.readouterr().out == help_texts()[command] + "\n"


def test_the_page_does_not_depend_on_the_environment() -> None:
    """Another terminal and other variables give the same page."""
    code = "from tests.cli.help_page import render; print(render(), end='')"
    other = {"COLUMNS": "40", "TERM": "dumb", "SLOCHECK_GATE": "gold", "SLOCHECK_REPORTS": "elsewhere"}
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, env=os.environ | other
    )
    assert done.stdout == render()


def test_the_help_names_every_format() -> None:
    """The text is fixed, because a light ``--help`` loads no reporter."""
    assert f"{', '.join([*FORMATS][:-1])} or {[*FORMATS][-1]}." in help_texts()["slocheck report"]
