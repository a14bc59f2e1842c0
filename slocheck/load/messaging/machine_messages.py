"""Messages between the coordinator, the workers' machines and their command lines, besides `messages`.

A machine joins with `Knock`, `Challenge`, `Join`, `Admitted`, and gets `Welcome` once all have come.
These messages are signed with the secret of the token files. Peers without it get no answer, and a message of
an earlier run does not hold the run's challenge.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from slocheck.plan.load_plan import LoadPlan


@dataclass(frozen=True, slots=True)
class Listening:
    """How the coordinator waits for the workers of other machines.

    Attributes:
        host: Address to listen on.
        port: Port; 0: any free one.
        secret_key: The coordinator's CurveZMQ secret key, Z85.
        shared_secret: Secret that signs the messages of joining, hexadecimal.
        workers: Machines that have to join.
        within_s: Seconds until then.
    """

    host: str
    port: int
    secret_key: str = field(repr=False)
    shared_secret: str = field(repr=False)
    workers: int
    within_s: float


@dataclass(frozen=True, slots=True)
class JoinRun:
    """The command line of ``slocheck worker`` to its process: join a run and take part in it.

    Attributes:
        host: The coordinator's host.
        port: Its port.
        server_key: Its CurveZMQ public key, Z85.
        shared_secret: As in `Listening`.
        name: What this machine is called.
        processes: Worker processes.
        allowed_targets: Hosts that a coordinator may name.
        scenario: This machine's own Locust file; empty: none.
        within_s: Seconds to wait for the coordinator.
    """

    host: str
    port: int
    server_key: str
    shared_secret: str = field(repr=False)
    name: str
    processes: int
    allowed_targets: tuple[str, ...]
    scenario: str
    within_s: float


@dataclass(frozen=True, slots=True)
class LeaveRun:
    """The command line of ``slocheck worker``: this machine has to leave; `why` says why."""

    why: str


@dataclass(frozen=True, slots=True)
class ProgressLine:
    """A process of the load to its command line: something to show now."""

    text: str


@dataclass(frozen=True, slots=True)
class MachineDone:
    """The process of ``slocheck worker`` to its command line: the end.

    Attributes:
        text: What happened.
        exit_code: That of the command; 0: it took part until the coordinator ended the run.
    """

    text: str
    exit_code: int


@dataclass(frozen=True, slots=True)
class Knock:
    """A machine's first message.

    Attributes:
        machine: What it is called.
        python: Version of its Python.
        locust: Version of its Locust.
        nonce: Random, hexadecimal.
    """

    machine: str
    python: str
    locust: str
    nonce: str


@dataclass(frozen=True, slots=True)
class Challenge:
    """The coordinator to a machine that has knocked.

    Attributes:
        nonce: The machine's.
        challenge: The run's, random, hexadecimal.
    """

    nonce: str
    challenge: str


@dataclass(frozen=True, slots=True)
class Join:
    """A machine to the coordinator: it takes part with this many processes.

    Attributes:
        challenge: The run's.
        machine: What it is called.
        processes: Worker processes.
        scenario: Whether it has its own Locust file.
    """

    challenge: str
    machine: str
    processes: int
    scenario: bool


@dataclass(frozen=True, slots=True)
class Admitted:
    """The coordinator to a machine that takes part, once all have come."""


@dataclass(frozen=True, slots=True)
class Refused:
    """The coordinator to a machine that cannot take part.

    Attributes:
        text: Why, and what to do.
        exit_code: That of ``slocheck worker``.
    """

    text: str
    exit_code: int = 4


@dataclass(frozen=True, slots=True)
class Welcome:
    """The coordinator to each machine, once all have joined.

    Attributes:
        plan: What all workers of all machines do together.
        token: Key that signs the messages between the workers and the master, hexadecimal.
        first: Index of this machine's first worker process, from 0.
        digest: SHA-256 of the bundle, hexadecimal.
        bundle: The plan's files, as `bundle.packed` returns them.
        loopback: Which loopback the coordinator sees, as `loopback_id` returns it.
    """

    plan: LoadPlan
    token: str = field(repr=False)
    first: int
    digest: str
    bundle: str = field(repr=False)
    loopback: str


@dataclass(frozen=True, slots=True)
class Ping:
    """A machine that has said nothing for a second: it is there, and asks whether the coordinator is."""


@dataclass(frozen=True, slots=True)
class Pong:
    """The coordinator's response to a `Ping`, and to a report: it is there."""


@dataclass(frozen=True, slots=True)
class AskTime:
    """The coordinator asks for a machine's time.

    Attributes:
        asked_ns: On the coordinator's monotonic clock.
    """

    asked_ns: int


@dataclass(frozen=True, slots=True)
class TellTime:
    """A machine's response to `AskTime`, at once.

    Attributes:
        asked_ns: The coordinator's.
        there_ns: On the machine's monotonic clock.
    """

    asked_ns: int
    there_ns: int


@dataclass(frozen=True, slots=True)
class ProcessEnded:
    """A machine: one of its worker processes has ended.

    Attributes:
        index: Which, counted over all machines.
        code: Its exit code; below 0 for a signal.
    """

    index: int
    code: int


@dataclass(frozen=True, slots=True)
class Leaving:
    """A machine cannot take part, or not any more.

    Attributes:
        text: Why.
        unusable: The run itself cannot be made there: it has to be changed, on either side.
    """

    text: str
    unusable: bool = False


@dataclass(frozen=True, slots=True)
class Goodbye:
    """The coordinator to all machines: the run is over; `error` says why it was not completed."""

    error: str = ""


@dataclass(frozen=True, slots=True)
class Bundle:
    """The files and variables that a plan names: data, never code.

    Attributes:
        path: The scenario's path on the coordinator, for messages.
        scenario: The declarative scenario; none for a Locust file.
        files: What the scenario read, by the name that it uses.
        variables: Environment variables that the scenario uses.
        tls: PEM files of the target, by key: ``ca``, ``cert``, ``key``.
        manifest: SHA-256 of a Locust file, of its modules and of the data it read, by path below its folder.
    """

    path: str = ""
    scenario: bytes | None = None
    files: Mapping[str, bytes] = field(default_factory=dict, repr=False)
    variables: Mapping[str, str] = field(default_factory=dict, repr=False)
    tls: Mapping[str, bytes] = field(default_factory=dict, repr=False)
    manifest: Mapping[str, str] = field(default_factory=dict)


MachineCommand = JoinRun | LeaveRun
MachineProgress = ProgressLine | MachineDone
ToCoordinator = Knock | Join | Ping | TellTime | ProcessEnded | Leaving
ToMachine = Challenge | Admitted | Refused | Welcome | Pong | AskTime | Goodbye
