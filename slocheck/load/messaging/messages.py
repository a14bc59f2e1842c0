"""The messages between the command line, the master and the workers; `protocol` encodes and decodes them."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from slocheck.evidence.forbidden import ForbiddenConnection
from slocheck.evidence.merge import Delta
from slocheck.evidence.model import Ending, FileResult, LoadHealth
from slocheck.evidence.warnings import RunWarning
from slocheck.load.messaging.machine_messages import (
    Listening,
    MachineCommand,
    MachineProgress,
    ToCoordinator,
    ToMachine,
)
from slocheck.load.recording.lags import NO_LAGS, Lags
from slocheck.plan.load_plan import LoadPlan

Histograms = Mapping[int, Mapping[int, int]]
"""A histogram (bucket index to count) for each second since the load began."""


@dataclass(frozen=True, slots=True)
class PrepareLoad:
    """The command line to the master: load the scenario and start the workers.

    Attributes:
        plan: The plan.
        listening: How to wait for the workers of other machines; None: they are started on this one.
    """

    plan: LoadPlan
    listening: Listening | None = None


@dataclass(frozen=True, slots=True)
class StartLoad:
    """The command line to the master: send the load."""


@dataclass(frozen=True, slots=True)
class FinishWindow:
    """The command line to the master: end the window with the current second, then drain as planned."""


@dataclass(frozen=True, slots=True)
class StopLoad:
    """The command line to the master: the run is interrupted; end it within two seconds."""


@dataclass(frozen=True, slots=True)
class ScenarioLoaded:
    """The master to the command line: the scenario can be run; the workers are starting."""

    user_classes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class WorkersReady:
    """The master to the command line: every worker is connected.

    Attributes:
        versions: Versions of the load generator's parts, by name.
        warnings: What the user should know before the load begins.
        starts: What is sent before the schedule, in words; empty if nothing is.
    """

    versions: Mapping[str, str]
    warnings: tuple[RunWarning, ...]
    starts: str = ""


@dataclass(frozen=True, slots=True)
class ScenarioRefused:
    """The master to the command line: the scenario cannot be run; the text says where and why."""

    text: str


@dataclass(frozen=True, slots=True)
class WorkersFailed:
    """The master to the command line: the workers did not start."""

    text: str


@dataclass(frozen=True, slots=True)
class StillPreparing:
    """The master to the command line, from time to time while the workers prepare: it is alive."""


@dataclass(frozen=True, slots=True)
class LoadBegan:
    """The master to the command line: the clock runs.

    Attributes:
        load_start: When the first request may have been sent, UTC seconds.
        origin: When second 0 began, UTC seconds.
    """

    load_start: float
    origin: float


@dataclass(frozen=True, slots=True)
class SecondPassed:
    """The master to the command line, once a second.

    Attributes:
        second: Seconds since the load began.
        phase: ``warm-up``, ``window`` or ``drain``.
        users: Users running now.
        deltas: What the workers recorded since the previous message.
        health: How well the load has been generated so far; None if it was sent shortly before.
    """

    second: int
    phase: str
    users: int
    deltas: tuple[Delta, ...]
    health: LoadHealth | None = None


@dataclass(frozen=True, slots=True)
class LoadDone:
    """The master to the command line: the result.

    Attributes:
        ending: How the run ended.
        error: Why it did not end as planned; empty if it did.
        measured_s: Whole seconds of the window that were measured.
        health: How well the load was generated.
        load_start: As in `LoadBegan`.
        origin: As in `LoadBegan`.
        end_after: When the last response ended, seconds after `origin`.
    """

    ending: Ending
    error: str
    measured_s: int
    health: LoadHealth
    load_start: float
    origin: float
    end_after: float


@dataclass(frozen=True, slots=True)
class ListenerRuns:
    """The master to the command line, after the result: this listener of the Locust file runs next."""

    name: str


@dataclass(frozen=True, slots=True)
class FileDone:
    """The master to the command line, after the result: what the Locust file says about the run.

    Attributes:
        file: What it says.
        forbidden: Hosts that its last listeners tried to reach and were not allowed to.
    """

    file: FileResult
    forbidden: tuple[ForbiddenConnection, ...] = ()


@dataclass(frozen=True, slots=True)
class WorkerSettings:
    """The master to a worker that it starts.

    Attributes:
        plan: What all workers do together.
        address: Where the master listens.
        token: Key that signs all further messages, hexadecimal.
        index: Which share of the plan this worker has, from 0.
        bundle: On another machine than the master's: the plan's files, as `bundle.packed` returns them.
    """

    plan: LoadPlan
    address: str
    token: str
    index: int
    bundle: str = ""


@dataclass(frozen=True, slots=True)
class Prepare:
    """The master to all workers: fire `test_start`, and start the users if the model needs them early."""


@dataclass(frozen=True, slots=True)
class Begin:
    """The master to all workers: second 0 begins at this time of the monotonic clock, nanoseconds."""

    origin_ns: int


@dataclass(frozen=True, slots=True)
class Drain:
    """The master to a worker: send nothing new, and finish the requests in flight.

    Attributes:
        within_s: Seconds that they may take.
        as_timeouts: Record those without a response by then as failed by timeout, else leave them unrecorded.
    """

    within_s: float
    as_timeouts: bool


@dataclass(frozen=True, slots=True)
class Hello:
    """A worker's first message; the version comes with it, as with every message."""


@dataclass(frozen=True, slots=True)
class Prepared:
    """A worker: ready to begin."""


@dataclass(frozen=True, slots=True)
class FileEnded:
    """A worker: the Locust file ends the run.

    Attributes:
        how: Such as ``runner.quit() in scenario.py:12``.
        loading: It did so while it was being loaded: the file cannot be used.
    """

    how: str
    loading: bool = False


@dataclass(frozen=True, slots=True)
class EndReport:
    """A worker's last message, after the listeners of its end.

    Attributes:
        exit_code: Exit code that the file set in this process until the load ended; 0: none.
        exit_place: Where it was set.
        late_code: Exit code that a listener set after the load, from this worker's statistics alone.
        listener_errors: Exceptions of listeners that were not reported before: text to count.
        unfinished: Listeners that took too long.
        forbidden: Hosts that it tried to reach since its last report and was not allowed to.
    """

    exit_code: int = 0
    exit_place: str = ""
    late_code: int = 0
    listener_errors: Mapping[str, int] = field(default_factory=dict)
    unfinished: tuple[str, ...] = ()
    forbidden: tuple[ForbiddenConnection, ...] = ()


@dataclass(frozen=True, slots=True)
class HealthSamples:
    """What a worker knows about itself since its last report.

    Attributes:
        cpu: Pairs of second and share of one core, 0..1.
        users: Users running, by second.
        loop_lag: How late the event loop woke, nanoseconds.
        exceptions: Raised by the scenario's own code: text to count.
        messages: What Locust or the scenario logged.
        memory: Resident bytes; 0 if unknown.
        listener_errors: Exceptions that listeners raised: text to count.
        classes: User classes that have run a task.
        targets: Addresses of the target that it connected to.
    """

    cpu: tuple[tuple[int, float], ...] = ()
    users: Mapping[int, int] = field(default_factory=dict)
    loop_lag: Histograms = field(default_factory=dict)
    exceptions: Mapping[str, int] = field(default_factory=dict)
    messages: tuple[str, ...] = ()
    memory: int = 0
    listener_errors: Mapping[str, int] = field(default_factory=dict)
    classes: tuple[str, ...] = ()
    targets: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ArrivalCounts:
    """A worker's arrivals since its last report; empty in the closed model.

    Attributes:
        dropped: Arrivals that found no idle user, by second.
        lag: How late the others were handed out.
    """

    dropped: Mapping[int, int] = field(default_factory=dict)
    lag: Lags = field(default_factory=lambda: NO_LAGS)


@dataclass(frozen=True, slots=True)
class TaskCounts:
    """A worker's tasks since its last report; empty in a declarative scenario.

    Attributes:
        done: Tasks that were completed.
        raised: Exceptions, including those of an `on_start`.
        busy: If there were only exceptions: users in a task that may still be completed.
        gone: How the last user that ended itself did so; empty if none did.
    """

    done: int = 0
    raised: int = 0
    busy: int = 0
    gone: str = ""


@dataclass(frozen=True, slots=True)
class WorkerReport:
    """A worker, right after each second and once more at its end.

    Attributes:
        sequence: Counts from 1; a gap shows that a report is missing. 0: it could not be read.
        final: The last one.
        delta: What was recorded since the previous report.
        running: Users running now.
        open: Requests in flight now.
        in_flight: Requests given up when the drain ended, recorded as failed by timeout.
        unrecorded: Requests that were sent and have no recorded outcome.
        last_end_ns: When the last response ended, on the monotonic clock; 0 before any.
        health: Samples of the worker's process.
        arrivals: Counts of the open model.
        tasks: Counts of a Locust file.
        forbidden: Hosts that its process tried to reach until now and was not allowed to.
        unreadable: Set by the reader: damaged entries on which verdicts depend.
        unseen: Set by the reader: damaged entries that are only shown.
    """

    sequence: int
    final: bool
    delta: Delta
    running: int
    open: int
    in_flight: int
    unrecorded: int
    last_end_ns: int
    health: HealthSamples = HealthSamples()
    arrivals: ArrivalCounts = ArrivalCounts()
    tasks: TaskCounts = TaskCounts()
    forbidden: tuple[ForbiddenConnection, ...] = ()
    unreadable: tuple[str, ...] = ()
    unseen: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class MachineReport:
    """A machine, about once a second: what its workers reported since its last one.

    Attributes:
        delta: What they recorded, added up.
        reports: Their reports without that, by worker, in the order in which they came.
        alive: Workers that are alive, and in which of Locust's states.
        lag: How late their arrivals were handed out, added up.
    """

    delta: Delta
    reports: tuple[tuple[str, WorkerReport], ...]
    alive: Mapping[str, str]
    lag: Lags = field(default_factory=lambda: NO_LAGS)


Command = PrepareLoad | StartLoad | FinishWindow | StopLoad | MachineCommand
"""What the command line tells the master, or the process of a machine."""
Progress = (
    ScenarioLoaded
    | WorkersReady
    | ScenarioRefused
    | WorkersFailed
    | StillPreparing
    | LoadBegan
    | SecondPassed
    | LoadDone
    | ListenerRuns
    | FileDone
    | MachineProgress
)
"""What the master, or the process of a machine, tells the command line."""
Order = Prepare | Begin | Drain
"""What the master tells a worker that runs."""
WorkerMessage = Hello | Prepared | FileEnded | WorkerReport | EndReport
"""What a worker tells the master."""
FromMachine = ToCoordinator | MachineReport
"""What a machine tells the coordinator."""
Message = Command | Progress | WorkerSettings | Order | WorkerMessage | FromMachine | ToMachine
