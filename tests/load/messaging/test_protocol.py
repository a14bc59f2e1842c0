"""The engine's messages: what is encoded can be decoded, and anything else is a ProtocolError."""

import json
from dataclasses import replace
from typing import Any

import msgpack  # type: ignore[import-untyped]  # ships no types; comes with Locust
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import slocheck
from slocheck.documents.texts import each_text
from slocheck.evidence.forbidden import ForbiddenConnection
from slocheck.evidence.merge import Delta
from slocheck.evidence.model import ArrivalStats, Ending, FileResult, LoadHealth, WorkerHealth
from slocheck.evidence.recording import BEFORE_LOAD, ErrorExample, FailureClass, SliceCounts
from slocheck.evidence.warnings import RunWarning
from slocheck.load.messaging import protocol
from slocheck.load.messaging.messages import (
    ArrivalCounts,
    Begin,
    Command,
    Drain,
    EndReport,
    FileDone,
    FileEnded,
    FinishWindow,
    HealthSamples,
    Hello,
    ListenerRuns,
    LoadBegan,
    LoadDone,
    Order,
    Prepare,
    Prepared,
    PrepareLoad,
    Progress,
    ScenarioLoaded,
    ScenarioRefused,
    SecondPassed,
    StartLoad,
    StopLoad,
    TaskCounts,
    WorkerMessage,
    WorkerReport,
    WorkerSettings,
    WorkersFailed,
    WorkersReady,
)
from slocheck.load.messaging.protocol import ProtocolError, VersionMismatchError
from slocheck.load.recording.lags import Lags
from slocheck.plan.load_plan import LoadPlan
from slocheck.spec.model import CacheRule, Endpoint, FailureRule, Tls
from slocheck.spec.model.load_profile import ArrivalProcess, Stage

PLAN = LoadPlan(
    target_url="http://h", scenario="/a.yaml", users=6, spawn_rate=6.5, warmup_s=1, duration_s=2, drain_s=1,
    thresholds_ns=(1, 10**12), failures=FailureRule(), cache=CacheRule(), tls=Tls(ca="/ca", insecure=True),
    tags=("a",), seed=7, rate=(Stage(0, 10.5, 3),), stages=(Stage(1, 2, 3),),
    arrivals=ArrivalProcess.POISSON,
)  # fmt: skip
COUNT = st.integers(0, 2**60)
HISTOGRAM = st.dictionaries(st.integers(0, 5000), COUNT, max_size=4)
SECONDS = st.integers(BEFORE_LOAD, 5)
SLICES = st.builds(
    SliceCounts,
    second=SECONDS,
    ok=COUNT,
    failures=st.dictionaries(st.sampled_from(FailureClass), COUNT, max_size=3),
    statuses=st.dictionaries(st.sampled_from([0, 200, 503]), COUNT),
    unserved=COUNT,
    over=st.tuples(COUNT, COUNT),
    latencies=HISTOGRAM,
    failed_latencies=HISTOGRAM,
    total_ns=COUNT,
    max_ns=COUNT,
    cache_hits=COUNT,
    cache_misses=COUNT,
    bytes_received=COUNT,
    service_times=HISTOGRAM,
)
ENDPOINTS = st.builds(Endpoint, st.sampled_from(["GET", "ODD \n"]), st.text(max_size=5))
DELTAS = st.builds(
    Delta.of,
    counts=st.lists(st.tuples(ENDPOINTS, SLICES), max_size=3).map(tuple),
    errors=st.lists(
        st.builds(ErrorExample, ENDPOINTS, st.sampled_from(FailureClass), COUNT, st.text(), SECONDS),
        max_size=3,
    ).map(tuple),
)
SHARES = st.floats(0, 2)
REPORTS = st.builds(
    WorkerReport,
    sequence=COUNT,
    final=st.booleans(),
    delta=DELTAS,
    running=COUNT,
    open=COUNT,
    in_flight=COUNT,
    unrecorded=COUNT,
    last_end_ns=COUNT,
    health=st.builds(
        HealthSamples,
        cpu=st.lists(st.tuples(SECONDS, SHARES), max_size=2).map(tuple),
        users=st.dictionaries(SECONDS, COUNT, max_size=3),
        loop_lag=st.dictionaries(SECONDS, HISTOGRAM, max_size=3),
        exceptions=st.dictionaries(st.text(), COUNT, max_size=2),
        messages=st.lists(st.text(), max_size=2).map(tuple),
        memory=COUNT,
        listener_errors=st.dictionaries(st.text(), COUNT, max_size=2),
    ),
    tasks=st.builds(TaskCounts, COUNT, COUNT, COUNT, st.text(max_size=5)),
    arrivals=st.builds(
        ArrivalCounts,
        dropped=st.dictionaries(SECONDS, COUNT, max_size=3),
        lag=st.dictionaries(SECONDS, HISTOGRAM, max_size=3).map(Lags.of),
    ),
    forbidden=st.lists(
        st.builds(ForbiddenConnection, host=st.text(), address=st.text(), port=COUNT, count=COUNT), max_size=2
    ).map(tuple),
)
HEALTH = LoadHealth(
    planned_users=6,
    users=5,
    workers=(WorkerHealth("w", 0.5, 0.001, complete=True, memory=9, messages=("m",)),),
    exceptions={"x": 2},
    arrivals=ArrivalStats(10, 1, 0.25, 0.5),
    forbidden=(ForbiddenConnection("shop.example", "10.0.0.1", 443),),
)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=4),
    max_leaves=12,
)


def kind(message: object) -> str:
    """Return the id of a test with this message."""
    return type(message).__name__


def through_msgpack(plain: object) -> object:
    """Return a plain value as it arrives through Locust's transport."""
    return msgpack.loads(msgpack.dumps(plain), raw=False, strict_map_key=False)


@pytest.mark.parametrize(
    "command",
    [PrepareLoad(PLAN), StartLoad(), FinishWindow(), StopLoad()],
    ids=kind,
)
def test_commands_arrive(command: Command) -> None:
    """What the command line sends is what the master receives, the whole plan included."""
    assert protocol.decode_command(protocol.encode_line(command)) == command


@pytest.mark.parametrize(
    "progress",
    [
        ScenarioLoaded(("A", "B")),
        WorkersReady({"locust": "2"}, (RunWarning("code", "text"),)),
        ScenarioRefused("no\nuser"),
        WorkersFailed("gone"),
        LoadBegan(1.5, 2.5),
        LoadDone(Ending.TARGET_DOWN, "", 3, HEALTH, 1.0, 2.0, 3.25),
        ListenerRuns("teardown"),
        FileDone(FileResult(1, "f.py:2", {"e": 1}, ("late",))),
    ],
    ids=kind,
)
def test_progress_arrives(progress: Progress) -> None:
    """What the master sends is what the command line receives, on one line."""
    line = protocol.encode_line(progress)
    assert line.index(b"\n") == len(line) - 1
    assert protocol.decode_progress(line) == progress


@given(st.lists(DELTAS, max_size=2).map(tuple))
def test_seconds_arrive(deltas: tuple[Delta, ...]) -> None:
    """No count is lost between the master and the command line."""
    passed = SecondPassed(3, "window", 5, deltas, HEALTH)
    assert protocol.decode_progress(protocol.encode_line(passed)) == passed


def test_settings_arrive() -> None:
    """A worker gets the master's plan."""
    settings = WorkerSettings(PLAN, "ipc://@here", "00ff", 3)
    assert protocol.decode_settings(protocol.encode_line(settings)) == settings


@pytest.mark.parametrize("order", [Prepare(), Begin(10**15), Drain(1.5, as_timeouts=True)], ids=kind)
def test_orders_arrive(order: Order) -> None:
    """What the master orders is what a worker receives."""
    assert protocol.decode_order(through_msgpack(protocol.encode(order))) == order


@given(
    st.sampled_from([Hello(), Prepared(), FileEnded("quit"), EndReport(3, "f.py:1", 0, {"e": 1}, ("l",))])
    | REPORTS
)
def test_worker_messages_arrive(message: WorkerMessage) -> None:
    """What a worker reports is what the master receives, and no count is lost."""
    assert protocol.decode_worker_message(through_msgpack(protocol.encode(message)), "w") == message


HALF = "\ud83d caf\udce9"
WHOLE = "\\ud83d caf\\udce9"
ODD_REPORT = WorkerReport(
    1, False, Delta.of(errors=(ErrorExample(Endpoint(HALF, HALF), FailureClass.EXPECTATION, 1, HALF, 0),),
    counts=((Endpoint("GET", HALF), SliceCounts(0, ok=1)),)), 1, 0, 0, 0, 0,
    HealthSamples(exceptions={HALF: 2}, messages=(HALF,)),
)  # fmt: skip


@pytest.mark.parametrize("message", [ODD_REPORT, FileEnded(HALF)], ids=kind)
def test_texts_that_are_not_unicode_arrive_written_out(message: WorkerMessage) -> None:
    """Half an emoji from the target's JSON costs neither the message nor the run."""
    arrived = protocol.decode_worker_message(through_msgpack(protocol.encode(message)), "w")
    assert arrived == each_text(message, lambda text: text.replace(HALF, WHOLE))


def test_a_path_that_is_not_unicode_arrives_as_it_is() -> None:
    """A Locust file whose name is in Latin-1 can be opened by master and workers."""
    plan = replace(PLAN, scenario="/caf\udce9.py")
    assert protocol.decode_command(protocol.encode_line(PrepareLoad(plan))) == PrepareLoad(plan)
    settings = WorkerSettings(plan, "ipc://@here", "00ff", 3)
    assert protocol.decode_settings(protocol.encode_line(settings)) == settings
    refused = ScenarioRefused(f"{plan.scenario}: no user")
    arrived = protocol.decode_progress(protocol.encode_line(refused))
    assert arrived == ScenarioRefused("/caf\\udce9.py: no user")


@given(JSON)
def test_any_other_value_is_one_error(value: object) -> None:
    """Junk raises ProtocolError and nothing else, as a whole message and as the fields of one."""
    versions = [protocol.PROTOCOL, slocheck.__version__]
    kinds = ("report", "second-passed", "unprepared", "begin", "load-done", "worker-settings", "no-such-kind")
    for plain in (value, [*versions, value], *([*versions, kind, value] for kind in kinds)):
        with pytest.raises(ProtocolError):
            protocol.decode_worker_message(plain, "w")
        with pytest.raises(ProtocolError):
            protocol.decode_order(plain)
        with pytest.raises(ProtocolError):
            protocol.decode_progress(json.dumps(plain).encode())


JUNK: st.SearchStrategy[Any] = JSON | st.sampled_from(
    ["\ud800", 1e300, -(10**30), 10**30, float("nan"), float("inf"), -1, 0.5, True, None, {}, [[]], b"x"]
)
SHOWN_ONLY = frozenset({"messages", "memory", "classes", "targets"})


@settings(deadline=None)
@given(REPORTS, JUNK, st.data())
def test_a_damaged_entry_costs_that_entry(report: WorkerReport, junk: object, data: st.DataObject) -> None:
    """Whatever is replaced by junk, the rest of the report is unchanged, and what is missing is named."""
    plain = protocol.encode(report)
    place: Any = plain[3]
    field = key = data.draw(st.sampled_from(sorted(place)))
    while isinstance(place[key], list) and place[key] and data.draw(st.booleans()):
        place, key = place[key], data.draw(st.integers(0, len(place[key]) - 1))
    before, place[key] = place[key], junk
    decoded = protocol.decode_worker_message(plain, "w")
    assert isinstance(decoded, WorkerReport)
    again = protocol.encode(decoded)
    assert protocol.decode_worker_message(through_msgpack(again), "w") == replace(
        decoded, unreadable=(), unseen=()
    ), "what was taken over is in order"
    whole, taken = protocol.encode(report)[3], again[3]
    assert {name: taken[name] for name in taken if name != field} == {
        name: whole[name] for name in whole if name != field
    }
    if _entries(taken[field]) < _entries(whole[field]) and not isinstance(junk, list):  # one may be valid
        assert decoded.unreadable or (decoded.unseen and field in (*SHOWN_ONLY, "delta")), before


def _entries(plain: Any) -> int:
    """Return how many values an entry holds."""
    return sum(map(_entries, plain)) if isinstance(plain, list) else 1


@pytest.mark.parametrize(
    "line",
    [
        pytest.param(b"", id="nothing"),
        pytest.param(b"\xff\n", id="bytes"),
        pytest.param(b"[1, \n", id="cut off"),
        pytest.param(b"[" * 100_000, id="deep"),
        pytest.param(protocol.encode_line(StopLoad()), id="another direction"),
    ],
)
def test_a_damaged_line_is_one_error(line: bytes) -> None:
    """A line that is not a message of the master's raises ProtocolError."""
    with pytest.raises(ProtocolError):
        protocol.decode_progress(line)


@pytest.mark.parametrize(
    ("versions", "speaks"),
    [
        pytest.param([9, "0.2.0"], "9 (slocheck 0.2.0)", id="both"),
        pytest.param(
            [protocol.PROTOCOL, "0.2.0"], f"{protocol.PROTOCOL} (slocheck 0.2.0)", id="slocheck's alone"
        ),
        pytest.param([9, "0.1.0"], "9 (slocheck 0.1.0)", id="the protocol's alone"),
    ],
)
def test_another_version_is_refused_by_name(
    versions: list[Any], speaks: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever else a message of another version holds, the error names its sender and what to install."""
    monkeypatch.setattr(slocheck, "__version__", "0.1.0")
    with pytest.raises(VersionMismatchError) as refusal:
        protocol.decode_worker_message([*versions, "anything", {"later": 1}, "more"], "X")
    ours = f"this master {protocol.PROTOCOL} (slocheck 0.1.0): install the same version"
    assert str(refusal.value) == f"worker X speaks protocol {speaks}, {ours}"
