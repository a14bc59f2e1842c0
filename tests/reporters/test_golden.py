"""Whole reports against golden files; UPDATE_GOLDEN=1 rewrites them; read the diff before you commit."""

import io
import os
import re
from pathlib import Path

import pytest
from rich.console import Console

from slocheck.cli import streams
from slocheck.grading.assessment import Outcome
from slocheck.reporters import FORMATS, RUN_FILES
from slocheck.reporters.terminal.summary import render_summary
from tests.builders.reports import report

GOLDEN = Path(__file__).parent / "golden"
PATHS = {name: f"reports/run/{reporter.file_name}" for name, reporter in RUN_FILES.items()}


def check(name: str, text: str) -> None:
    """Compare `text` with the golden file `name`, or write it on request."""
    path = GOLDEN / name
    if os.environ.get("UPDATE_GOLDEN"):
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, encoding="utf-8")
    assert text == path.read_text(encoding="utf-8")


def shortened(text: str) -> str:
    """Round long fractions: their last digits may differ between processors."""
    return re.sub(r"\d+\.\d{9,}(?:e-\d+)?", lambda found: f"{float(found[0]):.9g}", text)


def summary(outcome: Outcome, *, terminal: bool = False, verbose: bool = False) -> str:
    """Return the last lines of the sample run."""
    out = io.StringIO()
    console = Console(
        file=out, force_terminal=terminal, color_system="standard" if terminal else None, width=80
    )
    render_summary(report(outcome=outcome), console, PATHS, verbose=verbose)
    return out.getvalue()


@pytest.mark.parametrize("name", ["json", "junit", "markdown"])
def test_format(name: str) -> None:
    """The sample run's report is exactly the golden one."""
    reporter = FORMATS[name]
    check(reporter.file_name, shortened(reporter.render(report())))


@pytest.mark.parametrize("outcome", list(Outcome))
def test_console(outcome: Outcome) -> None:
    """The last lines of a run at 80 columns, for each way it can end."""
    check(f"console-{outcome}.txt", summary(outcome))


@pytest.mark.parametrize("outcome", list(Outcome))
def test_console_in_ascii(outcome: Outcome) -> None:
    """If the terminal cannot show a glyph, the same lines have another character in its place."""
    raw = io.BytesIO()
    file = io.TextIOWrapper(raw, encoding="ascii", errors=streams.HANDLER)
    render_summary(report(outcome=outcome), Console(file=file, width=80), PATHS)
    file.flush()
    check(f"console-{outcome}-ascii.txt", raw.getvalue().decode("ascii"))


def test_console_with_details() -> None:
    """What -v adds: statistics, all checks, all failures, all paths, and the command."""
    check("console-verbose.txt", summary(Outcome.FAIL, verbose=True))


def test_console_on_a_terminal_has_colours_and_the_same_words(monkeypatch: pytest.MonkeyPatch) -> None:
    """Colour adds nothing that the words do not say."""
    monkeypatch.delenv("NO_COLOR", raising=False)
    coloured = summary(Outcome.FAIL, terminal=True)
    assert "\x1b[1;31mFAIL" in coloured
    plain = summary(Outcome.FAIL).splitlines()

    assert re.sub(r"\x1b\[[0-9;]*m", "", coloured).splitlines() == plain


def test_console_respects_no_color(monkeypatch: pytest.MonkeyPatch) -> None:
    """With NO_COLOR a terminal gets no colour."""
    monkeypatch.setenv("NO_COLOR", "1")
    assert "\x1b[31m" not in summary(Outcome.FAIL, terminal=True)
    assert "\x1b[1;31m" not in summary(Outcome.FAIL, terminal=True)
