"""Encodes the load engine's messages as plain values and decodes them; no other module does.

An encoded message is ``[protocol version, slocheck version, kind, fields]``, made of lists, dictionaries
with text keys, texts, numbers and bytes, for msgpack; lines of JSON have the bytes in Base64. Machines talk
in lines of JSON, which a process of any version can read, but report their counts by msgpack. The first two
positions keep their meaning in every version, so the error for a process of another version can name that
version.
"""

import json
from collections.abc import Mapping
from functools import cache
from typing import Any, get_args

import slocheck
from slocheck.documents.texts import each_text, valid_text
from slocheck.evidence import plain_values
from slocheck.evidence.model import LoadHealth
from slocheck.load.messaging import machine_messages as machines
from slocheck.load.messaging.deltas import plain_delta, read_delta, text_of_bytes
from slocheck.load.messaging.messages import (
    Begin,
    Command,
    Drain,
    EndReport,
    FileDone,
    FileEnded,
    FinishWindow,
    FromMachine,
    Hello,
    ListenerRuns,
    LoadBegan,
    LoadDone,
    MachineReport,
    Message,
    Order,
    Prepare,
    Prepared,
    PrepareLoad,
    Progress,
    ScenarioLoaded,
    ScenarioRefused,
    SecondPassed,
    StartLoad,
    StillPreparing,
    StopLoad,
    WorkerMessage,
    WorkerReport,
    WorkerSettings,
    WorkersFailed,
    WorkersReady,
)
from slocheck.load.messaging.reading import Reading
from slocheck.load.messaging.reports import (
    Arrived,
    plain_machine_report,
    plain_report,
    read_machine_report,
    read_report,
)

PROTOCOL = 5
"""Incremented with every change of a message's form or meaning."""
_VERSION_PARTS = 2
_MAX_SHOWN = 40
_LINE = b"["
"""How a line of JSON begins; a message by msgpack does not."""
_ANY_TEXT = "surrogatepass"
_KINDS: Mapping[type, str] = {
    PrepareLoad: "prepare-load", StartLoad: "start-load", FinishWindow: "finish-window",
    StopLoad: "stop-load", ScenarioLoaded: "scenario-loaded", WorkersReady: "workers-ready",
    ScenarioRefused: "scenario-refused", WorkersFailed: "workers-failed", LoadBegan: "load-began",
    SecondPassed: "second-passed", LoadDone: "load-done", WorkerSettings: "worker-settings",
    Prepare: "prepare", Begin: "begin", Drain: "drain", Hello: "hello", Prepared: "prepared",
    FileEnded: "file-ended", WorkerReport: "report", MachineReport: "machine-report", EndReport: "end-report",
    machines.JoinRun: "join-run", machines.LeaveRun: "leave-run", machines.ProgressLine: "progress",
    machines.MachineDone: "machine-done", machines.Knock: "knock", machines.Challenge: "challenge",
    machines.Join: "join", machines.Refused: "refused", machines.Welcome: "welcome", machines.Ping: "ping",
    machines.Pong: "pong", machines.AskTime: "ask-time", machines.TellTime: "tell-time",
    machines.ProcessEnded: "process-ended", machines.Leaving: "leaving", machines.Goodbye: "goodbye",
    StillPreparing: "still-preparing", machines.Admitted: "admitted", ListenerRuns: "listener-runs",
    FileDone: "file-done",
}  # fmt: skip


class ProtocolError(ValueError):
    """What was received is not a message of this protocol."""


class VersionMismatchError(ProtocolError):
    """A message of another version; the text names both versions and says what to do."""


def encode(message: Message) -> list[Any]:
    """Return a message as plain values; foreign texts in it are made valid Unicode."""
    kind: Any = type(message)
    match message:
        case WorkerReport():
            fields = plain_report(message)
        case SecondPassed():
            fields = _plain_second(message)
        case MachineReport():
            fields = plain_machine_report(message)
        case (
            PrepareLoad() | WorkerSettings() | machines.Welcome() | machines.JoinRun()
        ):  # lines of JSON can carry any path, even one that is not UTF-8
            fields = plain_values.plain(message)
        case _:
            fields = plain_values.plain(each_text(message, valid_text))
    return [PROTOCOL, slocheck.__version__, _KINDS[kind], fields]


def encode_line(message: Message) -> bytes:
    """Return a message as one line of JSON."""
    return json.dumps(encode(message), default=text_of_bytes).encode() + b"\n"


def encode_packed(message: MachineReport) -> bytes:
    """Return a message by msgpack."""
    import msgpack  # type: ignore[import-untyped]  # noqa: PLC0415 - the command line starts without it

    packed: bytes = msgpack.dumps(encode(message), unicode_errors=_ANY_TEXT)
    return packed


def decode_command(line: bytes) -> Command:
    """Return what the command line tells the master; raises ProtocolError."""
    command: Command = _decode(_parsed(line), Command, "the command line", "this master")
    return command


def decode_progress(line: bytes) -> Progress:
    """Return what the master tells the command line; raises ProtocolError."""
    progress: Progress = _decode(_parsed(line), Progress, "the master", "this command line")
    return progress


def decode_settings(line: bytes) -> WorkerSettings:
    """Return what the master tells a worker that it starts; raises ProtocolError."""
    settings: WorkerSettings = _decode(_parsed(line), WorkerSettings, "the master", "this worker")
    return settings


def decode_order(plain: object) -> Order:
    """Return what the master tells a worker; raises ProtocolError."""
    order: Order = _decode(plain, Order, "the master", "this worker")
    return order


def decode_worker_message(plain: object, worker: str) -> WorkerMessage:
    """Return what the worker with this name tells the master; raises ProtocolError."""
    message: WorkerMessage = _decode(plain, WorkerMessage, f"worker {worker}", "this master")
    return message


def decode_to_coordinator(body: bytes, sender: str) -> Arrived:
    """Return what a machine tells the coordinator; raises ProtocolError."""
    plain = _parsed(body) if body.startswith(_LINE) else _unpacked(body)
    message: Arrived = _decode(plain, FromMachine, sender, "this coordinator")
    return message


def decode_to_machine(line: bytes) -> machines.ToMachine:
    """Return what the coordinator tells a machine; raises ProtocolError."""
    message: machines.ToMachine = _decode(_parsed(line), machines.ToMachine, "the coordinator", "this worker")
    return message


def _parsed(line: bytes) -> object:
    try:
        return json.loads(line)
    except (ValueError, RecursionError) as error:
        raise ProtocolError(f"not a line of JSON: {error}") from error


def _unpacked(body: bytes) -> object:
    import msgpack  # noqa: PLC0415 - see `encode_packed`

    try:
        return msgpack.loads(body, unicode_errors=_ANY_TEXT)
    except Exception as error:
        raise ProtocolError(f"not a message: {error!r}") from error


def _decode(plain: object, allowed: Any, sender: str, receiver: str) -> Any:
    """Return a message of one of the allowed types (a class, or a union of them)."""
    if not isinstance(plain, list) or len(plain) < _VERSION_PARTS:
        raise ProtocolError(f"not a message of {sender}")
    _check_version(plain, sender, receiver)
    try:
        kind, fields = plain[_VERSION_PARTS:]
        message = _types(allowed)[kind]
        if message is WorkerReport:
            return read_report(fields)
        if message is SecondPassed:
            return _second(fields)
        if message is MachineReport:
            return read_machine_report(fields)
        return plain_values.typed(message, fields)
    except (LookupError, TypeError, ValueError, ArithmeticError, AttributeError) as error:
        raise ProtocolError(f"not a message of {sender}: {error!r}") from error


def _check_version(plain: list[Any], sender: str, receiver: str) -> None:
    protocol, version = plain[:_VERSION_PARTS]
    if not isinstance(protocol, int) or not isinstance(version, str):
        raise ProtocolError(f"not a message of {sender}")
    if (protocol, version) != (PROTOCOL, slocheck.__version__):
        raise VersionMismatchError(
            f"{sender} speaks protocol {protocol} (slocheck {version[:_MAX_SHOWN]}), {receiver} {PROTOCOL} "
            f"(slocheck {slocheck.__version__}): install the same version"
        )


@cache
def _types(allowed: Any) -> Mapping[str, Any]:
    """Return the types of messages that are allowed, by their kinds."""
    return {_KINDS[each]: each for each in get_args(allowed) or (allowed,)}


def _plain_second(second: SecondPassed) -> dict[str, Any]:
    return {
        "second": second.second,
        "phase": second.phase,
        "users": second.users,
        "deltas": [plain_delta(delta) for delta in second.deltas],
        "health": plain_values.plain(second.health),
    }


def _second(plain: dict[str, Any]) -> SecondPassed:
    reading = Reading()
    deltas = tuple(read_delta(delta, reading) for delta in plain["deltas"])
    if reading.lost or reading.unseen:
        raise ValueError(f"cannot be read: {', '.join(reading.lost + reading.unseen)}")
    return SecondPassed(
        second=int(plain["second"]),
        phase=str(plain["phase"]),
        users=int(plain["users"]),
        deltas=deltas,
        health=plain["health"] and plain_values.typed(LoadHealth, plain["health"]),
    )
