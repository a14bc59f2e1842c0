"""Interfaces of load engines, metric sources, reporters and observers.

Adapters fit these protocols by shape alone and import nothing from here. Engines and sources come
from factories, so that one process can make several runs, one after the other.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol, Self, runtime_checkable

from slocheck.evidence.model import LoadResult, Tick
from slocheck.evidence.series import ServerSeries, SourcePreflight, SourceState
from slocheck.evidence.warnings import RunWarning
from slocheck.grading.assessment import Assessment
from slocheck.grading.report import Report
from slocheck.pipeline.interrupts import Interrupts
from slocheck.plan.families import Family
from slocheck.plan.metric_plan import MetricPlan
from slocheck.spec.model import Spec


class Preparation(Protocol):
    """What an engine reports once it is ready."""

    @property
    def warnings(self) -> Sequence[RunWarning]:
        """Warnings for the user before the load begins."""

    @property
    def starts(self) -> str:
        """What is sent before the schedule, in words; empty if nothing is."""


class Engine(Protocol):
    """Sends the load of one run."""

    def __enter__(self) -> Self:
        """Return the engine."""

    def __exit__(self, *_: object) -> None:
        """Leave no process behind."""

    def check(self) -> None:
        """Check that this machine can send the load; raises UsageError. Nothing is started or sent."""

    def listen(self, take: Callable[[bytes], None]) -> None:
        """Pass all that the scenario prints to `take`, in any thread; called before `prepare`."""

    def prepare(self) -> Preparation:
        """Load the scenario; raises UsageError when it cannot be used."""

    def run(self, on_tick: Callable[[Tick], None]) -> LoadResult:
        """Send the load and block until it is drained; call `on_tick` once a second."""

    def finish(self) -> None:
        """End the window now, and the run as planned."""

    def stop(self) -> None:
        """End in order, soon."""

    def kill(self) -> None:
        """End at once."""


class EngineFactory(Protocol):
    """Makes the engine of one run."""

    def __call__(
        self, spec: Spec, /, *, seed: int, processes: int, allowed_targets: tuple[str, ...]
    ) -> Engine:
        """Return a new engine that sends what `spec` describes; it does no I/O yet."""


class MetricSource(Protocol):
    """Delivers the server side's numbers of one run."""

    def check(self) -> None:
        """Check the credentials and files that the source needs, without network; raises UsageError."""

    def preflight(self) -> SourcePreflight:
        """Check before any load that everything can be measured; raises SourceError."""

    def families(self, *, after: float | None = None) -> tuple[Family, ...]:
        """Return the metric families of the service, as they are now; raises SourceError.

        With `after`, epoch seconds on this machine's clock, first wait until requests served before it show.
        """

    def use(self, plan: MetricPlan) -> None:
        """Use this plan from now on; before `start`, this drops from the run what was counted so far."""

    def start(self) -> None:
        """Take the baseline, if the source has to do that itself."""

    def collect(self, *, load_start: float, window_start: float, end: float, sent: int) -> ServerSeries:
        """Wait until all sent requests are counted, and fetch all samples; raises SourceError.

        The three times are epoch seconds on this machine's clock; `sent` are the requests of the whole
        load, warm-up included.
        """

    def close(self) -> None:
        """Release connections and threads; may be called at any time."""


@runtime_checkable
class LateSource(Protocol):
    """A metric source that keeps a history, so that it can be asked about a run later."""

    def state(self) -> SourceState | None:
        """Return what was found before the load; None if nothing was."""

    def resume(self, state: SourceState) -> None:
        """Take this for what was found before the load."""


class SourceFactory(Protocol):
    """Makes the metric source of one run."""

    def __call__(self, spec: Spec, /) -> MetricSource | None:
        """Return a new source, which does no I/O yet; None if the spec configures none."""


class Observer(Protocol):
    """Watches a run."""

    def step(self, text: str) -> None:
        """Show the step that begins."""

    def warn(self, text: str) -> None:
        """Show a warning before the load begins."""

    def update(self, tick: Tick, grade: Callable[[], Assessment]) -> None:
        """Note one more second of load; `grade` gives the client side's grade so far, if it is shown."""


class Reporter(Protocol):
    """Writes a report in one format."""

    @property
    def file_name(self) -> str:
        """Name of the report's file in the run's folder."""

    def render(self, report: Report) -> str:
        """Return the report's text."""


@dataclass(frozen=True, slots=True)
class Adapters:
    """The parts that do the work of a run.

    Attributes:
        engine_factory: Makes the engine that sends the load.
        source_factory: Makes the source that delivers the server side, if the spec configures one.
        observer: Watches.
        interrupts: The process's signal handlers, entered.
        reporters: Their reports are written into the run's folder.
        show_output: Shows a line that the scenario printed, in any thread; None: they are only kept.
        clean: Makes a line that the scenario printed harmless for a terminal that shows the log.
    """

    engine_factory: EngineFactory
    source_factory: SourceFactory
    observer: Observer
    interrupts: Interrupts
    reporters: tuple[Reporter, ...] = ()
    show_output: Callable[[str], None] | None = None
    clean: Callable[[str], str] = str
