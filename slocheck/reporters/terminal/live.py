"""Progress of a run: a view redrawn in place on a terminal, a line every 10 s elsewhere."""

import time
from collections import Counter
from dataclasses import dataclass
from typing import Protocol, Self

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from slocheck.documents.texts import shorten
from slocheck.evidence.model import Tick
from slocheck.evidence.recording import Recording
from slocheck.grading.assessment import SEVERITY, Assessment, Verdict
from slocheck.reporters import totals
from slocheck.reporters.escape import for_terminal
from slocheck.reporters.terminal.summary import STYLES
from slocheck.reporters.text import GLYPHS, latency_text, limit_text, ratio_text, sides_text
from slocheck.reporters.totals import Totals
from slocheck.spec.model import Spec

RECENT_S = 10
"""Seconds that the figures of the view cover: long enough to be steady, short enough to be current."""

LINE_EVERY_S = 10
MAX_OBJECTIVES = 20
MAX_TEXT = 100
_BAR_WIDTH = 40


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

    def update(self, tick: Tick, assessment: Assessment) -> None:
        """Show one more second of load, and the client side's grade so far."""


def progress_for(spec: Spec, console: Console) -> "Progress":
    """Return the view for the console: redrawn in place on a terminal that can, plain lines elsewhere.

    `Console.is_terminal` is not asked: FORCE_COLOR and its like make it true for a file, which should
    have colours but cannot be redrawn.
    """
    redrawn = console.file.isatty() and not console.is_dumb_terminal
    return LiveView(spec, console) if redrawn else PlainProgress(spec, console)


@dataclass(frozen=True, slots=True)
class Recent:
    """The last seconds of a recording.

    Attributes:
        seconds: Their number.
        totals: What happened in them.
    """

    seconds: int
    totals: Totals

    @property
    def rps(self) -> float:
        """Requests sent per second."""
        return self.totals.sent / self.seconds


def recent(recording: Recording, second: int) -> Recent:
    """Return the complete seconds before `second`, at most `RECENT_S`; the current one is not complete."""
    begin = max(0, second - RECENT_S)
    seconds = range(begin, max(second, 1))
    parts = [part for part in recording.slices() if part.second in seconds]
    return Recent(max(1, second - begin), totals.add_up(None, parts))


def verdict_counts(assessment: Assessment) -> Counter[Verdict]:
    """Count the objectives that the gate needs by their verdict so far."""
    verdicts = (result.verdict for result in assessment.objectives)
    return Counter(verdict for verdict in verdicts if verdict is not None)


def _numbers(now: Recent, users: int) -> list[tuple[str, str]]:
    """Return the figures of the last seconds as pairs of name and text."""
    counts = now.totals
    quantiles = [latency_text((low + high) / 2) for low, high in counts.quantiles] or ["-"] * 3
    lookups = counts.cache_hits + counts.cache_misses
    cache = [("cache hits", ratio_text(counts.cache_hits, lookups))] if lookups else []
    return [
        ("users", f"{users:,}"),
        ("rps", f"{now.rps:,.1f}"),
        *zip(("p50", "p95", "p99"), quantiles, strict=True),
        ("errors", f"{counts.failed:,} ({ratio_text(counts.failed, counts.sent)})"),
        *cache,
    ]


class _Base:
    """What both views share: the spec, the console, and how to print a line without markup."""

    def __init__(self, spec: Spec, console: Console) -> None:
        self._spec = spec
        self._console = console
        self._total = max(1.0, spec.workload.warmup + spec.workload.duration)

    def _say(self, text: str, style: str = "") -> None:
        line = Text(for_terminal(text), style=style)
        self._console.print(line, soft_wrap=True, markup=False, highlight=False, emoji=False)

    def warn(self, text: str) -> None:
        """Show a warning that stays on the screen."""
        self._say(f"warning: {text}", "yellow")

    def _place(self, tick: Tick) -> str:
        """Say how far the run has come: ``window 12 of 30 s``."""
        warmup = tick.recording.warmup_s
        match tick.phase:
            case "warm-up":
                return f"warm-up {tick.second} of {self._spec.workload.warmup:g} s"
            case "window":
                return f"window {max(0, tick.second - warmup)} of {self._spec.workload.duration:g} s"
            case phase:
                return f"{phase}: waiting for requests in flight"


class PlainProgress(_Base):
    """One line every 10 s and at each new phase, for logs."""

    def __init__(self, spec: Spec, console: Console) -> None:
        super().__init__(spec, console)
        self._phase = ""
        self._due = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        """There is nothing to restore."""

    def step(self, text: str) -> None:
        """Print the step that begins."""
        self._say(text)

    def update(self, tick: Tick, assessment: Assessment) -> None:
        """Print a line when one is due."""
        if tick.phase == self._phase and tick.second < self._due:
            return
        self._phase, self._due = tick.phase, tick.second + LINE_EVERY_S
        numbers = ", ".join(
            f"{name} {text}" for name, text in _numbers(recent(tick.recording, tick.second), tick.users)
        )
        self._say(f"{tick.second} s  {self._place(tick)}: {numbers}{self._verdicts(assessment)}")

    def _verdicts(self, assessment: Assessment) -> str:
        counts = verdict_counts(assessment)
        shown = ", ".join(f"{counts[verdict]} {verdict.value}" for verdict in SEVERITY if counts[verdict])
        return f"; gate {assessment.gate}, client side so far: {shown}" if shown else ""


class LiveView(_Base):
    """A view redrawn in place, below the lines that stay."""

    def __init__(self, spec: Spec, console: Console) -> None:
        super().__init__(spec, console)
        self._step = "starting"
        self._started = time.monotonic()
        self._body: RenderableType = Text("")
        self._live = Live(
            console=console,
            get_renderable=self._view,
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
        self._step, self._started = text, time.monotonic()

    def update(self, tick: Tick, assessment: Assessment) -> None:
        """Redraw the view."""
        bar = Table.grid()  # a bar alone does not end its line
        bar.add_row(ProgressBar(total=self._total, completed=min(self._total, tick.second), width=_BAR_WIDTH))
        numbers = Table.grid(padding=(0, 3))
        pairs = _numbers(recent(tick.recording, tick.second), tick.users)
        numbers.add_row(*(Text(name, style="dim") for name, _ in pairs))
        numbers.add_row(*(Text(text, style="bold") for _, text in pairs))
        head = Text(f"{self._place(tick)}   (figures: last {RECENT_S} s)")
        self._body = Group(head, bar, numbers, self._objectives(assessment))

    def _view(self) -> RenderableType:
        waited = time.monotonic() - self._started
        head = Text(for_terminal(f"{self._spec.service}: {self._step}, {waited:.0f} s"), style="bold")
        return Group(head, self._body)

    def _objectives(self, assessment: Assessment) -> RenderableType:
        """Tabulate the state of each objective; those that may not fit on the screen are counted."""
        table = Table.grid(padding=(0, 2))
        results = assessment.objectives
        for result in results[:MAX_OBJECTIVES]:
            objective, level = result.objective, result.shown
            cells = (
                f"{GLYPHS[level.verdict]} {objective.name}",
                sides_text(objective, level),
                limit_text(level.level, level.limit),
                level.reason,
            )
            row = [
                Text(shorten(for_terminal(cell), MAX_TEXT), no_wrap=True, overflow="ellipsis")
                for cell in cells
            ]
            row[0].stylize(STYLES[level.verdict])
            table.add_row(*row)
        if len(results) > MAX_OBJECTIVES:
            table.add_row(Text(f"and {len(results) - MAX_OBJECTIVES} more"))
        return table
