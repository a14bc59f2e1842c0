"""The live view of a run: lines for logs, a redrawn view for terminals."""

import io
from dataclasses import replace

import pytest
from rich.console import Console

from slocheck.evidence.model import Tick
from slocheck.evidence.recording import FailureClass, Recording
from slocheck.grading.assessment import Assessment, Outcome
from slocheck.reporters.terminal.figures import errors_text, recent
from slocheck.reporters.terminal.live import LiveView, PlainProgress, progress_for
from slocheck.reporters.totals import failed_text, window_totals
from tests.builders.recordings import make_recording, make_slice
from tests.builders.reports import HOSTILE, hostile_report, report, spec
from tests.builders.traffic import recording

SPEC = spec()
EXPECTATION, STATUS, TIMEOUT = FailureClass.EXPECTATION, FailureClass.STATUS, FailureClass.TIMEOUT
ASSESSMENT = report().assessment


def plain_console() -> tuple[Console, io.StringIO]:
    """A console that is not a terminal, and what it prints."""
    out = io.StringIO()
    return Console(file=out, force_terminal=False, width=40), out


def ticks(count: int) -> list[Tick]:
    """One tick a second: a warm-up of 5 s, then the window, then the drain."""
    found = recording()
    phases = ["warm-up"] * 5 + ["window"] * 40 + ["drain"] * 9
    return [Tick(second, phases[second], 20, found) for second in range(count)]


def test_a_log_gets_a_short_line_every_ten_seconds_and_at_each_phase() -> None:
    """Of a warm-up, a window and a drain: the window's last line comes before the one of the drain."""
    console, out = plain_console()
    grades: list[Assessment] = []

    def grade() -> Assessment:
        grades.append(ASSESSMENT)
        return ASSESSMENT

    with PlainProgress(SPEC, console) as progress:
        for tick in ticks(48):
            progress.update(tick, grade)
    assert len(grades) == 5, "for the lines that show one"
    printed = out.getvalue().splitlines()
    places = [line.split("  ")[0] for line in printed]
    assert places == [
        "warm-up 0 of 5s",
        *(f"window {second} of 40s" for second in (0, 10, 20, 30, 40)),
        "drain: waiting for requests in flight",
    ]
    assert printed[3].startswith("window 20 of 40s  104.0/s  p50 ")
    assert printed[3].endswith("  2 breached, 2 met")
    assert printed[5].endswith("  2 breached, 2 met")
    assert printed[5].split("  ")[1] == f"{recent(recording(), 45).rps:,.1f}/s", (
        "of the load, not of the drain"
    )
    assert max(map(len, printed)) <= 120


def test_a_run_that_ends_in_its_warm_up_drains_without_figures_of_a_window() -> None:
    """There was no such request."""
    console, out = plain_console()
    with PlainProgress(SPEC, console) as progress:
        for phase in ("warm-up", "drain"):
            progress.update(
                Tick(3, phase, 20, make_recording([], warmup_s=5, window_s=0)), lambda: ASSESSMENT
            )
    assert [line.split("  ")[0] for line in out.getvalue().splitlines()] == [
        "warm-up 3 of 5s",
        "drain: waiting for requests in flight",
    ]


def test_the_figures_are_of_the_last_ten_seconds() -> None:
    """At second 30 the failures of seconds 25 and 26 are in, at second 40 they are not."""
    found = recording()
    assert recent(found, 30).totals.failed == 16
    assert recent(found, 40).totals.failed == 0
    assert recent(found, 3).seconds == 3
    assert errors_text(recent(found, 40), SPEC.failures) == "none"
    assert errors_text(recent(found, 30), SPEC.failures) == "1.52%: 503 12, timeout 4"


@pytest.mark.parametrize(
    ("failures", "statuses", "said"),
    [
        pytest.param({EXPECTATION: 50}, {404: 50}, "404 50", id="refused for their status"),
        pytest.param({EXPECTATION: 50}, {200: 100, 404: 50}, "404 50", id="beside successes"),
        pytest.param({EXPECTATION: 50}, {200: 150}, "expectation 50", id="refused for the body"),
        pytest.param({EXPECTATION: 50}, {404: 30, 200: 20}, "404 30, expectation 20", id="both"),
        pytest.param({EXPECTATION: 20}, {404: 50, 200: 70}, "expectation 20", id="a 404 that was expected"),
        pytest.param(
            {STATUS: 9, EXPECTATION: 5}, {500: 9, 404: 5, 200: 86}, "500 9, 404 5", id="beside errors"
        ),
        pytest.param({EXPECTATION: 9, TIMEOUT: 2}, {500: 9}, "500 9, timeout 2", id="a 500 is named once"),
    ],
)
def test_failures_are_named_by_their_status_where_it_is_known(
    failures: dict[FailureClass, int], statuses: dict[int, int], said: str
) -> None:
    """A response that ``expect`` refuses for its status is listed by it, in all views and reports."""
    ok = sum(statuses.values()) - sum(count for kind, count in failures.items() if kind is not TIMEOUT)
    found = make_recording([make_slice(0, {20: ok}, failures=failures, statuses=statuses)])
    assert failed_text(window_totals(found), SPEC.failures) == said


def test_nothing_recorded_yet_is_no_division_by_zero() -> None:
    """The first tick comes before the first whole second."""
    console, out = plain_console()
    with PlainProgress(SPEC, console) as progress:
        progress.update(Tick(0, "warm-up", 0, Recording((), (), (), 5, 40)), lambda: ASSESSMENT)
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
    """FORCE_COLOR makes a console call everything a terminal; the file and TERM decide."""
    console = Console(file=file(), _environ={"TERM": term, "FORCE_COLOR": "1"})
    assert console.is_terminal
    assert isinstance(progress_for(SPEC, console), view)


def screen(view: LiveView, console: Console) -> list[str]:
    """Return the lines of a view as they stand on the screen."""
    with console.capture() as captured:
        console.print(view.renderable())
    return captured.get().splitlines()


@pytest.mark.parametrize(("width", "height"), [(80, 24), (200, 50)])
def test_the_view_shows_phase_figures_and_objectives(width: int, height: int) -> None:
    """Progress, time left, both rates, percentiles, errors by status, cache, each value against its limit."""
    console = Console(file=io.StringIO(), force_terminal=True, width=width, height=height, color_system=None)
    now = [5.0]
    view = LiveView(SPEC, console, lambda: now[0])
    view.step("sending load")
    now[0] = 17.4
    view.update(Tick(30, "window", 20, recording()), lambda: ASSESSMENT)
    head, progress, rate, latency, errors, cache, *objectives = screen(view, console)
    assert head == "shop-api: sending load, 12 s"
    assert progress == "■■■■■■■■■■■■■■■■■■■■■■■■■■■·············  window 25 of 40s  15s left"
    assert rate == "rate    sent 105.6/s, planned 10 users, running 20  (last 10 s)"
    assert latency.startswith("latency p50 ")
    assert errors == "errors  1.52%: 503 12, timeout 4  (last 10 s)"
    assert cache.startswith("cache   hits 9")
    assert objectives == [
        "✗ error_rate                0.478%  ■■■■■■■■■■  silver < 0.1%",
        "✗ latency_p95                230ms  ■■■■■■■■■■  silver < 200ms",
        "✓ cache_hit_rate             91.7%  ■■■■■■■■··  silver > 90%",
        "✓ availability              99.66%  ■■■·······  silver >= 99%",
    ]


def test_the_drain_shows_the_last_verdicts_and_no_collapse() -> None:
    """It has fewer users and no requests by design; the last figures stay until another step begins."""
    console = Console(file=io.StringIO(), force_terminal=True, width=80, height=24, color_system=None)
    view = LiveView(SPEC, console)
    view.update(Tick(30, "window", 20, recording()), lambda: ASSESSMENT)
    before = screen(view, console)
    invalid = report(Outcome.INVALID).assessment
    view.update(Tick(46, "drain", 0, Recording((), (), (), 5, 40)), lambda: invalid)
    after = screen(view, console)
    assert after[1].endswith("  drain: waiting for requests in flight")
    assert after[2:] == before[2:]
    view.step("waiting for the last samples of the server side")
    assert screen(view, console)[1:] == before[2:]


def test_no_line_of_the_view_is_longer_than_the_screen() -> None:
    """A line that wraps would not be erased."""
    console = Console(file=io.StringIO(), force_terminal=True, width=40, height=10, color_system=None)
    view = LiveView(SPEC, console)
    view.step("waiting for something with a long name, " * 3)
    view.update(Tick(30, "window", 20, recording()), lambda: ASSESSMENT)
    lines = screen(view, console)
    assert max(map(len, lines)) <= 40
    assert len(lines) <= 8
    assert lines[-1] == "and 3 more"


def test_the_view_is_drawn_below_the_lines_that_stay() -> None:
    """A warning stays on the screen."""
    out = io.StringIO()
    console = Console(file=out, force_terminal=True, width=200, height=50)
    with LiveView(SPEC, console) as view:
        view.step("sending load")
        view.warn("mind the gap")
        view.update(Tick(30, "window", 20, recording()), lambda: ASSESSMENT)
    for text in ("sending load", " latency_p95", "mind the gap"):
        assert text in out.getvalue()


@pytest.mark.parametrize("text", HOSTILE)
@pytest.mark.parametrize("terminal", [True, False])
def test_foreign_text_is_no_markup(text: str, *, terminal: bool) -> None:
    """Foreign steps, warnings, names and reasons are shown and not obeyed."""
    found = hostile_report(text)
    out = Terminal() if terminal else io.StringIO()
    console = Console(file=out, force_terminal=terminal, width=120, height=60, color_system=None)
    with progress_for(found.spec, console) as progress:
        progress.step(text)
        progress.warn(text)
        progress.update(Tick(12, "window", 20, found.evidence.recording), lambda: found.assessment)
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
        view.update(Tick(30, "window", 20, recording()), lambda: many)
    assert "and 60 more" in out.getvalue()
