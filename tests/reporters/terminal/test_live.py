"""The run while it goes on: lines for logs, a redrawn view for terminals."""

import io
from dataclasses import replace

import pytest
from rich.console import Console

from slocheck.evidence.model import Tick
from slocheck.evidence.recording import Recording
from slocheck.reporters.terminal.live import LiveView, PlainProgress, progress_for, recent
from tests.builders.reports import HOSTILE, hostile_report, report, spec
from tests.builders.traffic import recording

SPEC = spec()
ASSESSMENT = report().assessment


def plain_console() -> tuple[Console, io.StringIO]:
    """A console that is not a terminal, and what it prints."""
    out = io.StringIO()
    return Console(file=out, force_terminal=False, width=40), out


def ticks(count: int) -> list[Tick]:
    """One tick a second: a warm-up of 5 s, then the window."""
    found = recording()
    return [
        Tick(second, "warm-up" if second < found.warmup_s else "window", 20, found) for second in range(count)
    ]


def test_a_log_gets_a_line_every_ten_seconds_and_at_each_phase() -> None:
    """Twenty-six seconds with a warm-up of five: lines at 0, 5, 15 and 25."""
    console, out = plain_console()
    with PlainProgress(SPEC, console) as progress:
        for tick in ticks(26):
            progress.update(tick, ASSESSMENT)
    printed = out.getvalue().splitlines()
    assert [line.split(" s ", 1)[0] for line in printed] == ["0", "5", "15", "25"]
    assert "window 20 of 40 s" in printed[-1]
    assert "gate silver, client side so far: 2 breached, 2 met" in printed[-1]
    assert "rps 104.0" in printed[-1]


def test_the_figures_are_of_the_last_ten_seconds() -> None:
    """At second 30 the failures of seconds 25 and 26 are in, at second 40 they are not."""
    found = recording()
    assert recent(found, 30).totals.failed == 16
    assert recent(found, 40).totals.failed == 0
    assert recent(found, 3).seconds == 3


def test_nothing_recorded_yet_is_no_division_by_zero() -> None:
    """The first tick comes before the first whole second."""
    console, out = plain_console()
    with PlainProgress(SPEC, console) as progress:
        progress.update(Tick(0, "warm-up", 0, Recording((), (), (), 5, 40)), ASSESSMENT)
    assert "p50 -" in out.getvalue()


class Terminal(io.StringIO):
    """A file that is a terminal."""

    def isatty(self) -> bool:
        """Say so."""
        return True


@pytest.mark.parametrize(
    ("file", "term", "view"),
    [
        (Terminal, "xterm", LiveView),
        (Terminal, "dumb", PlainProgress),
        (Terminal, "unknown", PlainProgress),
        (io.StringIO, "xterm", PlainProgress),
    ],
)
def test_a_terminal_gets_the_view_and_a_log_gets_lines(
    file: type[io.StringIO], term: str, view: type[object]
) -> None:
    """FORCE_COLOR makes a console call everything a terminal; it is the file that decides, and TERM."""
    console = Console(file=file(), _environ={"TERM": term, "FORCE_COLOR": "1"})
    assert console.is_terminal
    assert isinstance(progress_for(SPEC, console), view)


@pytest.mark.parametrize("phase", ["warm-up", "window", "drain"])
def test_the_view_shows_phase_figures_and_objectives(phase: str) -> None:
    """What REPORTS promises is on the screen: progress, rate, percentiles, errors, cache, each objective."""
    out = io.StringIO()
    console = Console(file=out, force_terminal=True, width=200, height=50)
    with LiveView(SPEC, console) as view:
        view.step("sending load")
        view.warn("mind the gap")
        view.update(Tick(30, phase, 20, recording()), ASSESSMENT)
    printed = out.getvalue()
    (bar,) = {line for line in printed.splitlines() if "━" in line}
    assert "users" not in bar
    for text in ("sending load", phase, "p99", "cache hits", "errors", "✗ latency_p95", "mind the gap"):
        assert text in printed


@pytest.mark.parametrize("text", HOSTILE)
@pytest.mark.parametrize("terminal", [True, False])
def test_foreign_text_is_no_markup(text: str, *, terminal: bool) -> None:
    """Steps, warnings, names and reasons from elsewhere are shown and not obeyed."""
    found = hostile_report(text)
    out = Terminal() if terminal else io.StringIO()
    console = Console(file=out, force_terminal=terminal, width=120, height=60, color_system=None)
    with progress_for(found.spec, console) as progress:
        progress.step(text)
        progress.warn(text)
        progress.update(Tick(12, "window", 20, found.evidence.recording), found.assessment)
    printed = out.getvalue()
    assert "\x1b]" not in printed
    assert "\u202e" not in printed
    assert "\x1b[2J" not in printed
    assert not any(line.lstrip().startswith("::") for line in printed.splitlines())


def test_many_objectives_are_counted_past_the_screen() -> None:
    """A hundred objectives do not push the figures off the screen."""
    out = io.StringIO()
    many = replace(ASSESSMENT, objectives=ASSESSMENT.objectives * 20)
    with LiveView(SPEC, Console(file=out, force_terminal=True, width=150, height=80)) as view:
        view.update(Tick(30, "window", 20, recording()), many)
    assert "and 80 more" in out.getvalue()
