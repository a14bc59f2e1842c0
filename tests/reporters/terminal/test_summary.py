"""The last lines of a run: order, honesty, and foreign text that stays on its line."""

import io
import re
from dataclasses import replace

import pytest
from rich.console import Console

from slocheck.grading.assessment import Outcome, Verdict
from slocheck.grading.report import Report
from slocheck.reporters.terminal.summary import render_summary
from tests.builders.reports import HOSTILE, hostile_report, report


def lines(found: Report, *, width: int = 80) -> list[str]:
    """Return what is printed where there is no terminal."""
    out = io.StringIO()
    render_summary(found, Console(file=out, force_terminal=False, width=width), {})
    return out.getvalue().splitlines()


def test_the_worst_comes_first() -> None:
    """After the headline breached objectives, then undecided ones, then the met in one line."""
    plain = report()
    first, second, *rest = plain.assessment.objectives
    undecided = replace(
        first, levels=tuple(replace(item, verdict=Verdict.UNDECIDED, reason="why") for item in first.levels)
    )
    mixed = replace(plain.assessment, objectives=(undecided, second, *rest))
    glyphs = [line[0] for line in lines(replace(plain, assessment=mixed))[1:4]]
    assert glyphs == ["✗", "?", "✓"]


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
    plain = report()
    first, *rest = plain.assessment.objectives
    worse = replace(first, levels=tuple(replace(item, verdict=Verdict.BREACHED) for item in first.levels))
    printed = lines(replace(plain, assessment=replace(plain.assessment, objectives=(worse, *rest))))
    assert "silver < 200ms (+30ms), critical < 500ms too" in printed[1]


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
    plain = report(outcome=Outcome.UNDECIDED)
    met = tuple(
        replace(item, levels=tuple(replace(level, verdict=Verdict.MET) for level in item.levels))
        for item in plain.assessment.objectives
    )
    graded = replace(plain.assessment, objectives=met, headline="The target did not last.")
    assert lines(replace(plain, assessment=graded))[1] == "The target did not last."
