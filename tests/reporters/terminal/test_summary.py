"""The last lines of a run: order, honesty, and foreign text that stays on its line."""

import io
import re

import pytest
from rich.console import Console

from slocheck.grading.assessment import Outcome
from slocheck.grading.report import Report
from slocheck.reporters.terminal.summary import render_summary
from tests.builders.reports import HOSTILE, hostile_report, report, target_lost, unbounded


def lines(found: Report, *, width: int = 80) -> list[str]:
    """Return what is printed without a terminal."""
    out = io.StringIO()
    render_summary(found, Console(file=out, force_terminal=False, width=width), {})
    return out.getvalue().splitlines()


@pytest.mark.parametrize(("outcome", "shown"), [(Outcome.FAIL, "✗✓"), (Outcome.UNDECIDED, "?✓")])
def test_the_worst_comes_first(outcome: Outcome, shown: str) -> None:
    """After the headline breached objectives, then undecided ones, then those that are met."""
    glyphs = [line[0] for line in lines(report(outcome=outcome)) if line[0] in "✗?✓"]
    assert glyphs == sorted(glyphs, key="✗?✓".index)
    assert set(glyphs) >= set(shown)


@pytest.mark.parametrize("width", [20, 80, 300])
def test_no_line_is_cut_or_wrapped(width: int) -> None:
    """A log is searched by line, whatever width was guessed for it."""
    assert lines(report(), width=width) == lines(report(), width=200)


@pytest.mark.parametrize("text", HOSTILE)
def test_foreign_text_neither_moves_the_cursor_nor_commands_the_runner(text: str) -> None:
    """Every line is printable, begins with our own word, and markup is shown as it is."""
    printed = lines(hostile_report(text))
    assert all(line.isprintable() for line in printed)
    assert not any(line.lstrip().startswith("::") or "##[" in line for line in printed)
    if text.startswith("[bold red]"):
        assert any("[bold red]x[/bold red]" in line for line in printed)


def test_a_broken_critical_level_is_named_too() -> None:
    """The line shows the tier's limit; critical stands behind it."""
    assert "silver < 200ms, critical < 500ms too" in lines(unbounded())[1]


def test_what_the_next_tier_lacks_is_said_when_the_gate_is_met() -> None:
    """The way up stands in the last lines."""
    printed = "\n".join(lines(report(outcome=Outcome.PASS)))
    assert "to silver: latency_p95 230ms" in printed


def test_an_invalid_run_names_the_broken_check() -> None:
    """Nobody has to open the report to learn why."""
    printed = "\n".join(lines(report(outcome=Outcome.INVALID)))
    assert re.search(r"The measurement is invalid \(generator-cpu\): generator CPU 99%", printed)
    assert "validity ok" not in printed


def test_a_run_undecided_by_no_objective_says_why() -> None:
    """A target that died in a run that met all so far: the headline is the only reason there is."""
    printed = lines(target_lost())
    assert printed[0].startswith("UNDECIDED")
    assert "the target stopped responding before the end of the run" in printed[1]
