"""The run while it goes on: a view that redraws itself on a terminal, a line every 10 s elsewhere."""

import time
from collections import Counter
from dataclasses import dataclass, replace
from typing import Protocol, Self

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from slocheck.evidence.model import Tick
from slocheck.evidence.recording import Recording
from slocheck.grading.assessment import SEVERITY, Assessment, LevelResult, Side, Verdict
from slocheck.reporters import totals
from slocheck.reporters.escape import for_terminal, shorten
from slocheck.reporters.terminal.summary import STYLES
from slocheck.reporters.text import GLYPHS, latency_text, limit_text, ratio_text, sides_text
from slocheck.reporters.totals import Sums
from slocheck.spec.model import Spec

RECENT_S = 10
"""How far back the percentiles and rates of the view reach: enough to be calm, short enough to be news."""

LINE_EVERY_S = 10
MAX_OBJECTIVES = 20
MAX_TEXT = 100
_BAR_WIDTH = 40


class Progress(Protocol):
    """Who watches a run for a person; a context manager."""

    def __enter__(self) -> Self:
        """Begin to show."""

    def __exit__(self, *_: object) -> None:
        """Give the terminal back."""

    def step(self, text: str) -> None:
        """Show the step that begins."""

    def warn(self, text: str) -> None:
        """Show a warning; it stays."""

    def update(self, tick: Tick, assessment: Assessment | None) -> None:
        """Show one more second of load, and the grade of what there is so far."""


def progress_for(spec: Spec, console: Console) -> "Progress":
    """Return the view that suits the console: redrawn on a terminal, plain lines elsewhere."""
    return LiveView(spec, console) if console.is_terminal else PlainProgress(spec, console)


@dataclass(frozen=True, slots=True)
class Recent:
    """The last seconds of a recording.

    Attributes:
        seconds: How many.
        sums: What happened in them.
    """

    seconds: int
    sums: Sums

    @property
    def rps(self) -> float:
        """Requests sent per second."""
        return self.sums.sent / self.seconds


def recent(recording: Recording, second: int) -> Recent:
    """Return the whole seconds just before `second`, at most `RECENT_S`; the one under way is not whole."""
    begin = max(0, second - RECENT_S)
    seconds = range(begin, max(second, 1))
    parts = [part for part in recording.slices() if part.second in seconds]
    return Recent(max(1, second - begin), totals.sums(None, parts))


def by_client(assessment: Assessment) -> Assessment:
    """Return the assessment as the client alone would give it: the server side is fetched at the end."""
    return replace(
        assessment,
        objectives=tuple(
            replace(result, levels=tuple(map(_client_level, result.levels)))
            for result in assessment.objectives
        ),
    )


def _client_level(level: LevelResult) -> LevelResult:
    client = next((side for side in level.sides if side.side is Side.CLIENT), None)
    if client is None:
        return level
    return replace(level, verdict=client.verdict, reason=client.reason, sides=(client,))


def state_counts(spec: Spec, assessment: Assessment) -> Counter[Verdict]:
    """Count the objectives that the gate needs by their verdict so far."""
    return Counter(
        standing.verdict
        for standing in totals.objective_statuses(spec, by_client(assessment))
        if standing.verdict is not None
    )


def _numbers(now: Recent, users: int) -> list[tuple[str, str]]:
    """Return the figures of the last seconds, each with its name."""
    sums = now.sums
    quantiles = [latency_text((low + high) / 2) for low, high in sums.quantiles] or ["-"] * 3
    looked_up = sums.cache_hits + sums.cache_misses
    cache = [("cache hits", ratio_text(sums.cache_hits, looked_up))] if looked_up else []
    return [
        ("users", f"{users:,}"),
        ("rps", f"{now.rps:,.1f}"),
        *zip(("p50", "p95", "p99"), quantiles, strict=True),
        ("errors", f"{sums.failed:,} ({ratio_text(sums.failed, sums.sent)})"),
        *cache,
    ]


class _Base:
    """What both views know: the spec, the console, and how to print a line without markup."""

    def __init__(self, spec: Spec, console: Console) -> None:
        self._spec = spec
        self._console = console
        self._total = max(1.0, spec.workload.warmup + spec.workload.duration)

    def _say(self, text: str, style: str = "") -> None:
        line = Text(for_terminal(text), style=style)
        self._console.print(line, soft_wrap=True, markup=False, highlight=False, emoji=False)

    def warn(self, text: str) -> None:
        """Show a warning; it stays."""
        self._say(f"warning: {text}", "yellow")

    def _place(self, tick: Tick) -> str:
        """Say how far the run is: ``window 12 of 30 s``."""
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
        """There is nothing to give back."""

    def step(self, text: str) -> None:
        """Print the step that begins."""
        self._say(text)

    def update(self, tick: Tick, assessment: Assessment | None) -> None:
        """Print a line when one is due."""
        if tick.phase == self._phase and tick.second < self._due:
            return
        self._phase, self._due = tick.phase, tick.second + LINE_EVERY_S
        numbers = ", ".join(
            f"{name} {text}" for name, text in _numbers(recent(tick.recording, tick.second), tick.users)
        )
        self._say(f"{tick.second} s  {self._place(tick)}: {numbers}{self._states(assessment)}")

    def _states(self, assessment: Assessment | None) -> str:
        if assessment is None:
            return ""
        counts = state_counts(self._spec, assessment)
        told = ", ".join(f"{counts[verdict]} {verdict.value}" for verdict in SEVERITY if counts[verdict])
        return f"; gate {assessment.gate}, client side so far: {told}" if told else ""


class LiveView(_Base):
    """A view that redraws itself in place, below the lines that stay."""

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
        """Take the view away; the result follows."""
        self._live.stop()

    def step(self, text: str) -> None:
        """Show the step that begins in the view's head."""
        self._step, self._started = text, time.monotonic()

    def update(self, tick: Tick, assessment: Assessment | None) -> None:
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

    def _objectives(self, assessment: Assessment | None) -> RenderableType:
        """Tabulate each objective's state now; what is past the screen is counted."""
        if assessment is None:
            return Text("")
        table = Table.grid(padding=(0, 2))
        objective_statuses = totals.objective_statuses(self._spec, by_client(assessment))
        for standing in objective_statuses[:MAX_OBJECTIVES]:
            objective, level = standing.result.objective, standing.level
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
        if len(objective_statuses) > MAX_OBJECTIVES:
            table.add_row(Text(f"and {len(objective_statuses) - MAX_OBJECTIVES} more"))
        return table
