"""Evidence: all that a run left behind, enough to grade and report it again without load."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from fractions import Fraction

from slocheck.evidence.forbidden import ForbiddenConnection
from slocheck.evidence.machines import MachineHealth
from slocheck.evidence.recording import Recording
from slocheck.evidence.series import LateCollection, ServerSeries
from slocheck.spec.model import FailureRule, Overrides

SCHEMA_VERSION = 5
"""Version of the evidence's format. Formats 1 to 4 were written by development versions before 0.1.0."""

LAG_QUANTILE = Fraction(99, 100)
"""Quantile of the lag that the validity checks use; percentiles of latency above it need the largest lag."""


class Ending(StrEnum):
    """How the load ended."""

    COMPLETE = "complete"
    INTERRUPTED = "interrupted"
    TARGET_DOWN = "target_down"
    GENERATOR_LOST = "generator_lost"
    UNEXPECTED_RESPONSES = "unexpected_responses"
    FORBIDDEN_CONNECTION = "forbidden_connection"
    SCENARIO = "ended_by_scenario"


@dataclass(frozen=True, slots=True)
class WorkerHealth:
    """One worker process, over the window.

    Attributes:
        worker: Its Locust client id.
        cpu: Share of one core, mean over the window, 0..1 or more.
        loop_lag_p99: Lag of its event loop, seconds.
        complete: Its final message arrived and no sequence number was missing.
        messages: Its warnings and errors, foreign texts included.
        memory: Resident memory at its last report, bytes; 0: not known.
        loop_lag_max: Largest lag of its event loop, seconds.
        unreadable: Entries of its reports that were damaged, and that verdicts depend on.
    """

    worker: str
    cpu: float
    loop_lag_p99: float
    complete: bool
    messages: tuple[str, ...] = ()
    memory: int = 0
    loop_lag_max: float = 0.0
    unreadable: int = 0


@dataclass(frozen=True, slots=True)
class ArrivalStats:
    """The window's arrivals in the open model.

    Attributes:
        planned: Arrivals in the schedule.
        dropped: Not begun because all users of the pool were busy.
        lag_p99: How late the others began, seconds.
        lag_max: The largest lag, seconds.
    """

    planned: int
    dropped: int
    lag_p99: float
    lag_max: float


@dataclass(frozen=True, slots=True)
class FileResult:
    """What a Locust file itself says about its run.

    Attributes:
        exit_code: The code that it set, or that a listener left with after the load; 0: none.
        exit_place: Where, as ``file:line``; empty without a code.
        listener_errors: Exceptions that its listeners raised: text to count.
        warnings: What its listeners left undone after the load.
    """

    exit_code: int = 0
    exit_place: str = ""
    listener_errors: Mapping[str, int] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class SharedMachine:
    """How busy this machine was during the load, if the target's processes ran on it and are known.

    Attributes:
        seconds: That were looked at.
        starved: Of these, how many left less than a tenth of the machine's CPU time unused.
        others: Share of the CPU time of all seconds that other programs than target and generator used, 0..1.
    """

    seconds: float
    starved: float
    others: float


@dataclass(frozen=True, slots=True)
class LoadHealth:
    """How well the load was generated.

    Attributes:
        planned_users: What the plan asked for.
        users: Smallest number of users running in any second of the window; with stages, as a share of
            those planned for that second, put as a number of `planned_users`.
        workers: One entry a worker, lost ones included.
        in_flight: Requests unresolved at the drain's end (recorded as failed by timeout).
        unrecorded: Requests known to have been sent whose outcome nobody recorded.
        clock_jump: Largest jump of the wall clock against the monotonic one, seconds.
        suspended: Seconds of the load in which the machine was suspended.
        exceptions: Exceptions raised by the scenario's own code: text to count.
        arrivals: What became of the window's arrivals; None in the closed model.
        forbidden: Where the scenario tried to connect to, and was not allowed to.
        file: What a Locust file says about the run.
        idle_classes: User classes of the Locust file that never ran a task.
        gone: How the last user left that did so outside of the plan; empty if none did.
        machines: The workers' machines; none if the load came from the coordinator's own.
        shared: How busy this machine was, if the target ran on it as well; None: not known.
    """

    planned_users: int
    users: int
    workers: tuple[WorkerHealth, ...]
    in_flight: int = 0
    unrecorded: int = 0
    clock_jump: float = 0.0
    suspended: float = 0.0
    exceptions: Mapping[str, int] = field(default_factory=dict)
    arrivals: ArrivalStats | None = None
    forbidden: tuple[ForbiddenConnection, ...] = ()
    file: FileResult = FileResult()
    idle_classes: tuple[str, ...] = ()
    gone: str = ""
    machines: tuple[MachineHealth, ...] = ()
    shared: SharedMachine | None = None


@dataclass(frozen=True, slots=True)
class Provenance:
    """Where the numbers come from.

    Attributes:
        run_id: Folder name of the run.
        command: The command line, secrets masked.
        started: UTC time of the load's start, ISO 8601.
        ended: UTC time of the last response.
        slocheck: Version of slocheck.
        versions: Other versions: python, locust.
        host: Name of the load generator's machine.
        cores: Its processor count.
        git_sha: Of the spec's repository, or named by the CI server if git is not there; empty: none.
        git_dirty: Whether that work tree had changes.
        spec_sha256: Hash of slo.yaml's text.
        scenario_sha256: Hash of the scenario's file, followed by the CSV files that it names.
        scenario: Its path as written.
        target: Base URL, user info and query values removed.
        seed: The run's seed.
        spec_path: The spec as the user named it.
        git_error: Why git reported no commit of a repository; empty if it did, or if there is none.
        insecure: Keys of the spec by which certificates were not verified, such as ``target.tls.insecure``.
    """

    run_id: str
    command: str
    started: str
    ended: str
    slocheck: str
    versions: Mapping[str, str]
    host: str
    cores: int
    git_sha: str
    git_dirty: bool
    spec_sha256: str
    scenario_sha256: str
    scenario: str
    target: str
    seed: int | None
    spec_path: str = "slo.yaml"
    git_error: str = ""
    insecure: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Evidence:
    """One run.

    Attributes:
        schema_version: Of this format.
        provenance: Where the numbers come from.
        overrides: Flags over the spec.
        planned_window_s: As planned, seconds.
        ending: How the load ended.
        signal: The signal's name when interrupted; else empty.
        recording: Client side.
        health: Of the generator.
        failures: The rule that the recording was made with.
        server: Server side; None if no source is configured.
        server_error: Why a configured source delivered nothing; empty when it did.
        generator_error: Why the generator was lost, or how the scenario ended the run; else empty.
        late: How to ask the metric source again, if its side is missing or not whole.
        alpha_share: Of the error rate that the confidence allows, what this evidence may spend: less than 1
            if interim analyses could have ended the run.
    """

    schema_version: int
    provenance: Provenance
    overrides: Overrides
    planned_window_s: float
    ending: Ending
    signal: str
    recording: Recording
    health: LoadHealth
    failures: FailureRule
    server: ServerSeries | None = None
    server_error: str = ""
    generator_error: str = ""
    alpha_share: float = 1.0
    late: LateCollection | None = None


@dataclass(frozen=True, slots=True)
class Tick:
    """One second of a run, for the live view.

    Attributes:
        second: Seconds since the load began.
        phase: ``warm-up``, ``window`` or ``drain``.
        users: Users running now.
        recording: All that has been recorded until now.
    """

    second: int
    phase: str
    users: int
    recording: Recording


@dataclass(frozen=True, slots=True)
class LoadResult:
    """What the load engine returns.

    Attributes:
        recording: Client side, warm-up included.
        health: Of the generator.
        ending: How the load ended.
        load_start: Our wall clock at the first request, epoch seconds.
        window_start: The same at the window's start.
        end: The same after the last response.
        versions: Of python and locust, as they ran.
        error: Why the generator was lost, or how the scenario ended the run; else empty.
    """

    recording: Recording
    health: LoadHealth
    ending: Ending
    load_start: float
    window_start: float
    end: float
    versions: Mapping[str, str]
    error: str = ""
