"""Progress of a run: a view redrawn in place on a terminal, a line every 10 s elsewhere."""

import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Protocol, Self

from rich.cells import cell_len
from rich.console import Console
from rich.live import Live
from rich.text import Text

from slocheck.documents.texts import shorten
from slocheck.evidence.model import Tick
from slocheck.grading.assessment import Assessment, ObjectiveResult, Verdict
from slocheck.grading.nearest import use_of_limit
from slocheck.reporters.escape import for_terminal
from slocheck.reporters.terminal import figures
from slocheck.reporters.terminal.layout import GAP, columns, padded, say
from slocheck.reporters.terminal.summary import STYLES
from slocheck.reporters.text import GLYPHS, NO_DATA, limit_text, value_text
from slocheck.spec.model import Spec

LINE_EVERY_S = 10
BAR_WIDTH, SMALL_BAR_WIDTH = 40, 10
MAX_NAME, MAX_VALUE = 24, 16
MAX_OBJECTIVES = 20
ABOVE_OBJECTIVES = 9
"""Lines of a screen that the objectives leave to the rest of the view and to the prompt."""


class Progress(Protocol):
    """Shows a run's progress to a person; a context manager."""

    def __enter__(self) -> Self:
        """Start showing progress."""

    def __exit__(self, *_: object) -> None:
        """Restore the terminal."""

    def step(self, text: str) -> None:
        """Show the step that begins."""

    def warn(self, text: str) -> None:
        """Show a warning that stays on the screen."""

    def update(self, tick: Tick, grade: Callable[[], Assessment]) -> None:
        """Show one more second of load; `grade` gives the client side's grade so far."""


def progress_for(spec: Spec, console: Console) -> "Progress":
    """Return the view for the console: redrawn in place on a terminal that can, plain lines elsewhere.

    `Console.is_terminal` is not asked: FORCE_COLOR and its like make it true for a file, which should
    have colours but cannot be redrawn.
    """
    redrawn = console.file.isatty() and not console.is_dumb_terminal
    return LiveView(spec, console) if redrawn else PlainProgress(spec, console)


class _Base:
    """What both views share: the spec, the console, and how to print a line without markup."""

    def __init__(self, spec: Spec, console: Console) -> None:
        self._spec = spec
        self._console = console

    def _say(self, text: str, style: str = "") -> None:
        say(self._console, Text(for_terminal(text), style=style))

    def warn(self, text: str) -> None:
        """Show a warning that stays on the screen."""
        self._say(f"warning: {text}", "yellow")


class PlainProgress(_Base):
    """One short line every 10 s and at each new phase, for logs."""

    def __init__(self, spec: Spec, console: Console) -> None:
        super().__init__(spec, console)
        self._phase = ""
        self._due = self._shown = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        """There is nothing to restore."""

    def step(self, text: str) -> None:
        """Print the step that begins."""
        self._say(text)

    def update(self, tick: Tick, grade: Callable[[], Assessment]) -> None:
        """Print a line when one is due; that of the drain comes after the last line of the window."""
        if tick.phase == self._phase and (tick.second < self._due or tick.phase == figures.DRAIN):
            return
        self._phase, self._due = tick.phase, tick.second + LINE_EVERY_S
        if tick.phase != figures.DRAIN:
            self._figures(tick, grade)
            return
        if figures.in_window(tick) > self._shown:
            self._figures(replace(tick, second=tick.recording.window.stop, phase=figures.WINDOW), grade)
        self._say(figures.place_text(tick, self._spec))

    def _figures(self, tick: Tick, grade: Callable[[], Assessment]) -> None:
        """Print the figures of the last seconds."""
        self._shown = figures.in_window(tick)
        now = figures.recent(tick.recording, tick.second)
        errors = figures.errors_text(now, self._spec.failures)
        place = figures.place_text(tick, self._spec)
        parts = [place, f"{now.rps:,.1f}/s", figures.percentiles_text(now), f"errors {errors}"]
        if tick.phase == figures.WINDOW and (verdicts := figures.verdicts_text(grade())):
            parts.append(verdicts)
        self._say(GAP.join(parts))


class LiveView(_Base):
    """A view redrawn in place, below the lines that stay."""

    def __init__(self, spec: Spec, console: Console, clock: Callable[[], float] = time.monotonic) -> None:
        super().__init__(spec, console)
        self._clock = clock
        self._step = "starting"
        self._started = clock()
        self._tick: Tick | None = None
        self._body: list[Text] = []
        self._live = Live(
            console=console,
            get_renderable=self.renderable,
            refresh_per_second=4,
            transient=True,
            redirect_stdout=False,
        )

    def __enter__(self) -> Self:
        self._live.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Remove the view; the result follows."""
        self._live.stop()

    def show(self, line: str) -> None:
        """Show a line that the scenario printed, above the view."""
        self._say(line, "dim")

    def step(self, text: str) -> None:
        """Show the step that begins in the first line of the view."""
        self._step, self._started, self._tick = text, self._clock(), None
        if self._live.is_started:
            self._live.refresh()

    def update(self, tick: Tick, grade: Callable[[], Assessment]) -> None:
        """Redraw the view; in the drain the figures and verdicts are the window's last ones."""
        if tick.phase != figures.DRAIN:
            self._body = list(self._figures(tick, grade))
        self._tick = tick

    def renderable(self) -> Text:
        """Return the view as it is now."""
        waited = self._clock() - self._started
        head = Text(for_terminal(f"{self._spec.service}: {self._step}, {waited:.0f} s"), style="bold")
        progress = [] if self._tick is None else [Text(self._progress(self._tick))]
        lines = [head, *progress, *self._body]
        width = self._console.width
        for line in lines:
            line.truncate(width, overflow="ellipsis")
        return Text("\n", no_wrap=True, overflow="crop").join(lines)

    def _progress(self, tick: Tick) -> str:
        """Write the phase, a progress bar of the load, and the time left."""
        workload = self._spec.workload
        over = tick.second / max(1.0, workload.warmup + workload.duration)
        width = min(BAR_WIDTH, max(SMALL_BAR_WIDTH, columns(self._console) - 40))
        drawn = figures.bar(1.0 if tick.phase == figures.DRAIN else over, width)
        place, left = figures.place_text(tick, self._spec), figures.time_left_text(tick, self._spec)
        return GAP.join(part for part in (drawn, place, left) if part)

    def _figures(self, tick: Tick, grade: Callable[[], Assessment]) -> Iterator[Text]:
        """Yield the figures of the last seconds, and each objective of the gate."""
        now = figures.recent(tick.recording, tick.second)
        pairs = [
            ("rate", f"sent {now.rps:,.1f}/s, {figures.planned_text(tick, self._spec)}"),
            ("latency", figures.percentiles_text(now)),
            ("errors", figures.errors_text(now, self._spec.failures)),
            ("cache", figures.cache_text(now)),
        ]
        for name, text in pairs:
            if text:
                said = f" hits {text}" if name == "cache" else f" {text}"
                yield Text.assemble((f"{name:<7}", "dim"), said, (f"  (last {now.seconds} s)", "dim"))
        if tick.phase == figures.WINDOW:
            yield from self._objectives(grade())

    def _objectives(self, assessment: Assessment) -> Iterator[Text]:
        """Yield a line for each objective of the gate; those that may not fit on the screen are counted."""
        found = figures.gate_results(assessment)
        most = max(1, min(MAX_OBJECTIVES, self._console.height - ABOVE_OBJECTIVES))
        shown = found[:most]
        names = [shorten(for_terminal(result.objective.name), MAX_NAME) for result in shown]
        width = max(map(cell_len, names), default=0)
        for result, name in zip(shown, names, strict=True):
            line = Text(_objective_line(result, padded(name, width)))
            line.stylize(STYLES[result.verdict or Verdict.MET], 0, 1)
            yield line
        if len(found) > most:
            yield Text(f"and {len(found) - most} more")


def _objective_line(result: ObjectiveResult, name: str) -> str:
    """Write an objective's value against its limit: the bar is full where the limit is reached."""
    objective, level = result.objective, result.shown
    decides = level.deciding
    value = value_text(objective, decides.display) if decides else NO_DATA
    used = figures.bar(use_of_limit(result), SMALL_BAR_WIDTH)
    limit = for_terminal(limit_text(level.level, level.limit))
    return f"{GLYPHS[level.verdict]} {name}{GAP}{padded(value, MAX_VALUE, right=True)}{GAP}{used}{GAP}{limit}"
