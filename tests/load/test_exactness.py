"""Many workers record what one would: the same requests, split and reported in any way, are one recording."""

from collections import deque
from dataclasses import dataclass, field
from typing import Any

import msgpack  # type: ignore[import-untyped]  # ships no types; comes with Locust
from hypothesis import given, settings
from hypothesis import strategies as st

from slocheck.evidence.merge import Delta, RecordingBuilder
from slocheck.evidence.recording import BEFORE_LOAD, FailureClass, Recording
from slocheck.load.master.clock_watch import ClockWatch
from slocheck.load.master.collector import Collector
from slocheck.load.master.load_model import master_model
from slocheck.load.messaging import protocol
from slocheck.load.messaging.messages import SecondPassed, WorkerReport
from slocheck.load.recording.recorder import Recorder, Result
from tests.builders.load_plans import make_plan

S = 1_000_000_000
THRESHOLDS = (1_000, 5_000_000)
SECONDS = 4
PLAN = make_plan("http://127.0.0.1:1", "a.py", thresholds_ns=THRESHOLDS, duration_s=SECONDS)
RESULTS = st.builds(
    Result,
    start_ns=st.integers(-S, SECONDS * S),
    latency_ns=st.integers(1, 3_000) | st.integers(1, 1 << 40),
    failure=st.sampled_from([None, None, None, FailureClass.RESET, FailureClass.UNEXPECTED]),
    status=st.sampled_from([None, 0, 200, 200, 404, 503]),
    message=st.sampled_from(["", "reset", "HTTP 404"]),
    cache=st.integers(-1, 1),
    size=st.integers(0, 70_000),
)
NAMES = st.sampled_from(["/a", "/b", "/c"])
STREAMS = st.lists(st.tuples(NAMES, RESULTS), max_size=25)


def recorder() -> Recorder:
    """Return a recorder whose load has begun."""
    begun = Recorder(THRESHOLDS, warmup_s=1)
    begun.begin(0, BEFORE_LOAD)
    return begun


def record(recorder: Recorder, name: str, result: Result) -> None:
    """Count a request as the clients do; every other success by the fast path."""
    recorder.record("GET", name, result)
    if result.failure is None and result.latency_ns % 2:
        recorder.counter("GET", name).service(result.start_ns, result.latency_ns // 2)


def by_one(stream: list[tuple[str, Result]]) -> Recording:
    """Return what one process records."""
    one, builder = recorder(), RecordingBuilder(THRESHOLDS)
    for name, result in stream:
        record(one, name, result)
    builder.add_delta(one.flush())
    return builder.recording(1, SECONDS - 1).added_up()


@dataclass
class Workers:
    """Some workers, their messages in transit, and the recordings of master and command line."""

    count: int
    recorders: list[Recorder] = field(init=False)
    sent: list[int] = field(init=False)
    waiting: list[deque[Any]] = field(init=False)

    def __post_init__(self) -> None:
        self.recorders = [recorder() for _ in range(self.count)]
        self.sent = [0] * self.count
        self.waiting = [deque() for _ in range(self.count)]
        names = [str(worker) for worker in range(self.count)]
        self.collector = Collector(
            names, master_model(PLAN), planned_users=1, window=range(1, SECONDS), thresholds=len(THRESHOLDS)
        )
        self.builder = RecordingBuilder(THRESHOLDS)

    def report(self, worker: int, *, final: bool = False) -> None:
        """Let a worker report; the message is in transit."""
        self.sent[worker] += 1
        delta = Delta() + self.recorders[worker].flush()
        message = WorkerReport(self.sent[worker], final, delta, 1, 0, 0, 0, 0)
        self.waiting[worker].append(msgpack.dumps(protocol.encode(message)))

    def deliver(self, worker: int) -> None:
        """Let a worker's next message arrive twice; the second time changes nothing."""
        if self.waiting[worker]:
            plain = msgpack.loads(self.waiting[worker].popleft(), raw=False, strict_map_key=False)
            for _ in range(2):
                message = protocol.decode_worker_message(plain, str(worker))
                assert isinstance(message, WorkerReport)
                self.collector.add(str(worker), message, now=0)

    def tick(self) -> None:
        """Let the master report to the command line."""
        deltas = self.collector.take()
        assert len(deltas) <= 1, "one a second, however many workers there are"
        health = self.collector.health(clocks=ClockWatch(), measured_s=1)
        line = protocol.encode_line(SecondPassed(1, "window", 1, deltas, health))
        passed = protocol.decode_progress(line)
        assert isinstance(passed, SecondPassed)
        for delta in passed.deltas:
            self.builder.add_delta(delta)

    def end(self) -> Recording:
        """Let all last reports arrive; returns the recording."""
        for worker in range(self.count):
            self.report(worker, final=True)
            while self.waiting[worker]:
                self.deliver(worker)
        self.tick()
        assert self.collector.all_final
        return self.builder.recording(1, SECONDS - 1).added_up()


@settings(deadline=None, max_examples=40)
@given(STREAMS, st.integers(1, 5), st.data())
def test_the_recording_of_many_workers_is_that_of_one(
    stream: list[tuple[str, Result]], count: int, data: st.DataObject
) -> None:
    """Counts, histograms, errors and the slowest, whoever sent what and whenever it was reported.

    Messages of one worker arrive in order, arbitrarily interleaved with those of the others.
    """
    workers = Workers(count)
    choices = st.integers(0, count - 1)
    for name, result in stream:
        record(workers.recorders[data.draw(choices)], name, result)
        for act in data.draw(st.lists(st.sampled_from([workers.report, workers.deliver]), max_size=2)):
            act(data.draw(choices))
        if data.draw(st.booleans()):
            workers.tick()
    assert workers.end() == by_one(stream)
